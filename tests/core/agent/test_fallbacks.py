"""Fallbacks: when a model failed for good, the next one is asked until the turn's end."""

from __future__ import annotations

import json

from attrs import evolve

from tests.core.agent.scripted import after, call, log, notices, problems, reasons, reply
from tests.laws.comparison import assert_balanced, assert_nothing_lost
from turnfold.core.agent.events import Reason
from turnfold.core.agent.inputs import SettingsChanged
from turnfold.core.agent.turn_events import FellBack
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.values import Limits, ModelProfile, Rule, ToolFormat, Verdict
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.journal import fold
from turnfold.core.problem import world_problem
from turnfold.core.world.requests import CallModel, Wait
from turnfold.testing.moves import Crash, Finish, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, DONE, PROVIDER, Sim, Stream, finished

REFUSED = world_problem("unauthorized", "The key is not taken.")
FAILS = Stream(b"", REFUSED)


def with_fallbacks(*names: str, cfg: ChatConfig = CONFIG) -> ChatConfig:
    return evolve(cfg, fallbacks=names)


def asking(cfg: ChatConfig, first: Stream, *more: Stream) -> Sim:
    return after(Sim(tools=ALL_TOOLS, cfg=cfg, script=((first, *more), (first, *more))), Say("go"))


def models(sim: Sim) -> list[str]:
    return [perform.request.model for perform in sim.performs if isinstance(perform.request, CallModel)]


def failing_then(*then: Stream) -> Stream:
    return evolve(FAILS, then=then)


def test_the_next_model_is_asked_until_the_turn_ends_and_then_the_first_again() -> None:
    cfg = with_fallbacks("scripted/second", "scripted/third")
    sim = finished(asking(cfg, failing_then(FAILS, reply("", call("read", path="a.txt")))))
    assert models(sim) == ["model", "second", "third", "third"]
    assert [event.model for event in sim.events if isinstance(event, FellBack)] == ["scripted/second", "scripted/third"]
    assert [json.loads(perform.body)["model"] for perform in sim.performs if perform.body] == models(sim)
    assert reasons(sim) == (Reason.COMPLETED,)
    assert notices(sim)[0] == "(The key is not taken. Asking scripted/second instead, until the turn's end.)"
    assert models(after(sim, Say("more")))[4:] == ["model"]
    assert_balanced(sim)
    assert_nothing_lost(sim.events)
    assert fold(sim.events) == sim.state.past


def test_each_has_its_own_tries() -> None:
    cfg = evolve(with_fallbacks("scripted/second"), providers=(evolve(PROVIDER, retries=1),))
    busy = Stream(b"", world_problem("overloaded", "Busy."))
    done = finished(asking(cfg, evolve(busy, then=(busy,))))
    assert models(done) == ["model", "model", "second", "second"]
    assert sum(isinstance(each.request, Wait) for each in done.performs) == 2
    assert reasons(done) == (Reason.FAILED,)


def test_one_that_can_not_be_called_is_skipped_with_a_word() -> None:
    cfg = with_fallbacks("no/such", "scripted/denied", "scripted/model", "scripted/third")
    cfg = evolve(cfg, rules=(Rule(Verdict.DENY, "model", "scripted/denied"),))
    done = finished(asking(cfg, failing_then(DONE)))
    assert models(done) == ["model", "third"]
    told = problems(done)
    assert [each.path for each in told] == ["$.fallbacks", "$.fallbacks"]
    assert told[0].message.startswith("The fallback no/such is skipped: ")
    only = finished(asking(with_fallbacks("no/such"), FAILS))
    assert (reasons(only), len(problems(only))) == ((Reason.FAILED,), 2)


def test_a_limit_of_money_skips_a_model_of_unknown_price() -> None:
    profile = ModelProfile(pattern="scripted/model", input_usd=1.0, output_usd=1.0)
    cfg = evolve(with_fallbacks("scripted/second"), limits=Limits(usd=1.0), models=(profile,))
    done = finished(asking(cfg, failing_then(DONE)))
    assert (models(done), problems(done)[0].code) == (["model"], "no-price")


def test_a_request_that_is_bad_is_sent_to_nobody_else() -> None:
    done = finished(asking(with_fallbacks("scripted/second"), Stream(b"", world_problem("refused", "No."))))
    assert (models(done), reasons(done)) == (["model"], (Reason.FAILED,))


def test_no_model_is_asked_that_the_settings_do_not_name() -> None:
    assert models(finished(asking(CONFIG, FAILS))) == ["model"]


def test_another_format_is_told_the_history_anew() -> None:
    cfg = evolve(with_fallbacks("scripted/text"), models=(ModelProfile(pattern="scripted/text", tool_format=ToolFormat.MARKDOWN),))
    first = reply("", call("read", path="a.txt"))
    done = finished(after(Sim(tools=ALL_TOOLS, cfg=cfg, script=((first, failing_then(DONE)),)), Say("go")))
    before, fallen = (
        json.loads(perform.body)
        for perform in done.performs
        if isinstance(perform.request, CallModel) and perform.request_id.generation == 2
    )
    assert ("tools" in before, "tools" in fallen) == (True, False)
    assert [each["role"] for each in fallen["messages"]].count("tool") == 0
    assert reasons(done) == (Reason.COMPLETED,)


def test_it_holds_over_a_crash() -> None:
    cfg = with_fallbacks("scripted/second")
    back = after(asking(cfg, failing_then(DONE)), Finish(), Crash())
    assert models(back) == ["model", "second", "second"]
    done = finished(back)
    assert reasons(done) == (Reason.COMPLETED,)
    assert_nothing_lost(done.events)


def test_a_model_that_the_person_chooses_meanwhile_comes_first() -> None:
    cfg = with_fallbacks("scripted/second")
    fallen = after(asking(cfg, failing_then(reply("", call("read", path="a.txt")))), Finish())
    chosen = finished(after(fallen, Wild(SettingsChanged(Overrides(model="scripted/mine"), 5))))
    assert models(chosen) == ["model", "second", "mine"]
    kept = finished(after(fallen, Wild(SettingsChanged(Overrides(temperature=0.5), 5))))
    assert models(kept) == ["model", "second", "second"]


def test_what_was_shown_of_a_reply_that_is_asked_for_elsewhere_is_not_kept() -> None:
    cut = Stream(b'data: {"choices":[{"index":0,"delta":{"content":"I have be"}}]}\n\n', REFUSED, (DONE,))
    done = finished(asking(with_fallbacks("scripted/second"), cut))
    assert [each.text for each in log(done) if isinstance(each, AssistantMessage)] == ["Done."]
    alone = finished(asking(CONFIG, evolve(cut, then=())))
    assert [each.text for each in log(alone) if isinstance(each, AssistantMessage)] == ["I have be"]
