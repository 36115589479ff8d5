"""The request's bytes: every message is encoded once, and a request joins what is there.

``live`` keeps the encoded messages, and the head of the request with the config and the tools that it is good for. A change
of those makes another head; only a change of the wire format, of the call format, or to a model that can see images from one that
can't, encodes the messages anew, since they depend on nothing else.

Where a summary stands for the log's beginning, the beginning is two messages, and the log goes on behind them:

1. the person's: the pinned messages, word for word, or, where nothing is pinned, the question what was so far;
2. the assistant's: the summary. It has seen outputs of tools, so it must not speak with the person's voice.

Where the log goes on in the middle of a turn, with a reply, the person's words to go on stand between them. So the first message
is the person's and roles alternate, as the templates of some models demand. It stays the same, byte for byte,
until the next summary. What it stands for is neither encoded nor kept.
"""

from __future__ import annotations

from itertools import chain

from attrs import evolve

from turnfold.core.agent.ending import AUTO, NONE, chosen
from turnfold.core.agent.live import Encoded, EncodedLog
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.summary import Summary, told_instead
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import find_provider, profile_of
from turnfold.core.config.values import ExampleTurn, ModelProfile, TokensParameter, ToolFormat, Wire
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Message, ToolMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.chat_images import as_seen, spared_bytes
from turnfold.core.llm.chat_order import ORDERED, bridged
from turnfold.core.llm.chat_request import as_returned
from turnfold.core.llm.grammar import BlockShape, grammar_of
from turnfold.core.llm.prompt import system_prompt
from turnfold.core.llm.protocol import Encoder, Head
from turnfold.core.llm.structured import told_schema
from turnfold.core.llm.wire import encoder
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec


def profile_for(state: ChatState, cfg: ChatConfig) -> ModelProfile:
    """The profile of the model of ``cfg``: the one kept in ``live``, where it is good for this config."""
    kept = state.live.encoded
    return kept.profile if kept is not None and (kept.cfg is cfg or kept.cfg == cfg) else profile_of(cfg)


def encoded_for(state: ChatState, tools: tuple[ToolSpec, ...], cfg: ChatConfig, profile: ModelProfile, added: str = "") -> Encoded:
    """The messages that the model of ``profile`` is told, encoded for ``tools`` and ``cfg``: those kept in ``live``, and the ones since.

    ``added``: what stands at the end of the instructions.
    """
    kept = state.live.encoded
    tool_format = cfg.tool_format or profile.tool_format
    same = kept is not None and (kept.cfg is cfg or kept.cfg == cfg) and kept.tools == tools and kept.added == added
    wire = kept.told.wire if same and kept is not None else wire_of(cfg)
    opening = kept.opening if same and kept is not None else encoder(wire).encode_head(_head(tools, cfg, profile, added))
    sees = profile.sees_images is not False  # where nobody knows, the server says so
    returns = profile.returns_reasoning or wire is not Wire.CHAT  # the other formats know themselves what goes back
    ordered = profile.ordered and wire is Wire.CHAT and tool_format is ToolFormat.NATIVE
    fresh = EncodedLog(tool_format=tool_format, wire=wire, sees=sees, returns=returns, ordered=ordered, parts=Log())
    told = fresh if kept is None else kept.told
    reusable = told.tool_format is tool_format and (told.wire, told.sees, told.returns, told.ordered) == (wire, sees, returns, ordered)
    begun = _begun(told if reusable else fresh, state.past)
    told = _grown(begun, state.past.log)
    return Encoded(cfg=cfg, profile=profile, tools=tools, added=added, opening=opening, told=told)


def wire_of(cfg: ChatConfig) -> Wire:
    """The wire format of the model of ``cfg``."""
    located = find_provider(cfg)
    return Wire.CHAT if isinstance(located, Problem) else located.provider.wire


def _grown(begun: EncodedLog, log: Log[Message]) -> EncodedLog:
    """``begun`` with the messages that have come since; the last output of a round of native calls stands for all of it."""
    write = ORDERED if begun.ordered else encoder(begun.wire)
    parts, parts_bytes, spared = begun.parts, begun.parts_bytes, begun.spared_bytes
    new = tuple(log.since(begun.upto + len(parts)))
    round_: tuple[ToolMessage, ...] = ()
    before = log[begun.upto + len(parts) - 1] if len(parts) else None
    for index, told in enumerate(new):
        message = as_returned(as_seen(told, sees=begun.sees), returns=begun.returns)
        if isinstance(message, ToolMessage) and begun.tool_format is ToolFormat.NATIVE:
            round_ += (message,)
            whole = index + 1 == len(new) or not isinstance(new[index + 1], ToolMessage)
            part, round_ = (write.encode_round(round_), ()) if whole else (b"", round_)
        else:
            part = write.encode_message(message, begun.tool_format)
            part = bridged(part, message, before) if begun.ordered else part
        before = message
        parts, parts_bytes = parts.append(part), parts_bytes + len(part)
        spared += spared_bytes(message)
    return begun if parts is begun.parts else evolve(begun, parts=parts, parts_bytes=parts_bytes, spared_bytes=spared)


