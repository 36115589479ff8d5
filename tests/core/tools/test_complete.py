"""The tool ``complete``: the turn ends with its round, without another call of the model; only where nothing of the round failed."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agent.scripted import YES, after, call, config, log, reply, sim
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, RunResult, run
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.agent.inputs import CommandGiven
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.step import step
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.spec import Done, ToolSpec
from turnfold.core.world.requests import CallModel
from turnfold.testing.fake_world import fake_world
from turnfold.testing.moves import Finish, Interrupt, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, finished
from turnfold.testing.wire import chat_stream

COMPLETED = call("complete", text="All is done.")
CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="c")


def model_calls(done: Sim) -> int:
    return sum(isinstance(each.request, CallModel) for each in done.performs)


def ended(done: Sim) -> list[TurnEnded]:
    return [event for event in done.events if isinstance(event, TurnEnded)]


def test_the_turn_ends_with_the_round_and_says_which_call_ended_it() -> None:
    done = finished(after(sim(reply("", call("read", path="a.txt"), COMPLETED)), Say("go")))
    assert (done.state.idle, model_calls(done)) == (True, 1)
    (end,) = ended(done)
    assert (end.reason, end.problem, end.call) == (Reason.COMPLETED, None, "1.1.1")
    assert [each.text for each in log(done)[-1:]] == ["All is done."]


def test_where_a_call_of_the_round_failed_the_model_hears_of_it() -> None:
    done = finished(after(sim(reply("", COMPLETED, call("read", path="none.txt"))), Say("go")))
    assert model_calls(done) == 2
    (end,) = ended(done)
    assert end.call == ""


def test_the_first_of_several_is_the_result_and_the_next_turn_goes_on_as_ever() -> None:
    twice = reply("", COMPLETED, call("complete", text="No, that."))
    done = finished(after(sim(twice), Say("go")))
    assert ended(done)[0].call == "1.1.0"
    more = finished(after(done, Say("and now?")))
    assert (len(ended(more)), ended(more)[1].call) == (2, "")


def test_a_person_may_call_it_too_and_blank_text_ends_nothing() -> None:
    done = step(ChatState(), CommandGiven("/complete All is done."), BUILTIN_TOOLS, CFG)
    assert done.state.idle
    blank = finished(after(sim(reply("", call("complete", text=" "))), Say("go")))
    assert model_calls(blank) == 2


def test_an_interrupt_wins() -> None:
    begun = after(sim(reply("", COMPLETED, call("read", path="a.txt"))), Say("go"), Finish(), Interrupt(), Finish())
    assert ended(begun)[0].reason is Reason.INTERRUPTED


OTHERS = st.lists(
    st.sampled_from((call("read", path="a.txt"), call("read", path="b.txt"), call("shell", command="ls"), COMPLETED)), max_size=4
)


@given(OTHERS, OTHERS, st.lists(st.integers(0, 9), max_size=12))
def test_in_whatever_order_answers_come_the_same_call_ends_the_turn(before: list[RawCall], behind: list[RawCall], picks: list[int]) -> None:
    begun = after(sim(reply("", *before, COMPLETED, *behind), cfg=config(YES)), Say("go"), Finish())
    done = finished(after(begun, *map(Finish, picks)))
    usual = finished(begun)
    assert ended(done)[0].call == ended(usual)[0].call == f"1.1.{(*before, COMPLETED).index(COMPLETED)}"
    assert fold(done.events) == done.state.past


def test_what_a_program_reads_of_it() -> None:
    replies = (chat_stream("Look.", (RawCall("complete", '{"text": "All is done.", "result": {"fixed": 3}}'),)),)
    result = run("go", BUILTIN_TOOLS, CFG, fake_world(replies))
    assert result.reply == "All is done."
    assert result.result == JsonObject.of(text="All is done.", result=JsonObject.of(fixed=3))
    said = run("go", BUILTIN_TOOLS, CFG, fake_world((chat_stream("Hi."),)))
    assert (said.reply, said.result) == ("Hi.", None)


def test_no_arguments_that_a_person_gave_it_are_read_as_none() -> None:
    said = AssistantMessage(text="", place="1.1", calls=(ToolCall("stop", JsonObject.of(path="a.txt")),))
    ending = ToolMessage(call_id="1.1.0", tool="stop", text="Stopped.", edited=JsonObject())
    past = Past(log=Log[Message].of(UserMessage("go"), said, ending))
    done = RunResult(state=ChatState(past), cfg=CFG, ended=TurnEnded(Reason.COMPLETED, call="1.1.0"))
    assert done.result == JsonObject()


def test_any_tool_may_end_the_turn() -> None:
    stop = ToolSpec(
        name="stop", description="Stop.", parameters=JsonObject.of(type="object"), advance=lambda _call, _cfg: Done("Stopped.", ends=True)
    )
    done = finished(after(sim(reply("", call("stop")), tools=(*ALL_TOOLS, stop)), Say("go")))
    assert model_calls(done) == 1
    odd = evolve(stop, advance=lambda _call, _cfg: Done("Stopped.", ends=1))  # type: ignore[arg-type]
    told = finished(after(sim(reply("", call("stop")), tools=(*ALL_TOOLS, odd)), Say("go")))
    last = log(told)[2]
    assert isinstance(last, ToolMessage)
    assert not last.ok
