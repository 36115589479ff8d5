"""What a model's profile changes: its tools, its examples, a call demanded, a call repeated, how many calls a turn has."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from turnfold import (
    BUILTIN_TOOLS,
    Answered,
    ChatConfig,
    ChatState,
    ChunkArrived,
    Config,
    ProjectConfig,
    Rule,
    Step,
    UserSaid,
    Verdict,
    step,
)
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.agent.state import offered, usable
from turnfold.core.config.values import ExampleTurn, Limits, ModelProfile, Provider, Role, ToolFormat, WorkedExample
from turnfold.core.journal import recorded
from turnfold.core.json import JsonObject
from turnfold.core.tools.builtin.read import READ
from turnfold.core.world.answers import Answer, ProcessEnded, StreamEnded
from turnfold.core.world.usage import Usage
from turnfold.testing.wire import chat_stream

EXAMPLES = (
    WorkedExample(turns=(ExampleTurn(Role.USER, "Say hi."), ExampleTurn(Role.ASSISTANT, "hi"))),
    WorkedExample(turns=(ExampleTurn(Role.USER, "Read it."),), tools=("read",)),
)
SMALL = ModelProfile(
    pattern="small/*",
    tool_format=ToolFormat.MARKDOWN,
    grammar=True,
    must_call=True,
    ends_on_repeat=True,
    instructions="Be small.",
    examples=EXAMPLES,
    tools=("shell", "save"),
    generations=3,
)
CFG = ChatConfig(
    ProjectConfig(Config(model="small/one", providers=(Provider(name="small", base_url="small:"),), models=(SMALL,))),
    workspace="/w",
    rules=(Rule(Verdict.ALLOW),),
)


def due(stepped: Step) -> Perform:
    (perform,) = (effect for effect in stepped.effects if isinstance(effect, Perform))
    return perform


def body(stepped: Step) -> dict[str, object]:
    read: dict[str, object] = json.loads(due(stepped).body)
    return read


def said(stepped: Step, text: str) -> Step:
    asked = due(stepped).request_id
    arrived = step(stepped.state, ChunkArrived(asked, chat_stream(text)), BUILTIN_TOOLS, CFG)
    return arrived if recorded(arrived) else step(arrived.state, Answered(asked, StreamEnded()), BUILTIN_TOOLS, CFG)


def answered(stepped: Step, answer: Answer) -> Step:
    return step(stepped.state, Answered(due(stepped).request_id, answer), BUILTIN_TOOLS, CFG)


def ran(code: int, output: str = "") -> ProcessEnded:
    return ProcessEnded(exit_code=code, output=output, cwd="/w")


def first() -> Step:
    return step(ChatState(), UserSaid("Do it.", context="Files: a.txt"), BUILTIN_TOOLS, CFG)


def ended(stepped: Step) -> Reason:
    (event,) = (event for event in recorded(stepped) if isinstance(event, TurnEnded))
    return event.reason


def demanded(stepped: Step) -> bool:
    grammar = body(stepped)["grammar"]
    assert isinstance(grammar, str)
    return "text" not in grammar.splitlines()[0]


LS = "```shell\nls\n```\n"


def test_examples_stand_before_the_conversation_where_their_tools_are_offered() -> None:
    messages = body(first())["messages"]
    assert messages == [
        {"role": "system", "content": "Be small."},
        {"role": "user", "content": "Say hi."},
        {"role": "assistant", "content": "hi"},
        {"role": "user", "content": "Files: a.txt\n\nDo it."},
    ]


def test_only_the_tools_that_the_profile_names_are_offered() -> None:
    grammar = str(body(first())["grammar"])
    assert "shell" in grammar
    assert "save" in grammar
    assert "python" not in grammar


def test_the_config_has_the_last_word_about_tools() -> None:
    cfg = ChatConfig(CFG.project, workspace="/w", tools=("python",))
    grammar = str(json.loads(due(step(ChatState(), UserSaid("Do it."), BUILTIN_TOOLS, cfg)).body)["grammar"])
    assert "python" in grammar
    assert "shell" not in grammar


def test_the_first_reply_and_the_one_after_a_failed_call_have_to_be_calls() -> None:
    asked = first()
    assert demanded(asked)
    after = answered(said(asked, LS), ran(0, "a.txt\n"))
    assert not demanded(after)
    after = answered(said(first(), LS), ran(1))
    assert demanded(after)


def test_a_call_that_the_turn_has_made_before_is_not_made_again_and_ends_it() -> None:
    other = "```shell\nls -la\n```\n"
    stepped = answered(said(first(), LS), ran(0, "a.txt\n"))
    stepped = answered(said(stepped, other), ran(0, "a.txt\n"))
    stepped = said(stepped, LS)
    assert ended(stepped) is Reason.COMPLETED
    assert stepped.state.idle


def test_a_call_of_an_earlier_turn_may_be_made_again() -> None:
    stepped = said(answered(said(first(), LS), ran(0, "a.txt\n")), "There is a.txt.")
    assert stepped.state.idle
    again = said(step(stepped.state, UserSaid("And now?"), BUILTIN_TOOLS, CFG), LS)
    assert not again.state.idle


def test_a_turn_has_as_many_model_calls_as_the_profile_or_the_limits_say_whichever_is_less() -> None:
    stepped = first()
    for number in range(3):
        stepped = answered(said(stepped, f"```shell\nls {number}\n```\n"), ran(0))
    assert ended(stepped) is Reason.LIMIT
    cfg = ChatConfig(CFG.project, workspace="/w", limits=Limits(generations=0))
    assert ended(step(ChatState(), UserSaid("Do it."), BUILTIN_TOOLS, cfg)) is Reason.LIMIT


def priced_run(model: str, now: ChatConfig) -> Usage:
    """The usage of a reply of ``model``, where the settings are ``now`` when it is over."""
    begun = step(ChatState(), UserSaid("Hi."), (), evolve(PRICED, model=model))
    asked = due(begun).request_id
    reply = chat_stream("Hi.", usage=Usage(input_tokens=1000, output_tokens=100, cached_tokens=400))
    arrived = step(begun.state, ChunkArrived(asked, reply), (), now)
    return step(arrived.state, Answered(asked, StreamEnded()), (), now).state.past.usage


PRICED = ChatConfig(
    ProjectConfig(
        Config(
            providers=(Provider(name="p", base_url="p:"), Provider(name="q", base_url="q:")),
            models=(
                ModelProfile(pattern="p/*", input_usd=10.0, cached_usd=1.0, output_usd=100.0),
                ModelProfile(pattern="q/*", input_usd=1.0),
            ),
        )
    )
)


def test_a_reply_costs_what_the_model_that_gave_it_does() -> None:
    other = evolve(PRICED, model="q/b")
    assert priced_run("p/a", other).cost_usd == pytest.approx((600 * 10 + 400 * 1 + 100 * 100) / 1e6)
    half = priced_run("q/b", evolve(PRICED, model="p/a"))
    assert half.cost_usd == pytest.approx(1000 / 1e6)
    assert half.unpriced_tokens == 100


def test_openai_s_reasoning_models_are_told_the_limit_in_their_word() -> None:
    begun = step(ChatState(), UserSaid("Hi."), (), ChatConfig(ProjectConfig(Config(model="openai/gpt-5-mini", max_tokens=7))))
    assert body(begun)["max_completion_tokens"] == 7


def test_parameters_of_the_settings_are_sent() -> None:
    begun = step(ChatState(), UserSaid("Hi."), (), evolve(CFG, parameters=JsonObject.of(top_p=0.5)))
    assert body(begun)["top_p"] == 0.5


def test_an_optional_tool_is_offered_only_where_it_is_named() -> None:
    tools = (READ, evolve(READ, name="rare", optional=True))
    cfg = ChatConfig(ProjectConfig(Config()))
    profile = ModelProfile(pattern="*")

    def told(cfg: ChatConfig, profile: ModelProfile = profile) -> tuple[str, ...]:
        return tuple(tool.name for tool in offered(usable(tools, cfg), cfg, profile))

    assert told(cfg) == ("read",)
    assert told(evolve(cfg, tools=("+rare",))) == ("read", "rare")
    assert told(evolve(cfg, tools=("rare",))) == ("rare",)
    assert told(cfg, evolve(profile, tools=("rare",))) == ("rare",)
    assert [tool.name for tool in usable(tools, cfg)] == ["read", "rare"]
