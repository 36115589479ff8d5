"""A wire format as a frozen record of pure functions, and the values that go into and come out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, final

from attrs import frozen

from turnfold.core.config.values import ExampleTurn, TokensParameter, ToolFormat
from turnfold.core.conversation.messages import Message, ToolMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Reply
from turnfold.core.tools.spec import ToolSpec

F = TypeVar("F")


@final
@frozen(kw_only=True)
class Head:
    """Everything of a request but its messages; None and empty stand for "not said". ``parameters`` are sent as they are."""

    model: str
    system: str = ""
    examples: tuple[ExampleTurn, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    tokens_parameter: TokensParameter = TokensParameter.MAX_TOKENS
    parameters: JsonObject = JsonObject()
    tools: tuple[ToolSpec, ...] = ()
    grammar: str = ""
    tool_format: ToolFormat = ToolFormat.NATIVE


@final
@frozen(eq=False, repr=False, kw_only=True)
class Decoded(Generic[F]):
    """The fold after a chunk, and what of text and reasoning the chunk added."""

    fold: F
    text: str = ""
    reasoning: str = ""


@final
@frozen(kw_only=True)
class ModelProtocol(Generic[F]):
    """How one wire format is written and read; ``F`` is its fold: an immutable value, a reply so far.

    For all bytes, however they are cut into chunks: ``finish`` of the decoded chunks is the same reply, none of the three
    raises, and the joined deltas are what the reply's text begins with: all of it, but for a body that is no stream and
    for a last event without its empty line, which ``finish`` alone can read.
    ``encode_message`` looks at one message alone, ``encode_images`` at the outputs of one round of native calls, which it is given
    when all are there, and ``encode_request`` joins what they and ``encode_head`` gave, so a request's messages are a byte prefix of
    the next one's.
    """

    name: str
    begin: Callable[[], F]
    decode: Callable[[F, bytes], Decoded[F]]
    finish: Callable[[F], Reply]
    encode_message: Callable[[Message, ToolFormat], bytes]
    encode_images: Callable[[tuple[ToolMessage, ...]], bytes]
    encode_head: Callable[[Head], bytes]
    encode_request: Callable[[bytes, Iterable[bytes]], bytes]
