"""An agent as a tool: what it asks of the world, and what its caller is told."""

from __future__ import annotations

import pytest
from hypothesis import given

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits
from turnfold.core.json import JsonObject
from turnfold.core.problem import world_problem
from turnfold.core.tools.advance import advance_untrusted
from turnfold.core.tools.agent_tool import ABOUT_CHARS, NAME_CHARS, UNFIT, agent_tool, fit_name
from turnfold.core.tools.spec import Call, Done, Need, Next, Refuse, ToolSpec
from turnfold.core.world.answers import Answer, ChildEnded, Exchange
from turnfold.core.world.requests import StartChild
from turnfold.testing.strategies import texts

CFG = ChatConfig(ProjectConfig(Config(limits=Limits(output_bytes=100))))
CRITIC = AgentSpec(name="critic", instructions="Be strict.\nAnd fair.")


def said(tool: ToolSpec, text: str, *outcomes: Answer) -> Next:
    call = Call(JsonObject.of(input=text))
    for outcome in outcomes:
        due = advance_untrusted(tool.name, tool, call, (tool,), CFG)
        assert isinstance(due, Need)
        call = Call(call.arguments, (Exchange(due.requests[0], outcome),))
    return advance_untrusted(tool.name, tool, call, (tool,), CFG)


def test_a_call_starts_a_child_that_the_agent_leads_within_what_the_tool_says() -> None:
    tool = agent_tool(CRITIC, tools=("read",), generations=3, tokens=100, usd=0.5)
    assert said(tool, "Is it good?") == Need(
        (StartChild(task="Is it good?", agent="critic", tools=("read",), generations=3, tokens=100, usd=0.5),)
    )


def test_its_answer_is_the_output_and_an_end_that_is_none_says_where_it_stands() -> None:
    tool = agent_tool("critic")
    assert said(tool, "x", ChildEnded(conversation="c~1", text="It is good.\n", ok=True)) == Done("It is good.")
    assert said(tool, "x", ChildEnded(conversation="c~1", text="", ok=True)) == Done("(it said nothing)")
    assert said(tool, "x", ChildEnded(conversation="c~1", text="No model.", ok=False)) == Done(
        "It did not finish. No model.\n(conversation c~1)", ok=False
    )
    long = said(tool, "x", ChildEnded(conversation="c~1", text="a" * 10_000, ok=True))
    assert isinstance(long, Done)
    assert len(long.text) < 200


def test_a_problem_is_told_as_it_is_and_nothing_is_asked_for_nothing() -> None:
    tool, problem = agent_tool("critic"), world_problem("too-deep", "No.")
    need = said(tool, "x")
    assert isinstance(need, Need)
    assert tool.advance(Call(JsonObject.of(input="x"), (Exchange(need.requests[0], problem),)), CFG) == Refuse(problem)
    refused = said(tool, "  ")
    assert isinstance(refused, Refuse)
    assert refused.problem.code == "no-task"


@pytest.mark.parametrize(
    ("agent", "about"),
    [
        (CRITIC, "Be strict."),
        (AgentSpec(name="critic", instructions="Be strict.", description="Finds faults. "), "Finds faults."),
        (AgentSpec(name="critic"), "Have the agent critic do something, and get its answer."),
        ("critic", "Have the agent critic do something, and get its answer."),
    ],
)
def test_it_says_who_the_agent_is(agent: AgentSpec | str, about: str) -> None:
    assert agent_tool(agent).description == about
    assert (agent_tool(agent, name="judge", description="Judges.").name, agent_tool(agent, description="Judges.").description) == (
        "judge",
        "Judges.",
    )


def test_equal_agents_make_equal_tools() -> None:
    assert agent_tool(CRITIC) == agent_tool(AgentSpec(name="critic", instructions="Be strict.\nAnd fair."))
    assert agent_tool(CRITIC) != agent_tool(CRITIC, tokens=1)


@given(texts())
def test_every_name_and_text_makes_a_tool_that_providers_take(text: str) -> None:
    name = fit_name(text)
    assert len(name) <= NAME_CHARS
    assert not UNFIT.search(name)
    assert len(agent_tool(AgentSpec(name="x", description=text)).description) <= max(ABOUT_CHARS, 60)
