"""The request's bytes: every message is encoded once, and a request joins what is there.

``live`` keeps the encoded messages, and the head of the request with the config and the tools that it is good for. A change
of those makes another head; only a change of the call format encodes the messages anew, since they depend on nothing else.
"""

from __future__ import annotations

from turnfold.core.agent.live import Encoded
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import find_provider, format_of, profile_of
from turnfold.core.config.values import ExampleTurn, ModelProfile, TokensParameter, ToolFormat
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.grammar import BlockShape, grammar_of
from turnfold.core.llm.prompt import system_prompt
from turnfold.core.llm.protocol import Head
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec


def encoded_for(state: ChatState, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Encoded:
    """The log's messages encoded for ``tools`` and ``cfg``: those kept in ``live``, and the ones since."""
    kept = state.live.encoded
    log = state.past.log
    tool_format = format_of(cfg)
    opening = kept.opening if kept is not None and kept.cfg == cfg and kept.tools == tools else CHAT.encode_head(_head(tools, cfg))
    parts = kept.parts if kept is not None and kept.tool_format is tool_format else Log()
    for index in range(len(parts), len(log)):
        parts = parts.append(CHAT.encode_message(log[index], tool_format))
    return Encoded(cfg=cfg, tools=tools, tool_format=tool_format, opening=opening, parts=parts)


def request_body(encoded: Encoded, past: Past) -> bytes:
    """The body of a model call; linear in its own bytes."""
    demanded = call_demanded(past, encoded.cfg)
    opening = CHAT.encode_head(_head(encoded.tools, encoded.cfg, must_call=True)) if demanded else encoded.opening
    return CHAT.encode_request(opening, encoded.parts)


def call_demanded(past: Past, cfg: ChatConfig) -> bool:
    """Whether the next reply has to be a call.

    Small models rather guess than look, and say that a thing is done after a call that failed.
    """
    turn = past.turn
    if not profile_of(cfg).must_call or turn is None:
        return False
    last = past.log[-1]
    failed = isinstance(last, ToolMessage) and not last.ok
    return failed or turn.generation == 1


def _head(tools: tuple[ToolSpec, ...], cfg: ChatConfig, *, must_call: bool = False) -> Head:
    profile = profile_of(cfg)
    tool_format = format_of(cfg)
    located = find_provider(cfg)
    return Head(
        model="" if isinstance(located, Problem) else located.model,
        system=system_prompt(cfg, tools, tool_format, profile.instructions),
        examples=examples_of(profile, tools),
        temperature=cfg.temperature if cfg.temperature is not None else profile.temperature,
        max_tokens=cfg.max_tokens if cfg.max_tokens is not None else profile.max_tokens,
        tokens_parameter=TokensParameter.MAX_TOKENS if isinstance(located, Problem) else located.provider.tokens_parameter,
        parameters=cfg.parameters,
        tools=tools if tool_format is ToolFormat.NATIVE else (),
        grammar=grammar_of(shapes_of(tools), must_call=must_call) if profile.grammar and tool_format is ToolFormat.MARKDOWN else "",
        tool_format=tool_format,
    )


def examples_of(profile: ModelProfile, tools: tuple[ToolSpec, ...]) -> tuple[ExampleTurn, ...]:
    """The turns of the profile's worked examples whose tools are all offered."""
    names = tuple(tool.name for tool in tools)
    return tuple(turn for example in profile.examples if all(name in names for name in example.tools) for turn in example.turns)


def shapes_of(tools: tuple[ToolSpec, ...]) -> tuple[BlockShape, ...]:
    """How calls of ``tools`` look, for the grammar; a tool that is written as JSON only has no shape."""
    shaped = (tool for tool in tools if tool.header or tool.body)
    return tuple(BlockShape(name=tool.name, header=tool.header, body=tool.body or None, marks=tool.marks) for tool in shaped)
