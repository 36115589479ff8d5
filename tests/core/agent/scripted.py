"""Short ways to say what a model replies and what happens, for tests of the machine."""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.effects import Notice, Publish
from turnfold.core.agent.events import CallClosed, Reason, TurnEnded
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Limits, Rule, ToolFormat, Verdict
from turnfold.core.conversation.messages import Message, ToolMessage
from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.testing.moves import Move
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, Stream, walked
from turnfold.testing.wire import chat_stream

YES = Rule(Verdict.ALLOW)


def call(name: str, **arguments: JsonValue) -> RawCall:
    """A native call."""
    return RawCall(name, dumps(JsonObject.of(**arguments)))


def reply(text: str = "", *calls: RawCall) -> Stream:
    """A reply of text and native calls."""
    return Stream(chat_stream(text, calls))


def config(
    *rules: Rule,
    tool_format: ToolFormat = ToolFormat.NATIVE,
    limits: Limits = Limits(),  # noqa: B008 - a value
    model: str = "scripted/model",
) -> ChatConfig:
    """A config with these settings."""
    return evolve(CONFIG, rules=rules, tool_format=tool_format, limits=limits, model=model)


def sim(*replies: Stream, cfg: ChatConfig = CONFIG, tools: tuple[ToolSpec, ...] = ALL_TOOLS) -> Sim:
    """A conversation whose first turn has these replies."""
    return Sim(tools=tools, cfg=cfg, script=(replies,))


def after(begun: Sim, *moves: Move) -> Sim:
    """``begun`` after these moves."""
    return walked(begun, moves)


def log(done: Sim) -> tuple[Message, ...]:
    """What was said."""
    return tuple(done.state.past.log)


def results(done: Sim) -> tuple[str, ...]:
    """What the model reads of its calls."""
    return tuple(message.text for message in log(done) if isinstance(message, ToolMessage))


def closed(done: Sim) -> tuple[CallClosed, ...]:
    """How calls were closed, in the order of time."""
    return tuple(event for event in done.events if isinstance(event, CallClosed))


def reasons(done: Sim) -> tuple[Reason, ...]:
    """Why turns ended."""
    return tuple(event.reason for event in done.events if isinstance(event, TurnEnded))


def problems(done: Sim) -> tuple[Problem, ...]:
    """What the person was told that went wrong."""
    return tuple(each.what for each in done.effects if isinstance(each, Publish) and isinstance(each.what, Problem))


def notices(done: Sim) -> tuple[str, ...]:
    """What commands showed."""
    return tuple(each.what.text for each in done.effects if isinstance(each, Publish) and isinstance(each.what, Notice))
