"""The generation: how replies are read, cut, refused and closed."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import after, call, config, log, problems, reasons, reply, results, sim
from tests.laws.comparison import assert_balanced
from turnfold.core.agent.effects import Cancel
from turnfold.core.agent.events import Reason, RequestClosed, RequestOpened, Unanswered, Why
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.agent.inputs import Answered, ChunkArrived, Resumed, SettingsChanged
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import Overrides
from turnfold.core.config.values import Limits, ModelProfile, ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, ToolCall, UserMessage
from turnfold.core.journal import load
from turnfold.core.json import JsonObject, dumps
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Break, Deliver, Finish, Interrupt, Mismatch, Say, Wild
from turnfold.testing.simulated import CONFIG, Stream, finished
from turnfold.testing.wire import DONE, chat_body, chat_stream

MARKDOWN = config(tool_format=ToolFormat.MARKDOWN)
READ = "Let me look.\n```read a.txt\n```"


def stream_of(text: str, sizes: int) -> tuple[Deliver, ...]:
    return tuple(Deliver(0, sizes) for _ in range(len(chat_stream(text)) // sizes + 1))


def test_a_reply_is_the_message_that_its_turn_ends_with() -> None:
    done = finished(after(sim(Stream(chat_stream("Hi.", usage=Usage(input_tokens=3, output_tokens=1)))), Say("hi")))
    assert log(done) == (UserMessage("hi"), AssistantMessage(text="Hi.", place="1.1"))
    assert reasons(done) == (Reason.COMPLETED,)
    assert done.state.past.usage == Usage(input_tokens=3, output_tokens=1, unpriced_tokens=4)  # nobody knows its prices


def test_a_text_format_closes_the_reply_at_its_first_call_whatever_the_chunks() -> None:
    text = READ + "\nOutput of read:\ninvented"
    for size in (1, 7, 50, 10_000):
        done = finished(after(sim(Stream(chat_stream(text)), cfg=MARKDOWN), Say("look"), *stream_of(text, size)))
        assert [message.text for message in log(done)[:3:2]] == ["look", results(done)[0]]
        said = log(done)[1]
        assert isinstance(said, AssistantMessage)
        assert (said.text, said.cut) == (READ, False)
        assert Cancel(RequestId(1, 1, MODEL, 0)) in done.effects
        assert_balanced(done)


XML = config(tool_format=ToolFormat.XML)
BOTH = "Let me look.\n<tool-use>\n<read args='a.txt'/>\n<read args='b.txt'/>\n</tool-use>"


def test_the_elements_of_one_wrapper_are_one_round() -> None:
    text = BOTH + "\nOutput of read:\ninvented\n<tool-use><read args='c.txt'/></tool-use>"
    for size in (1, 50, 10_000):
        done = finished(after(sim(Stream(chat_stream(text)), cfg=XML), Say("look"), *stream_of(text, size)))
        said = log(done)[1]
        assert isinstance(said, AssistantMessage)
        assert (said.text, len(said.calls), len(results(done))) == (BOTH, 2, 2)
        assert Cancel(RequestId(1, 1, MODEL, 0)) in done.effects
        assert_balanced(done)


def test_a_wrapper_at_the_very_end_of_a_reply_is_a_round_where_the_model_meant_to_end() -> None:
    for reason, kind in (("stop", [ToolCall, ToolCall]), ("length", [BrokenCall])):
        done = after(sim(Stream(chat_stream(BOTH, finish_reason=reason)), cfg=XML), Say("look"), Finish())
        (said,) = (each for each in log(done) if isinstance(each, AssistantMessage))
        assert [type(each) for each in said.calls] == kind


def test_a_call_counts_although_the_token_limit_came_right_behind_it() -> None:
    stream = Stream(chat_stream(READ + "\n", finish_reason="length"))
    done = finished(after(sim(stream, cfg=MARKDOWN), Say("look")))
    said = log(done)[1]
    assert isinstance(said, AssistantMessage)
    assert (len(said.calls), said.cut) == (1, False)


@pytest.mark.parametrize(("finish_reason", "kind"), [("stop", ToolCall), ("length", BrokenCall)])
def test_a_block_whose_last_line_is_not_ended_is_a_sound_call_only_where_the_model_meant_to_end(finish_reason: str, kind: type) -> None:
    cut = Stream(chat_stream("```shell\nls\n```", finish_reason=finish_reason))
    done = after(sim(cut, cfg=config(tool_format=ToolFormat.MARKDOWN)), Say("go"), Finish())
    (message,) = (each for each in log(done) if isinstance(each, AssistantMessage))
    assert [type(each) for each in message.calls] == [kind]


def test_a_call_in_a_body_that_was_not_streamed_is_run() -> None:
    done = finished(after(sim(Stream(chat_body(READ)), cfg=MARKDOWN), Say("look")))
    assert "alpha" in results(done)[0]
    assert_balanced(done)


def test_a_call_in_a_last_event_without_its_empty_line_is_run() -> None:
    delta = dumps(JsonObject.of(choices=(JsonObject.of(index=0, delta=JsonObject.of(content=READ), finish_reason="stop"),)))
    done = finished(after(sim(Stream(f"data: {delta}".encode()), cfg=MARKDOWN), Say("look")))
    assert "alpha" in results(done)[0]
    assert_balanced(done)


def test_reasoning_behind_the_call_that_closed_the_reply_does_not_count() -> None:
    data = chat_stream(READ + "\n", piece_chars=10_000).removesuffix(DONE)
    more = b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"late"}}]}'
    done = finished(after(sim(Stream(data + more), cfg=MARKDOWN), Say("look")))
    said = log(done)[1]
    assert isinstance(said, AssistantMessage)
    assert said.reasoning == ""
    assert_balanced(done)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_reply_without_text_and_calls_is_a_failure(text: str) -> None:
    done = finished(after(sim(reply(text)), Say("hi")))
    assert [problem.code for problem in problems(done)] == ["empty-reply"]
    assert reasons(done) == (Reason.FAILED,)
    assert log(done) == (UserMessage("hi"),)


def test_a_withheld_reply_says_so() -> None:
    done = finished(after(sim(Stream(chat_stream("", finish_reason="content_filter"))), Say("hi")))
    assert [problem.code for problem in problems(done)] == ["withheld"]


def test_a_reply_at_the_token_limit_ends_the_turn_as_cut() -> None:
    done = finished(after(sim(Stream(chat_stream("Half a", finish_reason="length"))), Say("hi")))
    assert reasons(done) == (Reason.CUT,)
    assert log(done)[1] == AssistantMessage(text="Half a", place="1.1", cut=True)


@pytest.mark.parametrize("problem", [None, world_problem("offline", "No network.")])
def test_what_came_of_a_failed_reply_is_kept(problem: Problem | None) -> None:
    begun = after(sim(Stream(chat_stream("Half a reply"), problem)), Say("hi"), Deliver(0, 300), Break())
    assert reasons(begun) == (Reason.FAILED,)
    kept = log(begun)[1]
    assert isinstance(kept, AssistantMessage)
    assert kept.cut
    assert kept.text
    assert_balanced(begun)


def test_a_model_call_that_fails_at_once_leaves_no_message() -> None:
    done = after(sim(), Say("hi"), Break())
    assert log(done) == (UserMessage("hi"),)
    assert [problem.code for problem in problems(done)] == ["broken"]


def test_an_answer_of_another_kind_is_a_failure() -> None:
    done = after(sim(), Say("hi"), Mismatch())
    assert [problem.code for problem in problems(done)] == ["mismatched-answer"]
    assert done.state.idle


def test_a_reply_that_is_too_large_is_cut_and_cancelled() -> None:
    cfg = config(limits=Limits(reply_bytes=300))
    done = after(sim(reply("word " * 100), cfg=cfg), Say("hi"), Deliver(0, 400))
    assert [problem.code for problem in problems(done)] == ["reply-too-large"]
    assert Cancel(RequestId(1, 1, MODEL, 0)) in done.effects
    assert_balanced(done)


def test_interrupting_keeps_the_text_so_far_and_drops_what_is_late() -> None:
    begun = after(sim(reply("one two three four")), Say("hi"), Deliver(0, 300), Interrupt())
    kept = log(begun)[1]
    assert isinstance(kept, AssistantMessage)
    assert "one two three four".startswith(kept.text)
    assert reasons(begun) == (Reason.INTERRUPTED,)
    assert Cancel(RequestId(1, 1, MODEL, 0)) in begun.effects
    late = after(begun, Deliver(0, 100), Finish())
    assert late.state == begun.state
    assert late.state.live.reply is None


def test_interrupting_before_anything_came_leaves_no_message() -> None:
    done = after(sim(), Say("hi"), Interrupt())
    assert log(done) == (UserMessage("hi"),)
    assert done.state.idle


def test_a_turn_has_so_many_model_calls_and_no_more() -> None:
    cfg = config(limits=Limits(generations=2))
    again = reply("", call("read", path="a.txt"))
    done = finished(after(sim(again, again, again, cfg=cfg), Say("go")))
    assert reasons(done) == (Reason.LIMIT,)
    assert len([event for event in done.events if isinstance(event, RequestOpened) and event.request_id.slot == MODEL]) == 2
    assert "after 2 model calls" in problems(done)[0].message


@pytest.mark.parametrize(("model", "code"), [("", "no-model"), ("nope/x", "unknown-model")])
def test_a_turn_without_a_model_fails_with_what_to_do(model: str, code: str) -> None:
    done = after(sim(cfg=config(model=model)), Say("hi"))
    assert [problem.code for problem in problems(done)] == [code]
    assert done.state.idle
    assert not done.outstanding


def test_a_lost_reply_is_asked_for_again_under_a_new_id() -> None:
    begun = after(sim(reply("Hi.")), Say("hi"), Deliver(0, 60), Wild(Resumed()))
    assert [perform.request_id.n for perform in begun.performs] == [0, 1]
    assert begun.performs[0].body == begun.performs[1].body
    done = finished(begun)
    assert log(done)[1:] == (AssistantMessage(text="Hi.", place="1.1"),)


def test_a_stream_that_ends_when_its_reply_is_gone_is_asked_for_again() -> None:
    begun = after(sim(reply("Hi.")), Say("hi"))
    lost = finished(after(begun, Wild(Resumed())))
    assert [event.request_id.n for event in lost.events if isinstance(event, RequestClosed)] == [0, 1]


def test_after_resuming_nothing_of_the_old_reply_counts() -> None:
    """Also where the turn could not go on, because its model is gone."""
    begun = after(sim(reply("Hi there.")), Say("hi"), Deliver(0, 60))
    broken = after(evolve(begun, cfg=config(model="")), Wild(Resumed()))
    assert reasons(broken) == (Reason.FAILED,)
    assert broken.state.live.reply is None
    late = after(broken, Wild(ChunkArrived(RequestId(1, 1, MODEL, 0), chat_stream("late"))))
    assert late.state == broken.state
    assert late.history[-1].step.effects == ()


def test_an_answer_to_a_reply_that_this_process_never_heard_asks_for_it_again() -> None:
    begun = after(sim(reply("Hi.")), Say("hi"))
    fresh = evolve(begun, state=load(begun.events))
    asked = after(fresh, Wild(Answered(begun.performs[0].request_id, StreamEnded())))
    assert [perform.request_id.n for perform in asked.performs] == [0, 1]


def test_a_model_call_that_ended_in_a_way_of_another_version_ends_its_turn() -> None:
    begun = after(sim(), Say("hi"))
    odd = RequestClosed(begun.performs[0].request_id, Unanswered(Why.UNKNOWN))
    done = after(evolve(begun, state=load((*begun.events, odd))), Wild(Resumed()))
    assert done.state.idle


def test_a_server_that_takes_grammars_gets_the_one_of_the_tools() -> None:
    profile = ModelProfile(
        pattern="scripted/*", tool_format=ToolFormat.MARKDOWN, grammar=True, instructions="You are small.", temperature=0.0
    )
    other = ModelProfile(pattern="other/*")
    body = after(sim(cfg=evolve(CONFIG, models=(other, profile))), Say("hi")).performs[0].body
    assert b'"grammar":' in body
    assert b"You are small." in body
    assert b'"temperature":0.0' in body
    assert b'"tools":' not in body


def test_a_model_that_must_call_gets_another_grammar_first_and_after_a_failure() -> None:
    profile = ModelProfile(pattern="*", tool_format=ToolFormat.MARKDOWN, grammar=True, must_call=True)
    replies = (reply("```raises\nx\n```\n"), reply("```read a.txt\n```\n"), reply("It is alpha."))
    done = finished(after(sim(*replies, cfg=evolve(CONFIG, models=(profile,))), Say("look")))
    heads = [perform.body.partition(b'"messages":')[0] for perform in done.performs if perform.request_id.slot == MODEL]
    assert heads[0] == heads[1] != heads[2]


def test_a_model_that_repeats_itself_ends_its_turn() -> None:
    profile = ModelProfile(pattern="*", tool_format=ToolFormat.MARKDOWN, ends_on_repeat=True)
    block = reply("```read a.txt\n```\n")
    cfg = evolve(CONFIG, models=(profile,))
    done = finished(after(sim(block, reply("```read b.txt\n```\n"), block, block, cfg=cfg), Say("look")))
    assert len(results(done)) == 2
    assert reasons(done) == (Reason.COMPLETED,)
    again = finished(after(done, Say("and again")))
    assert len(results(again)) == 2


def test_settings_are_changed_for_the_rest_and_refused_where_the_model_is_unknown() -> None:
    done = after(sim(cfg=config(model="")), Wild(SettingsChanged(Overrides(model="nope/x"))))
    assert [problem.code for problem in problems(done)] == ["unknown-model"]
    assert done.state == ChatState()
    changed = after(sim(cfg=config(model="")), Wild(SettingsChanged(Overrides(model="scripted/x"))), Say("hi"))
    assert b'"model":"x"' in changed.performs[0].body


def test_a_stream_that_was_cut_off_is_a_failure_that_keeps_its_text() -> None:
    whole = chat_stream("One two three.")
    done = finished(after(sim(Stream(whole[: len(whole) // 2])), Say("hi")))
    assert [problem.code for problem in problems(done)] == ["cut-stream"]
    assert_balanced(done)
