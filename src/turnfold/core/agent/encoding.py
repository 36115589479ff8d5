"""The request's bytes: every message is encoded once, and a request joins what is there.

``live`` keeps the encoded messages, and the head of the request with the config and the tools that it is good for. A change
of those makes another head; only a change of the call format encodes the messages anew, since they depend on nothing else.
"""

from __future__ import annotations

from turnfold.core.agent.live import Encoded
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import find_provider, format_of, profile_of
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.log import Log
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
    head = kept.head if kept is not None and kept.cfg == cfg and kept.tools == tools else _head(tools, cfg)
    parts = kept.parts if kept is not None and kept.head.tool_format is head.tool_format else Log()
    for index in range(len(parts), len(log)):
        parts = parts.append(CHAT.encode_message(log[index], head.tool_format))
    return Encoded(cfg=cfg, tools=tools, head=head, parts=parts)


def request_body(encoded: Encoded) -> bytes:
    """The body of a model call; linear in its own bytes."""
    return CHAT.encode_request(encoded.head, encoded.parts)


def _head(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Head:
    profile = profile_of(cfg)
    tool_format = format_of(cfg)
    located = find_provider(cfg)
    return Head(
        model="" if isinstance(located, Problem) else located.model,
        system=system_prompt(cfg, tools, tool_format, profile.instructions),
        temperature=cfg.temperature if cfg.temperature is not None else profile.temperature,
        max_tokens=cfg.max_tokens if cfg.max_tokens is not None else profile.max_tokens,
        tools=tools if tool_format is ToolFormat.NATIVE else (),
        grammar=grammar_of(shapes_of(tools)) if profile.grammar and tool_format is ToolFormat.MARKDOWN else "",
        tool_format=tool_format,
    )


def shapes_of(tools: tuple[ToolSpec, ...]) -> tuple[BlockShape, ...]:
    """How calls of ``tools`` look, for the grammar; a tool that is written as JSON only has no shape."""
    shaped = (tool for tool in tools if tool.header or tool.body)
    return tuple(BlockShape(name=tool.name, header=tool.header, body=tool.body or None, marks=tool.marks) for tool in shaped)
