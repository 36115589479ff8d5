"""Handoffs: who leads from when on, what they are told, and what takes it back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agent.scripted import YES, after, call, config, log, notices, problems, reasons, reply, results, sim
from turnfold.core.agent.encoding import encoded_for, request_body
from turnfold.core.agent.events import Reason
from turnfold.core.agent.led_tools import Transfer, at_hand, led_tools
from turnfold.core.agent.retelling import retold
from turnfold.core.agent.state import ChatState, effective
from turnfold.core.agent.turn_events import HandedOff
from turnfold.core.codec.codec import EVENT, decode_untrusted, encode
from turnfold.core.config.agents import AgentSpec, History
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import profile_of
from turnfold.core.config.said import said
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import Limits, Provider, Rule, ToolFormat, Verdict, Wire
from turnfold.core.conversation.messages import AssistantMessage, Message, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.tools.extension import Extension
from turnfold.core.tools.spec import Call, Refuse, extended
from turnfold.core.world.requests import CallModel
from turnfold.testing.moves import Command, Crash, Finish, Interrupt, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, Stream, finished

TRIAGE = AgentSpec(name="triage", instructions="Find who can help.", handoffs=("billing", "legal.de", "lost"), tools=("read",))
BILLING = AgentSpec(name="billing", instructions="Know all bills.", model="scripted/other", handoffs=("triage",), tools=("read", "shell"))
LEGAL = AgentSpec(name="legal.de", description="Knows the law.", history=History.FILTERED, limits=said(Limits, generations=9))
LOST = AgentSpec(name="lost", model="no/such")
AGENTS = (TRIAGE, BILLING, LEGAL, LOST)
READ = call("read", path="a.txt")
TO_BILLING = call("transfer_to_billing", reason="They ask for a bill.")
TO_LEGAL = call("transfer_to_legal_de")


def led(*agents: AgentSpec, agent: str = "triage", tool_format: ToolFormat = ToolFormat.NATIVE) -> ChatConfig:
    return evolve(config(YES, tool_format=tool_format), agents=agents or AGENTS, agent=agent)


def handed(done: Sim) -> tuple[HandedOff, ...]:
    return tuple(event for event in done.events if isinstance(event, HandedOff))


def bodies(done: Sim) -> list[Mapping[str, object]]:
    return [json.loads(each.body) for each in done.performs if isinstance(each.request, CallModel)]


def roles(body: Mapping[str, object]) -> list[str]:
    messages = body["messages"]
    assert isinstance(messages, list)
    return [message["role"] for message in messages]


def messages_of(body: Mapping[str, object]) -> list[object]:
    """The messages, the system's apart."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return messages[1:]


def texts(body: Mapping[str, object]) -> str:
    return json.dumps(body["messages"], ensure_ascii=False)


def names(body: Mapping[str, object]) -> list[str]:
    tools = body.get("tools", [])
    assert isinstance(tools, list)
    return [tool["function"]["name"] for tool in tools]


def test_the_new_agent_leads_from_the_next_model_call_on_for_the_rest_of_the_conversation() -> None:
    done = finished(after(sim(reply("", TO_BILLING), cfg=led()), Say("My bill?")))
    done = finished(after(done, Say("And now?")))
    first, second, third = bodies(done)
    assert (first["model"], second["model"], third["model"]) == ("model", "other", "other")
    assert names(first) == ["read", "transfer_to_billing", "transfer_to_legal_de", "transfer_to_lost"]
    assert names(second) == ["read", "shell", "transfer_to_triage"]
    assert "Know all bills." in texts(second)
    assert "Find who can help." not in texts(second)
    assert [messages_of(first), messages_of(second)] == [messages_of(second)[:1], messages_of(third)[:3]]  # what was told stays as it was
    assert results(done) == ("billing leads the conversation from here on.",)
    assert [(event.agent, event.call, event.told) for event in handed(done)] == [("billing", "1.1.0", None)]
    assert reasons(done) == (Reason.COMPLETED, Reason.COMPLETED)


def test_what_is_offered_says_who_the_agent_is() -> None:
    tools = {tool.name: tool.description for tool in led_tools(ALL_TOOLS, led())}
    assert tools["transfer_to_billing"] == "Hand the conversation to billing, who leads it from then on. Know all bills."
    assert tools["transfer_to_legal_de"].endswith("Knows the law.")
    assert tools["transfer_to_lost"].endswith("from then on.")
    assert led_tools(ALL_TOOLS, led()) == led_tools(ALL_TOOLS, led())  # so that a request's beginning is kept
    assert led_tools(ALL_TOOLS, led(agent="")) == led_tools(ALL_TOOLS, led(agent="lost")) == ()


