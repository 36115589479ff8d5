"""A tool's question in a run: it is data, it waits for as long as it takes, and no answer that does not fit is asked for twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import final

import pytest
from attrs import evolve
from typing_extensions import override

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Decided, ProjectConfig, load, run, run_async
from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Effect, Publish
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.world.requests import AskHuman, FormField
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.ports import Human
from turnfold.shell.world import World
from turnfold.testing.fake_world import fake_world
from turnfold.testing.fakes import FakeClock, FakeSecrets
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="c")
ASKING = chat_stream("", (RawCall("ask", '{"question": "Which?", "choices": ["red", "green"]}'),))
WEEK_MS = 7 * 24 * 3600 * 1000


@final
class Says(Human):
    """Says the same to every question."""

    def __init__(self, said: JsonObject | None) -> None:
        self.said = said
        self.asked: tuple[Question, ...] = ()

    @override
    def decide(self, question: Question) -> Decided | None:
        self.asked = (*self.asked, question)
        return Decided(question.request_id, allowed=True, said=self.said)


def world_of(human: Human) -> World:
    return fake_world((ASKING, chat_stream("Green it is.")), human=human)


def test_the_question_is_data_for_whoever_is_asked() -> None:
    human = Says(JsonObject.of(answer="green"))
    result = run("go", BUILTIN_TOOLS, CFG, world_of(human))
    assert result.reply == "Green it is."
    (question,) = human.asked
    assert question.request == AskHuman(question="Which?", fields=(FormField(name="answer", choices=("red", "green")),))
    assert question.preview == "Which?\n  answer: red / green"


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize("said", [None, JsonObject.of(answer="blue")])
def test_an_answer_that_does_not_fit_ends_the_run_paused_with_one_problem(said: JsonObject | None, aside: bool) -> None:
    human, told = Says(said), list[Problem]()

    def watch(effect: Effect) -> None:
        if isinstance(effect, Publish) and isinstance(effect.what, Problem):
            told.append(effect.what)

    world = world_of(human)
    done = (
        asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, world, watch=watch)) if aside else run("go", BUILTIN_TOOLS, CFG, world, watch=watch)
    )
    assert len(done.questions) == len(human.asked) == 1
    assert [problem.code for problem in told] == ["bad-answer"]
    assert done.problem == told[0]
    (asked,) = done.questions
    good = run(Decided(asked.request_id, allowed=True, said=JsonObject.of(answer="red")), BUILTIN_TOOLS, done.cfg, world, state=done.state)
    assert good.reply == "Green it is."


def test_a_week_later_another_process_answers(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    first = SqliteJournal(path)
    begun = run("go", BUILTIN_TOOLS, CFG, evolve(fake_world((ASKING,)), journal=first))
    first.close()
    (asked,) = begun.questions

    second = SqliteJournal(path)
    later = evolve(fake_world((chat_stream("Green it is."),)), journal=second, clock=FakeClock(WEEK_MS))
    state = load(second.load("c"))
    decided = Decided(asked.request_id, allowed=True, said=JsonObject.of(answer="green"), at_ms=WEEK_MS)
    done = run(decided, BUILTIN_TOOLS, second.config(state.past.cfg_digest), later, state=state)
    assert done.reply == "Green it is."
    answer = done.state.past.log[2]
    assert isinstance(answer, ToolMessage)
    assert answer.text == "green"
    assert load(second.load("c")) == done.state
    second.close()


def test_arguments_that_hold_a_secret_are_refused_and_the_result_says_so() -> None:
    running = chat_stream("", (RawCall("shell", '{"command": "make install"}'),))
    world = evolve(fake_world((running,)), secrets=FakeSecrets((("OPENAI_API_KEY", "s3cret-value"),)))
    paused = run("go", BUILTIN_TOOLS, CFG, world)
    (question,) = paused.asked
    edit = Decided(question.request_id, allowed=True, arguments=JsonObject.of(command="echo s3cret-value"))
    still = run(edit, BUILTIN_TOOLS, paused.cfg, world, state=paused.state)
    assert still.asked == paused.asked
    assert still.problem is not None
    assert still.problem.message.startswith("The arguments hold the value of OPENAI_API_KEY, which is never kept, so nothing was done")
