"""Instructions that a program's functions give: where they stand, when they are asked, and what happens where they fail."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from tests.core.agent.scripted import after, call, log, problems, reasons, reply, sim
from turnfold.core.agent.events import Reason
from turnfold.core.agent.instructing import MOST_BYTES
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import ModelProfile
from turnfold.core.json import JsonObject
from turnfold.core.tools.extension import Extension, Situation
from turnfold.core.tools.spec import ToolSpec, extended
from turnfold.core.world.requests import CallModel
from turnfold.testing.moves import Command, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, finished, moved


def systems(done: Sim) -> list[str]:
    """What each model call was told first."""
    calls = (each for each in done.performs if isinstance(each.request, CallModel))
    return [json.loads(each.body)["messages"][0]["content"] for each in calls]


def says(*functions: object, agents: tuple[str, ...] = ()) -> tuple[ToolSpec, ...]:
    """The sample tools, with functions that give instructions."""
    return (*ALL_TOOLS, *(extended("x", Extension(agents=agents, instructions=each)) for each in functions))  # type: ignore[arg-type]


def place(situation: Situation, cfg: ChatConfig) -> str:
    return f"Turn {situation.turn}, call {situation.generation}, {len(situation.log)} messages, {cfg.workspace}, {dict(situation.memories.members)}"


def test_they_stand_last_and_follow_the_state_and_the_settings() -> None:
    cfg = evolve(CONFIG, instructions="Be brief.")
    done = finished(after(sim(reply("", call("count")), cfg=cfg, tools=says(place, lambda situation, cfg: "And kind.")), Say("go")))
    done = finished(moved(done, Say("more")))
    assert [told[told.index("# What the user wants") :] for told in systems(done)] == [
        "# What the user wants of you\n\nBe brief.\n\nTurn 1, call 1, 1 messages, /w, {}\n\nAnd kind.",
        f"# What the user wants of you\n\nBe brief.\n\nTurn 1, call 2, 3 messages, /w, {dict(done.state.past.memories.members)}\n\nAnd kind.",
        f"# What the user wants of you\n\nBe brief.\n\nTurn 2, call 1, 5 messages, /w, {dict(done.state.past.memories.members)}\n\nAnd kind.",
    ]
    assert isinstance(done.state.past.memories, JsonObject)


def test_they_count_while_their_agent_leads_and_a_small_models_own_instructions_leave_them() -> None:
    profile = ModelProfile(pattern="scripted/model", instructions="You are small.")
    cfg = evolve(CONFIG, agents=(AgentSpec(name="critic"),), models=(profile,))
    tools = says(lambda situation, cfg: f"You are {situation.agent}.", lambda situation, cfg: " ", agents=("critic",))
    done = finished(after(sim(cfg=cfg, tools=tools), Say("go")))
    done = finished(after(done, Command("/agent critic"), Say("go")))
    assert systems(done) == ["You are small.", "You are small.\n\nYou are critic."]


def raising(situation: Situation, cfg: ChatConfig) -> str:
    raise KeyError("what")


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (raising, "raised KeyError"),
        (lambda situation, cfg: 3, "gave int"),
        (lambda situation, cfg: "é" * MOST_BYTES, "gave more than 100,000 bytes"),
    ],
)
def test_one_that_fails_ends_the_turn_with_a_word_and_no_model_is_asked(function: object, what: str) -> None:
    done = finished(after(sim(tools=says(function)), Say("go")))
    assert (reasons(done), done.performs, len(log(done))) == ((Reason.FAILED,), (), 1)
    (problem,) = problems(done)
    assert what in problem.message
    assert "The model was not asked" in problem.message or "so the model was not asked" in problem.message


def test_nothing_or_none_adds_nothing_and_what_stays_the_same_keeps_the_requests_beginning() -> None:
    plain = finished(after(sim(reply("", call("count"))), Say("go")))
    same = finished(after(sim(reply("", call("count")), tools=says(lambda situation, cfg: None, lambda situation, cfg: "")), Say("go")))
    assert systems(plain) == systems(same)
    fixed = finished(after(sim(reply("", call("count")), tools=says(lambda situation, cfg: "Always this.")), Say("go")))
    first, second = (each.body for each in fixed.performs if isinstance(each.request, CallModel))
    assert second.startswith(first.removesuffix(b"]}"))