def test_a_name_that_is_taken_stays_whose_it_is() -> None:
    odd = AgentSpec(name="read", handoffs=("a.b", "a_b", "a-b", "x" * 80), helpers=("read", "read"))
    agents = (odd, *(AgentSpec(name=name) for name in ("a.b", "a_b", "a-b", "x" * 80)))
    found = [tool.name for tool in at_hand(ALL_TOOLS, led(*agents, agent="read"))]
    assert len(found) == len(set(found))
    assert all(len(name) <= 64 for name in found)
    assert found[len(ALL_TOOLS) :][:2] == ["transfer_to_a_b", "transfer_to_a_b_agent"]
    assert found[-2:] == ["read_agent", "read_agent2"]


@pytest.mark.parametrize("crash", [False, True])
def test_of_several_handoffs_the_first_in_order_counts_and_all_other_calls_are_made(crash: bool) -> None:
    begun = after(sim(reply("", READ, TO_LEGAL, TO_BILLING, READ), cfg=led()), Say(), Finish())
    done = finished(after(begun, *((Crash(),) if crash else ())))
    assert [event.agent for event in handed(done)] == ["legal.de"]
    assert [text.partition("\n")[0] for text in results(done)] == [
        "a.txt (1 line):",
        "legal.de leads the conversation from here on.",
        "Error: The conversation is handed to legal.de already: one call of a round can do that, and the first one counts.",
        "a.txt (1 line):",
    ]


def test_a_handoff_that_is_refused_leaves_the_next_one_its_turn() -> None:
    done = finished(after(sim(reply("", call("transfer_to_lost"), TO_BILLING), cfg=led()), Say()))
    assert results(done)[0].startswith("Error: The agent lost can't lead. There is no provider")
    assert [event.agent for event in handed(done)] == ["billing"]


def test_an_agent_that_is_not_there_is_told_with_what_was_meant() -> None:
    done = finished(after(sim(reply("", call("transfer_to_biling")), cfg=led()), Say()))
    assert results(done)[0].startswith('Error: There is no tool "transfer_to_biling". Did you mean transfer_to_billing')
    for odd, place in ((evolve(TRIAGE, handoffs=("biling",)), "handoffs"), (evolve(TRIAGE, handoffs=(), helpers=("biling",)), "helpers")):
        wrong = finished(after(sim(cfg=led(odd, BILLING)), Say()))
        assert [str(problem) for problem in problems(wrong)] == [
            f"There is no agent 'biling'; did you mean billing? @ $.agents.triage.{place}"
        ]
    gone = finished(after(sim(reply("", TO_BILLING), cfg=led()), Say(), Finish()))
    assert [event.agent for event in handed(gone)] == ["billing"]


def test_undo_takes_the_handoff_back_and_redo_brings_it_again() -> None:
    cfg = led()
    done = finished(after(sim(reply("", TO_LEGAL), cfg=cfg), Say("one")))
    back = after(done, Command("/undo"))
    again = after(back, Command("/redo"))
    assert [effective(cfg, each.state.past).agent for each in (done, back, again)] == ["legal.de", "triage", "legal.de"]
    assert [each.state.past.summary is None for each in (done, back, again)] == [False, True, False]
    assert fold(again.events) == again.state.past


def test_back_and_forth_ends_with_the_limit_of_model_calls() -> None:
    forth, back = reply("", TO_BILLING), reply("", call("transfer_to_triage"))
    cfg = evolve(led(), limits=Limits(generations=5))
    done = finished(after(sim(*(4 * (forth, back)), cfg=cfg), Say()))
    assert (len(handed(done)), reasons(done)) == (5, (Reason.LIMIT,))


def test_an_interrupt_keeps_what_was_said_and_a_person_may_hand_over_too() -> None:
    ask = evolve(led(), rules=(Rule(Verdict.ASK),))
    stopped = finished(
        after(sim(reply("", call("shell", command="ls"), TO_BILLING), cfg=evolve(ask, tools=("shell",))), Say(), Finish(), Interrupt())
    )
    assert [event.agent for event in handed(stopped)] == ["billing"]
    commanded = finished(after(sim(cfg=led()), Say("one"), Finish(), Command("/transfer_to_legal_de"), Say("two")))
    assert [event.agent for event in handed(commanded)] == ["legal.de"]
    assert roles(bodies(commanded)[-1]) == ["system", "user", "assistant", "user", "assistant", "user"]


