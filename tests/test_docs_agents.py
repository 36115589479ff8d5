"""docs/agents.md says what is so: its files are read, its code runs, its events are those that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve
from returns.result import Success

from tests.test_docs import block
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, RunResult, ToolSpec, run
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.led_tools import led_tools
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.config.agents import AgentSpec, History
from turnfold.core.config.models import leading_agent, missing_agent
from turnfold.core.config.values import Limits, ModelProfile, Rule, Verdict
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.requests import RunProcess, StartChild
from turnfold.core.world.usage import Usage
from turnfold.shell.hooks import EVENT_NAMES
from turnfold.shell.world import World
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.wire import chat_stream

DOCUMENT = (Path(__file__).resolve().parents[1] / "docs" / "agents.md").read_text(encoding="utf-8")
CFG = ChatConfig(ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,))), workspace="/w", conversation="c")


def defined(of: str) -> Mapping[str, object]:
    """The names that the block defines in which ``of`` stands."""
    names: dict[str, object] = {}
    exec(compile(block(DOCUMENT, "python", of), "agents.md", "exec"), names)
    return names


def read(of: str) -> ChatConfig:
    """The config of the block in which ``of`` stands."""
    said = read_file_untrusted(block(DOCUMENT, "toml", of), "x.toml", "user")
    assert isinstance(said, Success), said
    return ChatConfig(ProjectConfig(Config(files=(said.unwrap().layer,))))


def test_the_agents_are_led_as_the_text_says() -> None:
    cfg = read("[agents.triage]")
    spec = leading_agent(cfg)
    assert spec is not None
    assert (spec.name, missing_agent(cfg), [tool.name for tool in led_tools(BUILTIN_TOOLS, cfg)]) == (
        "triage",
        None,
        ["transfer_to_billing"],
    )
    handed = evolve(cfg, agent="billing")
    assert [tool.name for tool in led_tools(BUILTIN_TOOLS, handed)] == ["clerk"]


def test_every_way_of_telling_is_in_the_table() -> None:
    assert re.findall(r"^\| `(\w+)` \| [a-z]", DOCUMENT, re.MULTILINE)[: len(History)] == [each.value for each in History]


def test_every_event_is_named_and_the_hook_is_read() -> None:
    told = DOCUMENT.partition("The events: ")[2].partition(".\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", told)) == EVENT_NAMES
    (hook,) = read("[hooks.notify]").hooks
    assert (hook.on, hook.timeout_s) == (("TurnEnded",), 5.0)


def bodies(world: World) -> list[str]:
    return [body.decode() for body in getattr(world.models, "bodies")]  # noqa: B009 - the fake's


def test_a_function_retells() -> None:
    short = defined("SHORT =")["SHORT"]
    assert isinstance(short, ToolSpec)
    agents = (AgentSpec(name="triage", handoffs=("billing",)), AgentSpec(name="billing"))
    calls = (chat_stream(calls=(RawCall("read", '{"path": "a.txt"}'),)), chat_stream(calls=(RawCall("transfer_to_billing", "{}"),)))
    world = fake_world((*calls, chat_stream("Well.")), {"/w/a.txt": "alpha\n"})
    run("My bill?", (*BUILTIN_TOOLS, short), evolve(CFG, agents=agents, agent="triage"), world)
    told = json.loads(bodies(world)[-1])["messages"]
    assert [message["role"] for message in told] == ["system", "user", "assistant", "user"]
    assert "My bill?" not in str(told)


def test_the_critic_is_asked_within_its_bounds() -> None:
    critic = defined("CRITIC =")["CRITIC"]
    assert isinstance(critic, ToolSpec)
    seen: list[object] = []
    world = fake_world((chat_stream(calls=(RawCall("critic", '{"input": "Is it good?"}'),)), chat_stream("No."), chat_stream("It is not.")))
    free = ModelProfile(pattern="scripted/*", input_usd=0.0, output_usd=0.0)
    cfg = evolve(CFG, agents=(AgentSpec(name="critic"),), models=(free,), rules=(Rule(Verdict.ALLOW, "child"),))
    result = run("Ask.", (*BUILTIN_TOOLS, critic), cfg, world, watch=seen.append)
    asked = [each.request for each in seen if isinstance(each, Perform) and isinstance(each.request, StartChild)]
    assert [(each.agent, each.tools, each.generations, each.usd) for each in asked] == [("critic", ("read",), 5, 0.10)]
    assert result.reply == "It is not."


@pytest.mark.parametrize(("used", "told"), [(79, False), (81, True)])
def test_the_frugal_says_so_in_time(used: int, told: bool) -> None:
    frugal = defined("FRUGAL =")["FRUGAL"]
    assert isinstance(frugal, ToolSpec)
    world = fake_world((chat_stream("Yes.", usage=Usage(input_tokens=used)), chat_stream("Yes.")))
    cfg = evolve(CFG, limits=Limits(tokens=100))
    first = run("one", (frugal,), cfg, world)
    run("two", (frugal,), cfg, world, state=first.state)
    assert ("come to an end" in bodies(world)[1]) == told


def test_rules_allow_what_they_name_and_say_something_at_the_end() -> None:
    names = defined("def allow_tests")
    make, rm = RawCall("shell", '{"command": "make test"}'), RawCall("shell", '{"command": "make clean"}')
    ended = ProcessEnded(exit_code=0, output="ok\n", cwd="/w")
    world = fake_world((chat_stream(calls=(make,)), chat_stream("Done."), chat_stream("I made them.")), commands={"make test": ended})
    result = run("Test.", BUILTIN_TOOLS, CFG, world, rules=(names["allow_tests"], names["then_sum_up"]))  # type: ignore[arg-type]
    assert (result.reply, result.state.past.turns, result.questions) == ("I made them.", 2, ())
    other = fake_world((chat_stream(calls=(rm,)),))
    paused = run("Test.", BUILTIN_TOOLS, CFG, other, rules=(names["allow_tests"], names["then_sum_up"]))  # type: ignore[arg-type]
    assert isinstance(paused, RunResult)
    assert [type(each.request) for each in paused.questions] == [RunProcess]
