"""Chat Completions for servers that keep to an order of roles: Mistral's take no person's words right behind outputs of tools.

So words of the model stand between them (:data:`BRIDGE`): before what a person says after a command or an interrupt, and before what the
tools of a round show.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.conversation.messages import Message, ToolMessage, UserMessage
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.chat_images import encode_images
from turnfold.core.llm.protocol import Encoder

BRIDGE = b'{"role":"assistant","content":"OK."}'


def encode_round(messages: tuple[ToolMessage, ...]) -> bytes:
    """All outputs of a round of native calls, and behind words of the model what they show.

    >>> encode_round((ToolMessage(call_id="1.1.0", tool="read", text="a"),))
    b'{"role":"tool","tool_call_id":"t001g0100","content":"a"}'
    """
    told = CHAT.encoder.encode_round(tuple([evolve(message, images=()) for message in messages]))
    shown = encode_images(messages)
    return b",".join((told, BRIDGE, shown)) if shown else told


def bridged(part: bytes, message: Message, before: Message | None) -> bytes:
    """``part``, which ``message`` is encoded as, behind words of the model where it is the person's and an output stands ``before`` it.

    >>> bridged(b"1", UserMessage("hi"), ToolMessage(call_id="1.1.0", tool="read", text="a"))
    b'{"role":"assistant","content":"OK."},1'
    """
    return b",".join((BRIDGE, part)) if isinstance(message, UserMessage) and isinstance(before, ToolMessage) else part


ORDERED: Encoder = evolve(CHAT.encoder, encode_round=encode_round)