@pytest.mark.parametrize("tool_format", list(ToolFormat))
@pytest.mark.parametrize("history", [History.FILTERED, History.NESTED])
def test_what_is_told_has_no_calls_and_roles_take_turns_and_requests_grow_at_their_end(tool_format: ToolFormat, history: History) -> None:
    spec = evolve(BILLING, history=history, handoffs=())
    written = {
        ToolFormat.NATIVE: (reply("I look.", READ), reply("It is theirs.", TO_BILLING)),
        ToolFormat.MARKDOWN: (
            reply("I look.\n```read a.txt\n```"),
            reply("It is theirs.\n```transfer_to_billing\nThey ask for a bill.\n```"),
        ),
        ToolFormat.XML: (
            reply("I look.\n<tool-use><read args='a.txt'/></tool-use>"),
            reply("It is theirs.\n<tool-use>\n<transfer_to_billing>They ask for a bill.</transfer_to_billing>\n</tool-use>"),
        ),
    }[tool_format]
    cfg = led(evolve(TRIAGE, handoffs=("billing",)), spec, tool_format=tool_format)
    done = finished(after(sim(*written, cfg=cfg), Say("My bill?")))
    done = finished(after(done, Say("And now?")))
    told, later = bodies(done)[2:]
    assert roles(told) == (["system", "user", "assistant", "user"] if history is History.FILTERED else ["system", "user"])
    assert ("alpha" in texts(told)) == (history is History.NESTED)
    assert "I look." in texts(told)
    assert "It is theirs." in texts(told)
    assert '"tool_calls"' not in texts(told)
    assert "(The conversation was handed to you, billing by triage. The reason: They ask for a bill." in texts(told)
    assert texts(later).startswith(texts(told)[:-1])
    assert len(log(done)) == 8  # which keeps all


