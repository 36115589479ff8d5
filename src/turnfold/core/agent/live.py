"""What the journal does not hold: the reply being streamed, and the bytes of messages already encoded.

All of it can be lost: a lost reply is asked for again, lost bytes are encoded again. So it counts for nothing when
states are compared, and a driver, a replay and a resumed process agree although theirs differ.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.summary import Summary
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import ModelProfile, ToolFormat, Wire
from turnfold.core.conversation.log import Log
from turnfold.core.llm.call_format import Scan
from turnfold.core.llm.wire import ReplyFold
from turnfold.core.tools.spec import ToolSpec


@final
@frozen
class Plan:
    """What a summary will stand for: the log before ``upto``, the messages at ``pinned`` (indexes, rising) apart."""

    upto: int
    pinned: tuple[int, ...] = ()


@final
@frozen(kw_only=True, eq=False)
class LiveReply:
    """The reply to ``request_id`` as far as it has come; ``scan`` reads calls from its text, in a text format.

    ``deltas`` counts what was published of it, ``shown`` and ``thought`` how many characters of text and of reasoning;
    ``limit_bytes`` is how many it may have over the wire, ``deadline_ms`` when the turn's seconds are over. ``plan``: it is a
    summary, of which nothing is published.
    """

    request_id: RequestId
    fold: ReplyFold
    scan: Scan | None
    limit_bytes: int
    deltas: int = 0
    shown: int = 0
    thought: int = 0
    size_bytes: int = 0
    deadline_ms: int | None = None
    plan: Plan | None = None


@final
@frozen(kw_only=True, eq=False)
class EncodedLog:
    """The messages of the log as ``wire`` wants them in ``tool_format`` for a model that ``sees`` images and ``returns`` reasoning or not, and is ``ordered`` or not, each encoded once.

    ``parts``, one a message (all but the last of a round of native outputs are empty), are those from ``upto`` on, of ``parts_bytes``;
    ``beginning`` stands for those before, as ``summary`` says. ``spared_bytes`` are those that do not count in estimates, since they are pictures.
    """

    tool_format: ToolFormat
    wire: Wire = Wire.CHAT
    sees: bool = True
    returns: bool = False
    ordered: bool = False
    parts: Log[bytes]
    parts_bytes: int = 0
    spared_bytes: int = 0
    upto: int = 0
    summary: Summary | None = None
    beginning: bytes = b""


@final
@frozen(kw_only=True, eq=False)
class Encoded:
    """What a request is joined from: its ``opening``, good for just this config (``profile`` is its model's) these tools and the instructions ``added``, and the messages."""

    cfg: ChatConfig
    profile: ModelProfile
    tools: tuple[ToolSpec, ...]
    added: str = ""
    opening: bytes
    told: EncodedLog

    @property
    def size_bytes(self) -> int:
        """How long a request's body is, the commas apart, each picture counted as what it costs."""
        return len(self.opening) + len(self.told.beginning) + self.told.parts_bytes - self.told.spared_bytes


@final
@frozen(kw_only=True, eq=False)
class Live:
    """Everything that can be lost; ``checks`` are the replies to guardrails, beside the conversation's own."""

    reply: LiveReply | None = None
    encoded: Encoded | None = None
    checks: tuple[LiveReply, ...] = ()
