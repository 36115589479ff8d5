"""What stands for the beginning of a long conversation, or for what an agent is not told of."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.conversation.messages import Message


@final
@frozen(kw_only=True)
class Summary:
    """What models are told in place of the log before ``upto``, the messages at ``pinned`` (indexes, rising) apart.

    ``messages`` are told just as they are, where there are some; else ``text`` is.
    """

    upto: int
    text: str
    pinned: tuple[int, ...] = ()
    messages: tuple[Message, ...] = ()
