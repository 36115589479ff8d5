"""What the journal does not hold: the reply being streamed, and the bytes of messages already encoded.

All of it can be lost: a lost reply is asked for again, lost bytes are encoded again. So it counts for nothing when
states are compared, and a driver, a replay and a resumed process agree although theirs differ.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.agent.ids import RequestId
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.log import Log
from turnfold.core.llm.chat_reply import ChatFold
from turnfold.core.llm.markdown import Scan
from turnfold.core.tools.spec import ToolSpec


@final
@frozen(kw_only=True, eq=False)
class LiveReply:
    """The reply to ``request_id`` as far as it has come; ``scan`` reads calls from its text, in a text format.

    ``deltas`` counts what was published of it, ``shown`` and ``thought`` how many characters of text and of reasoning;
    ``limit_bytes`` is how many it may have over the wire.
    """

    request_id: RequestId
    fold: ChatFold
    scan: Scan | None
    limit_bytes: int
    deltas: int = 0
    shown: int = 0
    thought: int = 0
    size_bytes: int = 0


@final
@frozen(kw_only=True, eq=False)
class Encoded:
    """The messages of the log as the wire wants them, each encoded once, and what a request opens with before them.

    ``opening`` is good for just this config and these tools, ``parts`` for this format.
    """

    cfg: ChatConfig
    tools: tuple[ToolSpec, ...]
    tool_format: ToolFormat
    opening: bytes
    parts: Log[bytes]


@final
@frozen(kw_only=True, eq=False)
class Live:
    """Everything that can be lost."""

    reply: LiveReply | None = None
    encoded: Encoded | None = None
