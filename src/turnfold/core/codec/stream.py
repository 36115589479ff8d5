"""A stream's items on the wire: pure projections, the same bytes for the same items in every process.

Each is one JSON object, its place (``at``) as text. As server-sent events the place is the event's id, which a client that comes back says
as ``Last-Event-ID``; :func:`parse_position_untrusted` reads it.
"""

from __future__ import annotations

from returns.result import Result

from turnfold.core.codec.codec import ITEM, decode_untrusted, encode
from turnfold.core.problem import Problem
from turnfold.core.stream.items import Item


def item_line(item: Item) -> str:
    r"""``item`` as a line of JSON.

    >>> from turnfold.core.stream.items import TextDelta
    >>> from turnfold.core.stream.position import Position
    >>> item_line(TextDelta(at=Position(3, 0, 2), reply="1.1.m.0", text="Hi"))
    '{"type":"TextDelta","at":"3:0.2.0.0.0","reply":"1.1.m.0","text":"Hi"}\n'
    """
    return f"{encode(ITEM, item)}\n"


def item_event(item: Item) -> str:
    r"""``item`` as a server-sent event.

    >>> from turnfold.core.stream.items import RunStarted
    >>> from turnfold.core.stream.position import START
    >>> item_event(RunStarted(at=START, conversation="c"))
    'id: 0\nevent: RunStarted\ndata: {"type":"RunStarted","at":"0","conversation":"c"}\n\n'
    """
    return f"id: {item.at}\nevent: {type(item).__name__}\ndata: {encode(ITEM, item)}\n\n"


def item_untrusted(text: str | bytes) -> Result[Item, Problem]:
    """The item that a line, or an event's data, holds; what another process wrote."""
    return decode_untrusted(ITEM, text)
