"""Settings of the running conversation: model, agent, rules, name."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import after, call, config, notices, problems, reply, sim
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import Permitted, Reconfigured, Renamed, RequestClosed
from turnfold.core.agent.state import ChatState, effective, questions
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig, agent_layer, no_agent
from turnfold.core.config.missing import DEFAULT
from turnfold.core.config.said import said
from turnfold.core.config.values import Limits, ModelProfile, Preset, Rule, Verdict
from turnfold.testing.moves import Command, Finish, Say
from turnfold.testing.simulated import CONFIG, PROVIDER, Sim, finished

READER = AgentSpec(name="reader", instructions="Read.", tools=("read",), limits=said(Limits, turns=3))
OTHER = AgentSpec(name="other", model="scripted/other", tools=("-python",))
BASE = Config(
    model="mini",
    providers=(PROVIDER,),
    agents=(READER, OTHER, AgentSpec(name="lost", model="no/x")),
    models=(ModelProfile(pattern="scripted/small", aliases=("mini",)),),
    limits=said(Limits, turns=9),
    instructions="Be kind.",
)
LED = ChatConfig(ProjectConfig(BASE, tools=("-shell",)), workspace="/w", conversation="c")


def now(done: Sim) -> ChatConfig:
    return effective(done.cfg, done.state.past)


def test_the_model_can_be_asked_for_and_changed_for_the_rest_of_the_conversation() -> None:
    done = finished(after(sim(), Command("/model"), Command("/model scripted/other"), Say("hi")))
    assert notices(done)[0] == "The model is scripted/model."
    assert b'"model":"other"' in done.performs[0].body
    assert problems(after(done, Command("/model nope/x")))[0].code == "unknown-model"
    assert notices(after(sim(cfg=config(model="")), Command("/model"))) == ("The model is not chosen.",)


def test_an_alias_is_recorded_as_the_model_that_it_means() -> None:
    done = after(sim(cfg=LED), Command("/model scripted/x"), Command("/model mini"), Command("/model"))
    assert [event.change.own_model for event in done.events if isinstance(event, Reconfigured)] == ["scripted/x", "scripted/small"]
    assert notices(done)[-1] == "The model is scripted/small."


def test_the_default_model_is_the_one_that_the_conversation_began_with() -> None:
    done = after(sim(cfg=LED), Command("/model scripted/x"), Command("/model default"))
    assert now(done).model == "scripted/small"
    led = after(sim(cfg=LED), Command("/agent other"), Command("/model scripted/x"), Command("/model default"))
    assert now(led).model == "scripted/other"
    none = after(sim(cfg=config(model="")), Command("/model scripted/x"), Command("/model default"))
    assert (now(none).model, none.events[-1]) == ("", Reconfigured(Overrides(model=DEFAULT), none.events[-1].at_ms))
    assert "No model is chosen" in notices(none)[-1]


def test_an_agent_leads_from_now_on_by_its_settings() -> None:
    done = after(sim(cfg=LED), Command("/agent reader"))
    assert done.events[-1] == Reconfigured(agent_layer(READER))
    assert (now(done).agent, now(done).tools, now(done).instructions, now(done).limits.turns) == ("reader", ("read",), "Read.", 3)
    assert now(done).model == "mini"


def test_one_agent_leads_at_a_time_and_none_leaves_what_holds_without() -> None:
    led = after(sim(cfg=LED), Command("/config limits.generations = 7"), Command("/agent reader"))
    other = after(led, Command("/agent other"))
    assert (now(other).agent, now(other).model, now(other).tools) == ("other", "scripted/other", ("-shell", "-python"))
    assert (now(other).instructions, now(other).limits.turns, now(other).limits.generations) == ("Be kind.", 9, 7)
    chosen = after(other, Command("/model scripted/x"), Command("/agent none"))
    assert (now(chosen).agent, now(chosen).model, now(chosen).tools) == ("", "scripted/x", ("-shell",))
    none = after(other, Command("/agent none"))
    without = evolve(LED, overrides=tuple(each for each in none.state.past.overrides if not each.origin.place))
    for name in ("model", "tools", "instructions", "limits"):
        assert getattr(now(none), name) == getattr(without, name)


def test_the_agent_of_the_config_is_put_down_too_and_can_lead_again() -> None:
    cfg = evolve(LED, agent="reader")
    assert (cfg.tools, cfg.limits.turns) == (("read",), 3)
    none = after(sim(cfg=cfg), Command("/agent none"))
    assert (now(none).agent, now(none).tools, now(none).limits.turns) == ("", ("-shell",), 9)
    assert none.events[-1] == Reconfigured(no_agent())
    again = after(none, Command("/agent reader"))
    assert (now(again).agent, now(again).tools) == ("reader", ("read",))
    assert now(after(again, Say("hi"), Finish(), Finish(), Command("/undo"))).agent == "reader"


def test_agents_are_listed_with_the_one_that_leads() -> None:
    listed = notices(after(sim(cfg=LED), Command("/agent other"), Command("/agent")))[-1].split("\n")
    assert listed == ["  reader  Read.", "* other   (scripted/other)", "  lost    (no/x)", "  none"]
    assert "[agents.NAME]" in notices(after(sim(), Command("/agent")))[0]


@pytest.mark.parametrize(
    ("line", "code"), [("/agent raeder", "unknown-agent"), ("/agent lost", "unknown-model"), ("/model x", "unknown-model")]
)
def test_who_is_not_there_or_cannot_lead_is_refused(line: str, code: str) -> None:
    done = after(sim(cfg=LED), Command(line))
    assert (problems(done)[0].code, done.state) == (code, ChatState())
    assert line != "/agent raeder" or "did you mean reader?" in problems(done)[0].message
    assert line != "/agent lost" or problems(done)[0].message.startswith("The agent lost can't lead.")


def test_what_is_allowed_is_not_asked_for_and_what_waits_is_done() -> None:
    waiting = after(sim(reply("", call("shell", command="make"), call("shell", command="rm x"))), Say("go"), Finish())
    assert len(questions(waiting.state.past)) == 1  # shell is serial
    done = after(waiting, Command("/allow run mak*"))
    assert [type(event) for event in done.journal[-1]] == [Reconfigured, Permitted]
    assert any(isinstance(effect, Perform) for effect in done.history[-1].step.effects)
    assert notices(done)[-1] == "From now on this is allowed: run mak*"
    assert now(done).rules == (Rule(Verdict.ALLOW, "run", "mak*"),)
    still = after(waiting, Command("/allow write"), Command("/permission edit"))
    assert questions(still.state.past) == questions(waiting.state.past)


def test_the_preset_is_told_and_changed() -> None:
    told = after(sim(), Command("/permission"))
    assert [line[:3] for line in notices(told)[0].split("\n")] == ["  r", "* a", "  e", "  a"]
    waiting = after(sim(reply("", call("shell", command="make"))), Say("go"), Finish())
    done = after(waiting, Command("/permission all"))
    assert [type(event) for event in done.journal[-1]] == [Reconfigured, Permitted]
    assert (now(done).permission, notices(done)[-1].partition(":")[0]) == (Preset.ALL, "The preset is now all")
    strict = after(waiting, Command("/permission read-only"))
    assert [type(event) for event in strict.journal[-1]][:2] == [Reconfigured, RequestClosed]
    wrong = after(sim(), Command("/permission al"))
    assert "did you mean all?" in problems(wrong)[0].message
    assert "read-only, ask, edit, all" in problems(wrong)[0].message


def test_rules_are_listed_with_their_layer() -> None:
    deny, ask = Rule(Verdict.DENY, "write", "*.env"), Rule(Verdict.ASK, "read", "/etc/*")
    cfg = ChatConfig(ProjectConfig(Config(rules=(deny,)), rules=(ask,)), rules=(ask,), overrides=(Overrides(rules=(deny,)),))
    done = after(sim(cfg=cfg), Command("/allow run git *"), Command("/allow"))
    assert [line.split("  ")[0] for line in notices(done)[-1].split("\n")][:2] == ["allow run git *", "deny write *.env"]
    assert [line.split()[-1] for line in notices(done)[-1].split("\n")] == ["chat", "chat", "chat", "project", "user"]
    assert "no rules" in notices(after(sim(), Command("/allow")))[0]
    led = after(sim(cfg=LED), Command("/allow runn"))
    assert "did you mean run?" in problems(led)[0].message
    assert led.state == ChatState()


def test_a_place_is_named_with_its_layer() -> None:
    origin = evolve(Overrides().origin, layer="user", place="/h/config.toml")
    cfg = ChatConfig(ProjectConfig(Config(files=(Overrides(rules=(Rule(Verdict.ASK),), origin=origin),))))
    assert notices(after(sim(cfg=cfg), Command("/allow"))) == ("ask * *  from user (/h/config.toml)",)


def test_a_conversation_has_a_name_whatever_is_taken_back() -> None:
    done = finished(after(sim(cfg=evolve(CONFIG, name="old")), Say("hi")))
    assert notices(after(done, Command("/rename")))[-1] == "The conversation is called old."
    named = after(done, Command("/rename  A better\nname "), Command("/undo"))
    assert (named.state.past.name, notices(after(named, Command("/rename")))[-1]) == (
        "A better name",
        "The conversation is called A better name.",
    )
    assert any(isinstance(event, Renamed) for event in named.events)
    assert "has no name" in notices(after(sim(), Command("/rename")))[0]
    assert problems(after(sim(), Command("/rename " + 101 * "x")))[0].code == "bad-argument"


def test_settings_of_a_fresh_conversation_start_it() -> None:
    for line in ("/rename x", "/allow run", "/model scripted/x", "/agent other", "/config max_tokens = 9"):
        assert after(sim(cfg=LED), Command(line)).state.past.started