def last_words(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return messages[-1:]


def raising(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    raise KeyError("secret")


def rubbish(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return ["x"]  # type: ignore[return-value]


def mixed(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return (*messages, "x")  # type: ignore[arg-type]


def test_a_program_says_what_is_told_and_to_whom() -> None:
    retold = extended("short", Extension(agents=("billing",), retells=last_words))
    other = extended("other", Extension(agents=("legal.de",), retells=raising))
    begun = sim(reply("I look.", READ), reply("", TO_BILLING), cfg=led(), tools=(*ALL_TOOLS, other, retold))
    done = finished(after(begun, Say("My bill?")))
    (event,) = handed(done)
    assert event.told is not None
    assert "billing leads the conversation" in event.told[0].text
    assert roles(bodies(done)[-1]) == ["system", "user"]
    assert problems(done) == ()
    assert decode_untrusted(EVENT, encode(EVENT, event)).unwrap() == event


@pytest.mark.parametrize("retells", [raising, rubbish, mixed])
def test_where_the_function_fails_no_more_is_told_than_the_persons_last_words(retells: object) -> None:
    retold = extended("bad", Extension(retells=retells))  # type: ignore[arg-type]
    done = finished(after(sim(reply("I look.", READ), reply("", TO_BILLING), cfg=led(), tools=(*ALL_TOOLS, retold)), Say("My bill?")))
    assert "alpha" not in texts(bodies(done)[-1])
    assert "My bill?" in texts(bodies(done)[-1])
    assert [problem.code for problem in problems(done)] == ["extension-failed"]
    assert "secret" not in problems(done)[0].message
    assert reasons(done) == (Reason.COMPLETED,)


def test_what_is_told_after_a_second_handoff_is_made_of_what_was_told_before() -> None:
    third = AgentSpec(name="third", history=History.NESTED)
    legal = evolve(LEGAL, handoffs=("third",))
    cfg = led(evolve(TRIAGE, handoffs=("legal.de",)), legal, third)
    done = finished(after(sim(reply("", READ), reply("", TO_LEGAL), reply("", call("transfer_to_third")), cfg=cfg), Say("Well?")))
    assert [event.agent for event in handed(done)] == ["legal.de", "third"]
    last = bodies(done)[-1]
    assert roles(last) == ["system", "user"]
    assert "alpha" not in texts(last)  # which the second was not told, either
    assert "was handed to you, legal.de by triage" in texts(last)


@given(
    st.lists(st.sampled_from((READ, TO_BILLING, TO_LEGAL, call("transfer_to_lost"), call("nope"))), min_size=1, max_size=5), st.randoms()
)
def test_the_order_of_answers_leaves_no_trace_in_who_leads(calls: list[object], chance: object) -> None:
    begun = after(sim(Stream(reply("", *calls).data), cfg=led()), Say(), Finish())  # type: ignore[arg-type]
    there = finished(begun)
    back = begun
    while back.outstanding and not isinstance(back.outstanding[0].perform.request, CallModel):
        back = after(back, Finish(len(back.outstanding) - 1))
    assert [event.agent for event in handed(finished(back))] == [event.agent for event in handed(there)]
    assert results(finished(back)) == results(there)


def test_a_summary_of_what_was_handed_over_tells_nothing_that_was_left_out() -> None:
    kept = Compaction(keep_turns=0)
    cfg = evolve(led(evolve(TRIAGE, handoffs=("legal.de",)), LEGAL), compaction=kept)
    done = finished(after(sim(reply("I look.", READ), reply("Over to you.", TO_LEGAL), reply("It is legal."), cfg=cfg), Say("Well?")))
    done = finished(after(done, Command("/compact")))
    asked = texts(bodies(done)[-1])
    assert "It is legal." in asked
    assert "Over to you." in asked
    assert "was handed to you, legal.de by triage" in asked
    assert "alpha" not in asked
    summary = done.state.past.summary
    assert summary is not None
    assert (summary.messages, summary.pinned) == ((), ())
    after_all = bodies(finished(after(done, Say("And now?"))))[-1]
    assert roles(after_all) == ["system", "user", "assistant", "user"]
    assert "alpha" not in texts(after_all)


def test_nothing_is_summed_up_twice_where_a_handoff_stands_for_it_already() -> None:
    cfg = evolve(led(evolve(TRIAGE, handoffs=("legal.de",)), LEGAL), compaction=Compaction(keep_turns=1))
    done = finished(after(sim(reply("", TO_LEGAL), cfg=cfg), Say("Well?")))
    assert notices(finished(after(done, Command("/compact"))))[-1].startswith("There is nothing to summarise")


def everything(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return (AssistantMessage(text="Before all.", place=""), *messages, UserMessage("", "a context"), UserMessage(" "))


def test_calls_that_a_function_lets_through_become_words() -> None:
    retold = extended("all", Extension(retells=everything))
    for tool_format, written in ((ToolFormat.NATIVE, reply("I look.", READ)), (ToolFormat.MARKDOWN, reply("I look.\n```read a.txt\n```"))):
        over = reply("", TO_BILLING) if tool_format is ToolFormat.NATIVE else reply("```transfer_to_billing\nWell.\n```")
        done = finished(after(sim(written, over, cfg=led(tool_format=tool_format), tools=(*ALL_TOOLS, retold)), Say("My bill?")))
        told = bodies(done)[-1]
        assert roles(told) == ["system", *(4 * ["user", "assistant"])[:-1]][: len(roles(told))]
        assert "tool_calls" not in texts(told)
        assert '"content": "(Nothing was said before.)"' in texts(told)
        assert "Output of read:" in texts(told)
        assert texts(told).index("```read") < texts(told).index("Output of read:")
        assert "a context" in texts(told)


def test_an_agent_without_tools_is_told_of_calls_in_words() -> None:
    mute = AgentSpec(name="billing", tools=())
    done = finished(
        after(sim(reply("I look.", READ), reply("", TO_BILLING), cfg=led(evolve(TRIAGE, handoffs=("billing",)), mute)), Say("My bill?"))
    )
    told = bodies(done)[-1]
    assert (names(told), "tool_calls" in texts(told), "Output of read:" in texts(told)) == ([], False, True)


def test_a_handoff_to_an_agent_that_is_not_there_any_more_is_refused() -> None:
    refused = Transfer("biling")(Call(JsonObject()), led())
    assert isinstance(refused, Refuse)
    assert refused.problem.message == "There is no agent 'biling'; did you mean billing?"
    gone = Transfer("xyz")(Call(JsonObject()), led())
    assert isinstance(gone, Refuse)
    assert gone.problem.message == "There is no agent 'xyz'."


@pytest.mark.parametrize("wire", list(Wire))
@pytest.mark.parametrize("history", list(History))
def test_every_wire_is_told_by_turns_and_without_calls_where_they_were_left_out(wire: Wire, history: History) -> None:
    cfg = led(evolve(TRIAGE, handoffs=("billing",)), evolve(BILLING, history=history))
    done = finished(after(sim(reply("I look.", READ), reply("", TO_BILLING), cfg=cfg), Say("My bill?")))
    elsewhere = evolve(
        effective(cfg, done.state.past),
        overrides=(),
        model="elsewhere/m",
        providers=(Provider(name="elsewhere", base_url="http://127.0.0.1:9", wire=wire),),
    )
    body = json.loads(request_body(encoded_for(ChatState(done.state.past), ALL_TOOLS, elsewhere, profile_of(elsewhere)), done.state.past))
    told = next(body[key] for key in ("messages", "input", "contents") if key in body)
    spoken = [each["role"] for each in told if each.get("role", "system") not in {"system", "tool", "developer"}]
    if history is not History.ALL:
        assert spoken == [("user", "assistant" if wire is not Wire.GEMINI else "model")[place % 2] for place in range(len(spoken))]
        assert not any(mark in json.dumps(told) for mark in ("tool_calls", "tool_use", "function_call", "functionCall"))
    assert "was handed to you" in json.dumps(told) or history is History.ALL


def test_a_handoff_is_no_end_where_any_tool_ends_the_turn() -> None:
    cfg = led(evolve(TRIAGE, handoffs=("billing",), stop_on=("*",)), BILLING)
    done = finished(after(sim(reply("", TO_BILLING), reply("It is 12."), cfg=cfg), Say("My bill?")))
    assert (len(bodies(done)), reasons(done), [event.agent for event in handed(done)]) == (2, (Reason.COMPLETED,), ["billing"])


def test_the_turn_after_a_handoff_begins_although_a_stop_rule_names_a_tool_of_another_agent() -> None:
    agents = (
        evolve(TRIAGE, handoffs=("billing",)),
        evolve(BILLING, tools=("shell",), handoffs=(), helpers=("clerk",)),
        AgentSpec(name="clerk"),
    )
    cfg = evolve(led(*agents), stop_on=("read", "transfer_to_billing", "clerk"))
    done = finished(after(sim(reply("", TO_BILLING), reply("It is 12."), reply("As I said."), cfg=cfg), Say("My bill?")))
    done = finished(after(done, Say("And now?")))
    assert (reasons(done), problems(done)) == ((Reason.COMPLETED, Reason.COMPLETED), ())
    wrong = finished(after(sim(reply("Hi."), cfg=evolve(cfg, stop_on=("clark",))), Say("My bill?")))
    assert problems(wrong)[0].message == "stop_on names the tool 'clark', and there is no such tool; did you mean clerk?"


@pytest.mark.parametrize(("reason", "told"), [("a bill", "a bill."), (" a bill. ", "a bill."), ("Why?", "Why?"), (".", ".")])
def test_the_reason_of_a_handoff_is_a_sentence_of_its_own(reason: str, told: str) -> None:
    cfg = led(evolve(TRIAGE, handoffs=("billing",)), evolve(BILLING, history=History.NESTED))
    handing = call("transfer_to_billing", reason=reason)
    done = finished(after(sim(reply("", handing), reply("It is 12."), cfg=cfg), Say("My bill?")))
    assert f"(The conversation was handed to you, billing by triage. The reason: {told} It is your turn" in texts(bodies(done)[1])


@pytest.mark.parametrize("history", [History.FILTERED, History.NESTED])
def test_what_another_agent_reasoned_is_not_told(history: History) -> None:
    thought = AssistantMessage(text="Wait.", place="1.1", reasoning="They are rude.")
    for retells in (None, everything):
        told = retold((UserMessage("Hi."), thought), history, retells, ToolFormat.NATIVE).told
        assert told is not None
        assert "rude" not in repr(told)


def test_where_the_function_fails_what_turnfold_urged_are_not_the_persons_words() -> None:
    told = retold((UserMessage("Hi."), UserMessage("Answer now.", urged=True)), History.ALL, raising, ToolFormat.NATIVE).told
    assert told == (UserMessage("Hi."),)
