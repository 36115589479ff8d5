"""A wire format as a frozen record of pure functions, and the values that go into and come out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, final

from attrs import frozen

from turnfold.core.config.values import ExampleTurn, TokensParameter, ToolFormat
from turnfold.core.conversation.messages import Message, ToolMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import CallSoFar, Reply
from turnfold.core.tools.spec import ToolSpec

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)


@final
@frozen(kw_only=True)
class Head:
    """Everything of a request but its messages; None and empty stand for "not said". ``parameters`` are sent as they are.

    ``asks_usage``: the stream is asked to tell its tokens. ``tool_choice`` is ``auto``, ``required``, ``none`` or the name of the tool to be called; ``parallel_calls``: whether a reply may have
    several calls; ``output``: the JSON Schema of the reply's text. ``output_tokens``: the longest reply that the model can give, for a
    format that has to ask for some length. ``reasons``: the model is known to reason before it answers.
    """

    model: str
    system: str = ""
    examples: tuple[ExampleTurn, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    output_tokens: int | None = None
    tokens_parameter: TokensParameter = TokensParameter.MAX_TOKENS
    asks_usage: bool = True
    parameters: JsonObject = JsonObject()
    tools: tuple[ToolSpec, ...] = ()
    grammar: str = ""
    tool_format: ToolFormat = ToolFormat.NATIVE
    tool_choice: str = ""
    parallel_calls: bool | None = None
    output: JsonObject = JsonObject()
    reasons: bool = False


@final
@frozen(eq=False, repr=False)
class Decoded(Generic[F_co]):
    """The fold after a chunk, and what of text and reasoning the chunk added."""

    fold: F_co
    text: str = ""
    reasoning: str = ""


@final
@frozen(kw_only=True)
class Encoder:
    """How requests are written in one wire format.

    Every message is encoded once: ``encode_message`` looks at one message alone, ``encode_round`` at all the outputs of one round of
    native calls, which is one part, since formats want them in one message, or what they show behind them all. ``encode_head`` is
    everything but the messages; ``encode_request`` joins it with their parts, of which empty ones are passed over. The messages come
    last, so a request's messages are a byte prefix of the next one's.
    """

    encode_head: Callable[[Head], bytes]
    encode_message: Callable[[Message, ToolFormat], bytes]
    encode_round: Callable[[tuple[ToolMessage, ...]], bytes]
    encode_request: Callable[[bytes, Iterable[bytes]], bytes]


@final
@frozen(kw_only=True)
class ModelProtocol(Generic[F]):
    """How one wire format is read and written; ``F`` is its fold: an immutable value, a reply so far.

    For all bytes, however they are cut into chunks: ``finish`` of the decoded chunks is the same reply, none of the four
    raises, and the joined deltas are what the reply's text begins with: all of it, but for a body that is no stream and
    for a last event without its empty line, which ``finish`` alone can read.
    """

    begin: Callable[[], F]
    decode: Callable[[F, bytes], Decoded[F]]
    finish: Callable[[F], Reply]
    calls_so_far: Callable[[F], tuple[CallSoFar, ...]]
    encoder: Encoder