def _begun(kept: EncodedLog, past: Past) -> EncodedLog:
    """What is kept and still good, with the beginning that is told now."""
    if past.summary is None:
        return evolve(kept, parts=Log(), parts_bytes=0, spared_bytes=0, upto=0, summary=None, beginning=b"") if kept.beginning else kept
    summary, upto = past.summary, min(max(past.summary.upto, 0), len(past.log))
    if kept.beginning and (kept.upto, kept.summary) == (upto, summary):
        return kept
    parts: Log[bytes] = Log() if upto < kept.upto else Log.of(*kept.parts.since(upto - kept.upto))
    return EncodedLog(
        tool_format=kept.tool_format,
        wire=kept.wire,
        sees=kept.sees,
        returns=kept.returns,
        ordered=kept.ordered,
        parts=parts,
        parts_bytes=sum(map(len, parts)),
        spared_bytes=sum(spared_bytes(past.log[upto + index]) for index in range(len(parts))) if kept.sees else 0,
        upto=upto,
        summary=summary,
        beginning=_told(summary, past, encoder(kept.wire)),
    )


def _told(summary: Summary, past: Past, write: Encoder) -> bytes:
    """The messages that stand for what was summed up, or handed over."""
    return b",".join(write.encode_message(message, ToolFormat.NATIVE) for message in told_instead(summary, past.log))


def request_body(encoded: Encoded, past: Past) -> bytes:
    """The body of a model call; linear in its own bytes."""
    demanded = call_demanded(past, encoded.profile)
    choice = "" if past.turn is None else chosen(past.turn, encoded.cfg)
    write = encoder(encoded.told.wire)
    opening = encoded.opening
    if demanded or choice not in ("", AUTO):
        head = _head(encoded.tools, encoded.cfg, encoded.profile, encoded.added, must_call=demanded, choice=choice)
        opening = write.encode_head(head)
    parts = encoded.told.parts
    return write.encode_request(opening, chain((encoded.told.beginning,), parts) if encoded.told.beginning else parts)


def call_demanded(past: Past, profile: ModelProfile) -> bool:
    """Whether the next reply of the model has to be a call.

    Small models rather guess than look, and say that a thing is done after a call that failed.
    """
    turn = past.turn
    if not profile.must_call or turn is None:
        return False
    last = past.log[-1]
    failed = isinstance(last, ToolMessage) and not last.ok
    return failed or turn.generation == 1


def _head(
    tools: tuple[ToolSpec, ...], cfg: ChatConfig, profile: ModelProfile, added: str, *, must_call: bool = False, choice: str = ""
) -> Head:
    tool_format = cfg.tool_format or profile.tool_format
    located = find_provider(cfg)
    held = bool(cfg.output) and _holds(tools, cfg, profile, tool_format)
    system = system_prompt(cfg, tools, tool_format, profile.instructions, added)
    return Head(
        model="" if isinstance(located, Problem) else located.model,
        system=f"{system}\n\n{told_schema(cfg.output)}" if cfg.output and not held else system,
        examples=examples_of(profile, tools),
        temperature=cfg.temperature if cfg.temperature is not None else profile.temperature,
        max_tokens=cfg.max_tokens if cfg.max_tokens is not None else profile.max_tokens,
        output_tokens=profile.output_tokens,
        tokens_parameter=TokensParameter.MAX_TOKENS if isinstance(located, Problem) else located.provider.tokens_parameter,
        asks_usage=isinstance(located, Problem) or located.provider.asks_usage,
        parameters=cfg.parameters,
        tools=tools if tool_format is ToolFormat.NATIVE else (),
        grammar=_grammar(tools, choice, must_call=must_call) if profile.grammar and tool_format is ToolFormat.MARKDOWN else "",
        tool_format=tool_format,
        tool_choice=choice if tool_format is ToolFormat.NATIVE else "",
        parallel_calls=cfg.parallel_calls,
        output=cfg.output if held else JsonObject(),
        reasons=profile.reasons is True,
    )


def _holds(tools: tuple[ToolSpec, ...], cfg: ChatConfig, profile: ModelProfile, tool_format: ToolFormat) -> bool:
    """Whether the server is asked to hold the reply to ``output``: not where it would keep the model from calling tools.

    A server that nobody knows anything of is asked for nothing that it may refuse.
    """
    if tools and tool_format is not ToolFormat.NATIVE:
        return False
    return (not tools and wire_of(cfg) is not Wire.CHAT) if profile.holds_output is None else profile.holds_output


def _grammar(tools: tuple[ToolSpec, ...], choice: str, *, must_call: bool) -> str:
    """The grammar of a reply that calls what it likes, or what it has to."""
    if choice == NONE:
        return grammar_of(())
    named = tuple(tool for tool in tools if tool.name == choice)
    return grammar_of(shapes_of(named or tools), must_call=must_call or choice not in ("", AUTO))


def examples_of(profile: ModelProfile, tools: tuple[ToolSpec, ...]) -> tuple[ExampleTurn, ...]:
    """The turns of the profile's worked examples whose tools are all offered."""
    names = tuple(tool.name for tool in tools)
    return tuple(turn for example in profile.examples if all(name in names for name in example.tools) for turn in example.turns)


def shapes_of(tools: tuple[ToolSpec, ...]) -> tuple[BlockShape, ...]:
    """How calls of ``tools`` look, for the grammar; a tool that is written as JSON only has no shape."""
    shaped = (tool for tool in tools if tool.header or tool.body)
    return tuple(BlockShape(name=tool.name, header=tool.header, body=tool.body or None, marks=tool.marks) for tool in shaped)
