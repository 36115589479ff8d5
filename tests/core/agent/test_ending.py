"""How turns end: replies that have to be JSON, tool choice, calls one after another, stop rules, and the last model call."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from attrs import evolve
from typing_extensions import override

from tests.core.agent.scripted import YES, after, call, closed, log, notices, problems, reasons, reply, results, sim
from tests.laws.comparison import assert_acceptable, assert_balanced, sent_bodies
from turnfold.core.agent.compaction import transcript
from turnfold.core.agent.effects import Document, Publish
from turnfold.core.agent.ending import ANSWER_NOW, verdict_on
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.agent.live import Plan
from turnfold.core.agent.requests import repeatable
from turnfold.core.agent.turn_events import Cause, ModelUrged
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import AtGenerations, Limits, ModelProfile, ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Stop
from turnfold.core.tools.extension import Answers, Extension, Situation, Stops
from turnfold.core.tools.spec import ToolSpec, extended
from turnfold.core.world.requests import CallModel
from turnfold.testing.moves import Command, Crash, Finish, Interrupt, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, PROVIDER, Sim, Stream, finished
from turnfold.testing.wire import chat_stream

CITY = JsonObject.of(
    type="object",
    properties=JsonObject.of(name=JsonObject.of(type="string"), people=JsonObject.of(type="integer")),
    required=("name", "people"),
    additionalProperties=False,
)
ULM = '{"name": "Ulm", "people": 126000}'
WRONG = '{"name": "Ulm", "people": "many"}'


def settings(*, holds_output: bool | None = None, **more: object) -> ChatConfig:
    """A config with these settings over the simulated one."""
    profile = ModelProfile(pattern="scripted/*", holds_output=holds_output)
    return evolve(CONFIG, rules=(YES,), models=(profile,), **cast(Any, more))


def said(cfg: ChatConfig, *replies: Stream, tools: tuple[ToolSpec, ...] = ALL_TOOLS) -> Sim:
    """A conversation under ``cfg`` whose first turn has these replies, at its end."""
    done = finished(after(sim(*replies, cfg=cfg, tools=tools), Say("go")))
    assert_balanced(done)
    assert fold(done.events) == done.state.past
    for body in sent_bodies(done):
        assert_acceptable(body)
    return done


def bodies(done: Sim) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(body) for body in sent_bodies(done))


def urged(done: Sim) -> tuple[ModelUrged, ...]:
    return tuple(event for event in done.events if isinstance(event, ModelUrged))


def ended(done: Sim) -> TurnEnded:
    return next(event for event in reversed(done.events) if isinstance(event, TurnEnded))


def brought(*, stops: Stops | None = None, at_limit: Answers | None = None, agents: tuple[str, ...] = ()) -> tuple[ToolSpec, ...]:
    return (*ALL_TOOLS, extended("mine", Extension(stops=stops, at_limit=at_limit, agents=agents)))


# Structured output


def test_a_reply_that_fits_its_schema_ends_the_turn() -> None:
    done = said(settings(output=CITY), reply(f"Here:\n```json\n{ULM}\n```"))
    assert (reasons(done), urged(done)) == ((Reason.COMPLETED,), ())


def test_a_reply_that_does_not_fit_is_written_again_and_the_model_is_told_why() -> None:
    done = said(settings(output=CITY), reply("It is Ulm."), reply(WRONG), reply(ULM))
    assert reasons(done) == (Reason.COMPLETED,)
    first, second = urged(done)
    assert first.text.startswith("The reply is not JSON")
    assert '- $.people must be an integer, not the string "many"' in second.text
    assert {first.cause, second.cause} == {Cause.REPAIR}
    told = tuple(message for message in log(done) if isinstance(message, UserMessage))
    assert [message.urged for message in told] == [False, True, True], "nobody takes it for the person's words"
    assert [str(perform.request_id) for perform in done.performs] == ["1.1.m.0", "1.2.m.0", "1.3.m.0"]


def test_the_last_reply_that_does_not_fit_fails_the_turn_with_what_was_wrong() -> None:
    done = said(settings(output=CITY, limits=Limits(repairs=1)), reply(WRONG), reply(WRONG), reply(ULM))
    assert reasons(done) == (Reason.FAILED,)
    problem = ended(done).problem
    assert problem is not None
    assert problem.code == "bad-output"
    assert "$.people must be an integer" in problem.message
    assert problems(done) == (problem,)


def test_tools_work_before_the_last_reply_and_between_repairs() -> None:
    read = reply("", call("read", path="a.txt"))
    done = said(settings(output=CITY), read, reply(WRONG), read, reply(ULM))
    assert (reasons(done), len(results(done)), len(urged(done))) == ((Reason.COMPLETED,), 2, 1)


def test_a_refusal_and_a_cut_reply_are_not_repaired() -> None:
    cut = Stream(chat_stream('{"name": "U', finish_reason="length"))
    cfg = settings(output=CITY)
    refusal = b'data: {"choices":[{"delta":{"refusal":"I can\'t."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    declined = said(cfg, Stream(refusal))
    assert (reasons(declined), urged(declined), log(declined)[-1].text) == ((Reason.REFUSED,), (), "I can't.")
    done = said(cfg, cut)
    assert (reasons(done), urged(done)) == ((Reason.CUT,), ())
    begun = after(sim(cfg=cfg), Say("go")).state
    assert begun.past.turn is not None
    assert verdict_on(begun.past, begun.past.turn, Stop.REFUSED, cfg, 0) is Reason.REFUSED


@pytest.mark.parametrize("form", [ToolFormat.MARKDOWN, ToolFormat.XML])
def test_a_model_that_calls_in_text_is_told_the_schema_and_its_calls_are_no_output(form: ToolFormat) -> None:
    calling = {ToolFormat.MARKDOWN: "```read a.txt\n```", ToolFormat.XML: "<tool-use>\n<read args='a.txt'/>\n</tool-use>"}[form]
    done = said(settings(output=CITY, tool_format=form, holds_output=True), reply(calling), reply(f"```json\n{ULM}\n```"))
    assert (reasons(done), len(results(done)), urged(done)) == ((Reason.COMPLETED,), 1, ())
    assert '"required":["name","people"]' in bodies(done)[0]["messages"][0]["content"]


def test_a_server_that_holds_replies_to_a_schema_is_given_it_and_the_model_no_words() -> None:
    held, told = (bodies(said(settings(output=CITY, holds_output=holds), reply(ULM)))[0] for holds in (True, None))
    assert held["response_format"]["type"] == "json_schema"
    assert "JSON Schema" not in held["messages"][0]["content"]
    assert "response_format" not in told
    assert "JSON Schema" in told["messages"][0]["content"]


def test_what_the_model_is_told_is_nobody_s_words_in_any_record_of_it() -> None:
    done = said(settings(output=CITY), reply(WRONG), reply(ULM))
    shown = after(done, Command("/log"), Command("/export"), Command("/export json"))
    assert "turnfold: The reply does not fit its schema" in notices(shown)[0]
    documents = [each.what.text for each in shown.effects if isinstance(each, Publish) and isinstance(each.what, Document)]
    assert "## turnfold" in documents[0]
    assert '"role":"turnfold"' in documents[1]
    assert "# The agent was told" in transcript(done.state.past, Plan(len(done.state.past.log)), ToolFormat.NATIVE)


def test_an_agent_says_what_its_replies_are_and_no_part_of_another_schema_is_left() -> None:
    spec = AgentSpec(name="mayor", output=JsonObject.of(type="object", properties=JsonObject.of(x=JsonObject.of(type="null"))))
    cfg = settings(output=CITY)
    led = evolve(cfg, project=ProjectConfig(Config(providers=(PROVIDER,), agents=(spec,), output=CITY)), agent="mayor")
    assert evolve(led, output=led._below[0].own_output).output == spec.output
    done = finished(after(sim(reply('{"x": null}'), cfg=evolve(cfg, agents=(spec,))), Command("/agent mayor"), Say("go")))
    assert (reasons(done), urged(done)) == ((Reason.COMPLETED,), ())


def test_no_reply_of_a_command_has_to_be_json() -> None:
    ran = finished(after(sim(cfg=settings(output=CITY)), Command("/shell ls")))
    done = finished(after(ran, Command("/impersonate Yes.")))
    assert reasons(done) == (Reason.COMPLETED, Reason.COMPLETED)


def test_a_repair_survives_a_crash_at_any_step() -> None:
    done = said(settings(output=CITY), reply(WRONG), reply(ULM))
    for count in range(1, len(done.history)):
        cut = evolve(done, history=done.history[:count], outstanding=(), state=done.history[count].before)
        back = finished(after(cut, Crash()))
        assert reasons(back) == (Reason.COMPLETED,)
        assert len(urged(back)) == 1


# Tool choice and parallel calls


def test_tool_choice_holds_for_the_first_call_of_each_turn_alone() -> None:
    cfg = settings(tool_choice="read")
    begun = Sim(tools=ALL_TOOLS, cfg=cfg, script=((reply("", call("read", path="a.txt")),), (reply("", call("read", path="b.txt")),)))
    done = finished(after(finished(after(begun, Say("one"))), Say("two")))
    assert [("tool_choice" in body, body.get("tool_choice") not in (None, "auto")) for body in bodies(done)] == [
        (True, True),
        (False, False),
        (True, True),
        (False, False),
    ]


def test_a_first_reply_that_calls_nothing_although_it_has_to_is_told_once() -> None:
    done = said(settings(tool_choice="required"), reply("I guess it is 3."), reply("It is 3."))
    assert reasons(done) == (Reason.COMPLETED,)
    assert [event.text for event in urged(done)] == ["Call a tool first: this has to be done before you answer."]
    named = said(settings(tool_choice="read"), reply("I guess."), reply("", call("read", path="a.txt")))
    assert urged(named)[0].text.startswith("Call the tool read first")
    assert len(results(named)) == 1


@pytest.mark.parametrize("form", list(ToolFormat))
def test_under_none_the_first_reply_calls_nothing(form: ToolFormat) -> None:
    calling = "Let me.\n```read a.txt\n```"
    done = said(
        settings(tool_choice="none", tool_format=form),
        reply(calling, *((call("read", path="a.txt"),) if form is ToolFormat.NATIVE else ())),
    )
    assert (reasons(done), results(done)) == ((Reason.COMPLETED,), ())


@pytest.mark.parametrize(
    ("more", "why"), [({"tool_choice": "raed"}, "no such tool is offered"), ({"stop_on": ("raed",)}, "there is no such tool")]
)
def test_a_name_that_no_tool_has_is_told_with_what_is_like_it(more: dict[str, Any], why: str) -> None:
    done = said(settings(**more), reply("Hi."))
    assert reasons(done) == (Reason.FAILED,)
    assert f"'raed', and {why}; did you mean read" in problems(done)[0].message
    assert problems(done)[0].path == f"$.{next(iter(more))}"
    assert not done.performs


def test_a_required_call_needs_a_tool_and_a_strange_name_gets_the_names() -> None:
    none = said(settings(tool_choice="required", tools=()), reply("Hi."))
    assert problems(none)[0].message == "tool_choice is required, and no tool is offered."
    strange = said(settings(tool_choice="zzz", tools=("read",)), reply("Hi."))
    assert problems(strange)[0].message.endswith("; there are auto, required, none, read.")


def test_a_grammar_is_that_of_the_chosen_tool() -> None:
    profile = ModelProfile(pattern="scripted/*", grammar=True)
    cfg = evolve(settings(tool_format=ToolFormat.MARKDOWN, tool_choice="read"), models=(profile,))
    first, second = bodies(said(cfg, reply("```read a.txt\n```"), reply("Done.")))
    assert '"```read"' in first["grammar"]
    assert "shell" not in first["grammar"]
    assert first["grammar"].startswith("root ::= block")
    assert "shell" in second["grammar"]
    free = bodies(said(evolve(cfg, tool_choice="none"), reply("Done.")))[0]
    assert "block" not in free["grammar"]


def test_calls_that_are_not_to_be_done_side_by_side_wait_for_each_other() -> None:
    three = reply("", call("read", path="a.txt"), call("read", path="b.txt"), call("pair", path="a.txt"))
    begun = after(sim(three, cfg=settings(parallel_calls=False)), Say("go"), Finish())
    assert [str(each.perform.request_id) for each in begun.outstanding] == ["1.1.0.0"]
    then = after(begun, Finish())
    assert [str(each.perform.request_id) for each in then.outstanding] == ["1.1.1.0"]
    done = finished(then)
    assert_balanced(done)
    assert len(results(done)) == 3
    beside = after(sim(three, cfg=settings(parallel_calls=True)), Say("go"), Finish())
    assert len(beside.outstanding) == 4


# Stop rules


def test_the_good_end_of_a_named_tool_is_the_turn_s() -> None:
    done = said(settings(stop_on=("read",)), reply("", call("shell", command="ls"), call("read", path="a.txt"), call("read", path="b.txt")))
    assert reasons(done) == (Reason.COMPLETED,)
    assert ended(done).call == "1.1.1", "the first one in the order asked"
    assert len(sent_bodies(done)) == 1
    assert [event.ends for event in sorted(closed(done), key=lambda event: event.slot)] == [False, True, True]


def test_any_tool_stops_under_a_star() -> None:
    done = said(settings(stop_on=("*",)), reply("", call("shell", command="ls"), call("read", path="a.txt")))
    assert ended(done).call == "1.1.0"


def test_where_a_call_of_the_round_failed_the_model_hears_of_it() -> None:
    done = said(settings(stop_on=("read",)), reply("", call("read", path="a.txt"), call("read", path="none.txt")), reply("One is missing."))
    assert (ended(done).call, len(sent_bodies(done))) == ("", 2)


def test_a_command_is_no_turn_that_a_rule_stops() -> None:
    tools = brought(stops=lambda situation, cfg: "Stop.")
    done = finished(after(sim(cfg=settings(stop_on=("*",)), tools=tools), Command("/shell ls")))
    assert (ended(done).call, ended(done).text, reasons(done)) == ("", "", (Reason.COMPLETED,))


def found(situation: Situation, cfg: ChatConfig) -> str | None:
    last = situation.log[-1]
    return f"Found in turn {situation.turn}." if isinstance(last, ToolMessage) and "alpha" in last.text else None


def test_a_function_of_the_program_stops_the_turn_with_its_text() -> None:
    done = said(settings(), reply("", call("read", path="b.txt")), reply("", call("read", path="a.txt")), tools=brought(stops=found))
    assert (reasons(done), ended(done).text, len(sent_bodies(done))) == ((Reason.COMPLETED,), "Found in turn 1.", 2)
    last = log(done)[-1]
    assert isinstance(last, AssistantMessage)
    assert (last.text, last.place) == ("Found in turn 1.", "1.3")
    more = finished(after(done, Say("and?")))
    assert_acceptable(sent_bodies(more)[-1])


def test_a_function_of_another_agent_is_not_asked() -> None:
    done = said(settings(), reply("", call("read", path="a.txt")), tools=brought(stops=found, agents=("reviewer",)))
    assert ended(done).text == ""


def test_a_function_that_fails_ends_the_turn_as_a_problem() -> None:
    def broken(situation: Situation, cfg: ChatConfig) -> str | None:
        raise ValueError("on purpose")

    def rubbish(situation: Situation, cfg: ChatConfig) -> str | None:
        return cast(str, 5)

    class SilentError(Exception):
        @override
        def __str__(self) -> str:
            raise ValueError("no text")

    def unprintable(situation: Situation, cfg: ChatConfig) -> str | None:
        raise SilentError

    raised = said(settings(), reply("", call("read", path="a.txt")), tools=brought(stops=broken))
    assert (reasons(raised), problems(raised)[0].code) == ((Reason.FAILED,), "extension-failed")
    assert "raised ValueError: on purpose" in problems(raised)[0].message
    silent = said(settings(), reply("", call("read", path="a.txt")), tools=brought(stops=unprintable))
    assert "raised SilentError." in problems(silent)[0].message
    gave = said(settings(), reply("", call("read", path="a.txt")), tools=brought(stops=rubbish))
    assert "gave int, and not a text or None" in problems(gave)[0].message


def test_an_interrupt_goes_before_a_rule() -> None:
    begun = after(sim(reply("", call("read", path="a.txt")), cfg=settings(), tools=brought(stops=found)), Say("go"), Finish(), Interrupt())
    assert reasons(finished(begun)) == (Reason.INTERRUPTED,)


# The last model call


READS = (reply("", call("read", path="a.txt")), reply("", call("read", path="b.txt")), reply("", call("read", path="a.txt")))


def test_a_turn_that_has_had_its_model_calls_answers_with_what_it_knows() -> None:
    cfg = settings(limits=Limits(generations=2, at_generations=AtGenerations.ANSWER))
    done = said(cfg, *READS[:2], reply("It says alpha."))
    assert reasons(done) == (Reason.COMPLETED,)
    assert [(event.cause, event.text) for event in urged(done)] == [(Cause.ANSWER, ANSWER_NOW)]
    assert bodies(done)[-1]["tool_choice"] == "none"
    assert log(done)[-1].text == "It says alpha."


@pytest.mark.parametrize("form", list(ToolFormat))
def test_a_call_in_the_last_answer_is_none(form: ToolFormat) -> None:
    cfg = settings(limits=Limits(generations=0, at_generations=AtGenerations.ANSWER), tool_format=form)
    calling = "I would.\n```read a.txt\n```"
    done = said(cfg, reply(calling, *((call("read", path="a.txt"),) if form is ToolFormat.NATIVE else ())))
    assert (reasons(done), results(done), len(sent_bodies(done))) == ((Reason.COMPLETED,), (), 1)


def test_an_answer_that_has_to_be_json_and_is_not_fails_the_turn() -> None:
    cfg = settings(output=CITY, limits=Limits(generations=1, at_generations=AtGenerations.ANSWER))
    done = said(cfg, READS[0], reply("Ulm."))
    assert reasons(done) == (Reason.FAILED,)
    assert said(cfg, READS[0], reply(ULM)).events[-1] == evolve(ended(said(cfg, READS[0], reply(ULM))), reason=Reason.COMPLETED)


def test_by_default_the_turn_ends_at_the_limit() -> None:
    done = said(settings(limits=Limits(generations=2)), *READS)
    assert (reasons(done), len(sent_bodies(done))) == ((Reason.LIMIT,), 2)


def test_a_function_of_the_program_answers_at_the_limit() -> None:
    tools = brought(at_limit=lambda situation, problem, cfg: f"Enough after {situation.generation - 1}: {problem.path}")
    done = said(settings(limits=Limits(generations=2, at_generations=AtGenerations.ANSWER)), *READS, tools=tools)
    assert (reasons(done), ended(done).text) == ((Reason.COMPLETED,), "Enough after 2: $.limits.generations")
    silent = said(settings(limits=Limits(generations=2)), *READS, tools=brought(at_limit=lambda situation, problem, cfg: None))
    assert reasons(silent) == (Reason.LIMIT,)


def test_a_function_that_fails_at_the_limit_is_told_with_it() -> None:
    def broken(situation: Situation, problem: object, cfg: ChatConfig) -> str | None:
        raise ValueError("on purpose")

    done = said(settings(limits=Limits(generations=1)), *READS, tools=brought(at_limit=broken))
    assert reasons(done) == (Reason.LIMIT,)
    assert "(limits.generations)" in problems(done)[0].message
    assert "raised ValueError: on purpose" in problems(done)[0].message


def test_another_limit_asks_nobody() -> None:
    tools = brought(at_limit=lambda situation, problem, cfg: "Enough.")
    done = finished(after(sim(cfg=settings(limits=Limits(turns=1)), tools=tools), Say("one"), *(3 * (Finish(),)), Say("two")))
    assert reasons(done)[-1] is Reason.LIMIT


def test_a_model_call_is_all_that_an_answer_takes() -> None:
    done = said(settings(limits=Limits(generations=1, at_generations=AtGenerations.ANSWER)), READS[0], reply("So."))
    assert all(repeatable(perform.request) for perform in done.performs)
    assert sum(isinstance(perform.request, CallModel) for perform in done.performs) == 2
