"""The input ``SettingsChanged``: settings for the rest of a conversation, whatever it is doing."""

from __future__ import annotations

import pytest
from attrs import evolve

from turnfold import (
    BUILTIN_TOOLS,
    Answered,
    ChatConfig,
    ChatState,
    CommandGiven,
    Config,
    Decided,
    Overrides,
    Perform,
    ProjectConfig,
    Publish,
    Rule,
    SettingsChanged,
    Step,
    TimePassed,
    UserSaid,
    Verdict,
    fold,
    step,
)
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import CallClosed, MessageAdded, ModelReplied, Permitted, Reconfigured, RequestClosed, RequestOpened
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.agent.state import effective, questions
from turnfold.core.codec.codec import INPUT, decode_untrusted, encode
from turnfold.core.config.values import Limits
from turnfold.core.conversation.messages import AssistantMessage, ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Stop
from turnfold.core.problem import Problem
from turnfold.core.world.answers import FileRead, FileWritten
from turnfold.core.world.requests import ReadFile, RunProcess
from turnfold.core.world.usage import Usage

CFG = ChatConfig(ProjectConfig(Config(model="ollama/a")), workspace="/w", conversation="c")
RUN = RunProcess(script="make", cwd="/w", environment=(), timeout_s=300.0, output_bytes=20_000)
ALLOW_RUNS = Overrides(rules=(Rule(Verdict.ALLOW, "run"),))


def asking() -> ChatState:
    """A conversation that waits for a person to allow a command."""
    call = ToolCall("shell", JsonObject.of(command="make"))
    begun = step(ChatState(), UserSaid("go"), BUILTIN_TOOLS, CFG).state
    said = fold((MessageAdded(AssistantMessage(text="", place="1.1", calls=(call,))),), begun.past)
    opened = RequestOpened(request_id=RequestId(1, 1, 0, 0), request=RUN, asked="It runs a command.")
    return ChatState(fold((opened,), said))


def changed(change: Overrides, state: ChatState) -> Step:
    return step(state, SettingsChanged(change, 5), BUILTIN_TOOLS, CFG)


def test_it_is_an_event_and_counts_from_then_on() -> None:
    done = changed(Overrides(model="vllm/b"), ChatState())
    assert done.effects[-1] == Record(1, Reconfigured(Overrides(model="vllm/b"), 5))
    assert effective(CFG, done.state.past).model == "vllm/b"
    assert effective(CFG, changed(Overrides(max_tokens=1), done.state).state.past).model == "vllm/b"


def test_an_unknown_model_is_refused_and_changes_nothing() -> None:
    before = changed(Overrides(), ChatState()).state
    done = changed(Overrides(model="nope/b"), before)
    assert done.state == before
    assert [type(effect.what) for effect in done.effects if isinstance(effect, Publish)] == [Problem]


def test_a_rule_answers_the_questions_that_it_allows() -> None:
    state = asking()
    done = changed(ALLOW_RUNS, state)
    assert [type(effect.event) for effect in done.effects if isinstance(effect, Record)] == [Reconfigured, Permitted]
    assert [effect.request_id for effect in done.effects if isinstance(effect, Perform)] == [RequestId(1, 1, 0, 0)]
    assert not questions(done.state.past)
    other = changed(Overrides(rules=(Rule(Verdict.ALLOW, "write"),)), state)
    assert len(questions(other.state.past)) == 1
    assert step(done.state, Decided(RequestId(1, 1, 0, 0), allowed=False), BUILTIN_TOOLS, CFG).state == done.state


def test_it_is_stored_and_replayed() -> None:
    said = SettingsChanged(evolve(ALLOW_RUNS, model="a/b"), 7)
    assert decode_untrusted(INPUT, encode(INPUT, said)).unwrap() == said
    done = changed(ALLOW_RUNS, asking())
    events = tuple(effect.event for effect in done.effects if isinstance(effect, Record))
    assert fold(events, asking().past) == done.state.past


REPLIED = ModelReplied(usage=Usage(), stop=Stop.CALLS)
FILE = FileRead(text="one\n", digest="d1")
PATCH = ToolCall("patch", JsonObject.of(path="a.txt", patch="<<<<<<< ORIGINAL\none\n=======\ntwo\n>>>>>>> UPDATED"))


def patching() -> Step:
    """A conversation whose call of ``patch`` has read its file and waits for a person to allow the write."""
    begun = step(ChatState(), UserSaid("go"), BUILTIN_TOOLS, CFG).state
    said = ChatState(
        fold(
            (RequestClosed(RequestId(1, 1, MODEL, 0), REPLIED), MessageAdded(AssistantMessage(text="", place="1.1", calls=(PATCH,)))),
            begun.past,
        )
    )
    reading = step(said, TimePassed(), BUILTIN_TOOLS, CFG)
    return step(reading.state, Answered(RequestId(1, 1, 0, 0), FILE), BUILTIN_TOOLS, CFG)


@pytest.mark.parametrize("change", [Overrides(limits=Limits(file_bytes=7)), Overrides(tools=("read",)), Overrides(workspace="/elsewhere")])
def test_a_call_that_is_under_way_ends_under_the_settings_that_its_round_began_with(change: Overrides) -> None:
    (question,) = questions(patching().state.past)
    after = changed(change, patching().state)
    allowed = step(after.state, Decided(question.request_id, allowed=True), BUILTIN_TOOLS, CFG)
    done = step(allowed.state, Answered(question.request_id, FileWritten("d2")), BUILTIN_TOOLS, CFG)
    (result,) = (effect.event for effect in done.effects if isinstance(effect, Record) and isinstance(effect.event, CallClosed))
    assert result.ok, result.text
    assert done.state.past.turn is not None
    assert done.state.past.turn.generation == 2


def test_a_rule_counts_at_once_for_a_call_that_is_under_way() -> None:
    denied = changed(Overrides(rules=(Rule(Verdict.DENY, "write"),)), patching().state)
    assert any(isinstance(effect, Record) and isinstance(effect.event, CallClosed) and not effect.event.ok for effect in denied.effects)


def test_a_commanded_call_sees_the_settings_of_its_turn() -> None:
    elsewhere = changed(Overrides(workspace="/elsewhere"), ChatState()).state
    done = step(elsewhere, CommandGiven("/read a.txt"), BUILTIN_TOOLS, CFG)
    assert [effect.request for effect in done.effects if isinstance(effect, Perform)] == [
        ReadFile(path="/elsewhere/a.txt", limit_bytes=Limits().file_bytes)
    ]


def test_a_command_is_performed_without_a_question_that_a_reply_would_need() -> None:
    done = step(ChatState(), CommandGiven("/shell make"), BUILTIN_TOOLS, CFG)
    assert [effect.request for effect in done.effects if isinstance(effect, Perform)] == [RUN]
    assert len(questions(asking().past)) == 1
