"""What takes the whole journal: a fork is there whole or not at all, and what it came from stays as it was; traces are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.test_journal import memory_journal, sqlite_journal
from turnfold import (
    BUILTIN_TOOLS,
    ChatConfig,
    CommandGiven,
    Config,
    Problem,
    ProjectConfig,
    Record,
    Resumed,
    UserSaid,
    World,
    fold,
    load,
    run,
)
from turnfold.core.agent.effects import KeepFork, Notice, Recall, TellTrace
from turnfold.core.agent.events import Renamed, Rewound
from turnfold.core.problem import world_problem
from turnfold.shell.ports import Journal
from turnfold.shell.recall import recalled
from turnfold.testing.fake_world import fake_world
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(ProjectConfig(Config(model="scripted/m")), conversation="c1", name="mine", workspace="/w")


@pytest.fixture(params=[sqlite_journal, memory_journal], ids=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with request.param(tmp_path) as made:
        yield made


def begun(journal: Journal) -> tuple[World, ChatConfig]:
    """A world with that journal, in which two turns were held, and their config."""
    replies = (chat_stream("One."), chat_stream("Two."), chat_stream("Other."))
    world = evolve(fake_world(replies), journal=journal)
    first = run("first", BUILTIN_TOOLS, CFG, world)
    return world, run("second", BUILTIN_TOOLS, first.cfg, world, state=first.state).cfg


def told(recall: Recall, cfg: ChatConfig, world: World) -> str:
    what = recalled(recall, cfg, world).what
    assert isinstance(what, Notice), what
    return what.text


def refused(recall: Recall, cfg: ChatConfig, world: World) -> Problem:
    what = recalled(recall, cfg, world).what
    assert isinstance(what, Problem)
    return what


def test_a_fork_at_any_step_is_a_conversation_of_its_own(journal: Journal) -> None:
    world, cfg = begun(journal)
    before, events = journal.find(), journal.load("c1")
    for upto in range(1, len(events) + 1):
        text = told(Recall(KeepFork(upto, f"n{upto}")), cfg, world)
        (kept,) = (each for each in journal.find() if each.name == f"n{upto}")
        assert kept.conversation in text
        assert (kept.workspace, kept.events) == ("/w", upto + 1)
        made = journal.load(kept.conversation)
        past = fold(made)
        assert made[:upto] == events[:upto]
        assert journal.config(past.cfg_digest) == evolve(cfg, conversation=kept.conversation, name=f"n{upto}")
        assert kept.started_ms == kept.changed_ms == made[-1].at_ms > events[-1].at_ms
        assert past == evolve(fold(events[:upto]), conversation=kept.conversation, cfg_digest=past.cfg_digest, events=upto + 1)
    assert journal.load("c1") == events
    assert [each for each in journal.find() if each.conversation == "c1"] == list(before)


def test_a_fork_goes_on_and_what_it_came_from_does_not_see_it(journal: Journal) -> None:
    world, cfg = begun(journal)
    events = journal.load("c1")
    told(Recall(KeepFork(len(events))), cfg, world)
    (kept,) = (each for each in journal.find() if each.conversation != "c1")
    assert (kept.name, kept.title) == ("", "first")
    state = load(journal.load(kept.conversation))
    own = journal.config(state.past.cfg_digest)
    gone_on = run(UserSaid("third"), BUILTIN_TOOLS, own, world, state=run(Resumed(), BUILTIN_TOOLS, own, world, state=state).state)
    assert gone_on.reply == "Other."
    assert fold(journal.load(kept.conversation)) == gone_on.state.past
    assert journal.load("c1") == events


def test_a_new_name_is_listed_and_a_fork_does_not_inherit_it(journal: Journal) -> None:
    world, cfg = begun(journal)
    count = len(journal.load("c1"))
    journal.append("c1", (Record(count, Renamed("better", 9)),))
    assert [each.name for each in journal.find()] == ["better"]
    told(Recall(KeepFork(count + 1)), cfg, world)
    assert sorted(each.name for each in journal.find()) == ["", "better"]
    journal.append("c1", (Record(count + 1, Renamed("", 10)),))
    assert sorted(each.name for each in journal.find()) == ["", "mine"]


def test_what_cannot_be_kept_or_told_is_a_problem_and_nothing_is_kept(journal: Journal) -> None:
    world, cfg = begun(journal)
    found = journal.find()
    assert refused(Recall(KeepFork(0)), cfg, world).code == "nothing-to-fork"
    assert refused(Recall(KeepFork(10_000)), cfg, world).code == "nothing-to-fork"
    assert refused(Recall(KeepFork(3)), evolve(cfg, conversation="none"), world).code == "unknown-conversation"
    assert refused(Recall(TellTrace(9)), cfg, world).code == "no-such-turn"
    assert refused(Recall(TellTrace()), evolve(cfg, conversation="none"), world).code == "unknown-conversation"
    assert journal.find() == found


def test_a_journal_that_fails_leaves_no_half_fork() -> None:
    journal = MemoryJournal()
    world, cfg = begun(journal)
    journal.broken = world_problem("no-space", "There is no space left.")
    assert refused(Recall(KeepFork(3)), cfg, world) == journal.broken
    assert [each.conversation for each in journal.find()] == ["c1"]


def test_a_trace_is_told_of_all_turns_or_of_one(journal: Journal) -> None:
    world, cfg = begun(journal)
    assert "turn 1 " in told(Recall(TellTrace()), cfg, world)
    second = told(Recall(TellTrace(2)), cfg, world)
    assert "turn 1 " not in second
    assert "completed · second" in second
    run(CommandGiven("/undo"), BUILTIN_TOOLS, cfg, world, state=load(journal.load("c1")))
    assert any(isinstance(event, Rewound) for event in journal.load("c1"))
    assert told(Recall(TellTrace(2)), cfg, world) == second  # it happened
