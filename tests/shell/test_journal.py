"""The laws of the journal port, on the SQLite journal and on the one in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Record, UserSaid, fold, step
from turnfold.core.agent.draft import Step
from turnfold.core.agent.events import Renamed
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import digest_of
from turnfold.core.codec.codec import CONFIG, encode
from turnfold.core.config.briefing import Briefing, Text
from turnfold.core.config.layers import Origin, Overrides
from turnfold.core.config.values import ModelProfile
from turnfold.core.problem import world_problem
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.ports import Journal, JournalError
from turnfold.testing.memory_journal import MemoryJournal

CFG = ChatConfig(ProjectConfig(Config(model="openai/x")), conversation="c1", name="mine", workspace="/w")

MANY = tuple(ModelProfile(pattern=f"openai/model-{number}", window_tokens=number + 1, input_usd=0.5) for number in range(80))
BIG = ProjectConfig(Config(files=(Overrides(models=MANY, origin=Origin(layer="default", place="models.toml")),)))


@contextmanager
def sqlite_journal(folder: Path) -> Iterator[Journal]:
    journal = SqliteJournal(folder / "sub" / "journal.sqlite3")
    yield journal
    journal.close()


@contextmanager
def memory_journal(folder: Path) -> Iterator[Journal]:
    yield MemoryJournal()


Make = Callable[[Path], Iterator[Journal]]


@pytest.fixture(params=[sqlite_journal, memory_journal], ids=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with request.param(tmp_path) as made:
        yield made


def records(stepped: Step) -> tuple[Record, ...]:
    return tuple(effect for effect in stepped.effects if isinstance(effect, Record))


def first_step(cfg: ChatConfig = CFG, text: str = "hello there") -> Step:
    return step(ChatState(), UserSaid(text, 7), BUILTIN_TOOLS, cfg)


def kept(journal: Journal, stepped: Step, cfg: ChatConfig = CFG) -> Step:
    journal.keep(stepped.state.past.cfg_digest, cfg)
    journal.append(cfg.conversation, records(stepped))
    return stepped


def test_what_was_appended_is_loaded_in_order_and_folds_to_the_same_past(journal: Journal) -> None:
    stepped = kept(journal, first_step())
    assert fold(journal.load("c1")) == stepped.state.past
    assert journal.config(stepped.state.past.cfg_digest) == CFG


def test_conversations_are_found_with_name_title_and_times_the_last_changed_first(journal: Journal) -> None:
    kept(journal, first_step())
    other = ChatConfig(CFG.project, conversation="c2", workspace="/v")
    kept(journal, step(ChatState(), UserSaid("two\nlines", 9), BUILTIN_TOOLS, other), other)
    found = journal.find()
    assert [(each.conversation, each.name, each.workspace, each.started_ms) for each in found] == [
        ("c2", "", "/v", 9),
        ("c1", "mine", "/w", 7),
    ]
    assert [each.events for each in found] == [3, 3]
    assert found[1].title == "hello there"


def test_a_number_that_is_taken_is_refused_and_nothing_is_added(journal: Journal) -> None:
    stepped = kept(journal, first_step())
    with pytest.raises(JournalError, match="Another process"):
        journal.append("c1", records(first_step(text="other")))
    assert fold(journal.load("c1")) == stepped.state.past


def test_an_unknown_conversation_is_a_clear_error(journal: Journal) -> None:
    with pytest.raises(JournalError, match="no conversation nope"):
        journal.load("nope")


def test_an_unknown_config_is_a_clear_error(journal: Journal) -> None:
    with pytest.raises(JournalError):
        journal.config("0" * 64)


def test_a_broken_journal_in_memory_refuses_with_its_problem() -> None:
    journal = MemoryJournal()
    journal.broken = world_problem("no-space", "There is no space left.")
    with pytest.raises(JournalError, match="no space"):
        journal.append("c1", records(first_step()))


def test_a_file_that_knew_no_changed_names_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = SqliteJournal(path)
    kept(journal, first_step())
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE conversations DROP COLUMN name")
    connection.close()
    for name in ("mine", "better"):
        journal = SqliteJournal(path)
        (found,) = journal.find()
        assert found.name == name
        journal.append("c1", (Record(found.events, Renamed("better", 9)),))
        journal.close()


def test_two_connections_to_one_file_see_each_others_conversations(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    one, two = SqliteJournal(path), SqliteJournal(path)
    stepped = kept(one, first_step())
    assert fold(two.load("c1")) == stepped.state.past
    other = ChatConfig(CFG.project, conversation="c2")
    kept(two, first_step(other), other)
    assert {each.conversation for each in one.find()} == {"c1", "c2"}
    one.close()
    two.close()


def test_the_folder_that_is_made_for_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "data" / "turnfold" / "j.sqlite3").close()
    assert (tmp_path / "data" / "turnfold").stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_no_journal_is_one_clear_sentence(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    path.write_text("this is not a database, " * 100)
    with pytest.raises(JournalError, match=r"The journal .* can't be used"):
        SqliteJournal(path)


def test_a_folder_in_place_of_the_file_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite3").mkdir()
    with pytest.raises(JournalError, match="can't be used"):
        SqliteJournal(tmp_path / "j.sqlite3")


def test_a_closed_journal_is_one_clear_sentence(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.sqlite3")
    journal.close()
    with pytest.raises(JournalError, match="was closed"):
        kept(journal, first_step())
    with pytest.raises(JournalError, match="was closed"):
        journal.find()


def test_what_the_system_says_of_a_file_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError) as told:
        SqliteJournal(tmp_path / "file" / "j.sqlite3")
    assert "can't be used: File exists." in str(told.value)


def test_a_damaged_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = SqliteJournal(path)
    kept(journal, first_step())
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute('UPDATE events SET body = \'{"type": "Evil"}\' WHERE number = 1')
    connection.close()
    journal = SqliteJournal(path)
    with pytest.raises(JournalError, match="event 1 of c1"):
        journal.load("c1")
    journal.close()


def test_a_full_disk_loses_nothing_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = SqliteJournal(path)
    stepped = kept(journal, first_step())
    journal._connection.execute("PRAGMA max_page_count=1")  # what SQLite says then is what it says of a full disk
    more = step(stepped.state, UserSaid("x" * 1_000_000), BUILTIN_TOOLS, CFG)
    with pytest.raises(JournalError, match="full"):
        journal.append("c1", records(more))
    assert fold(journal.load("c1")) == stepped.state.past
    journal.close()


def briefed(number: int) -> ChatConfig:
    texts = (Text("AGENTS.md", "Be brief. " * 1000),)
    return ChatConfig(BIG, conversation=f"c{number}", workspace="/w", briefing=Briefing(texts=texts), model="openai/x")


def test_the_hundredth_conversation_costs_its_own_settings_only(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = SqliteJournal(path)
    for number in range(100):
        kept(journal, first_step(briefed(number)), briefed(number))
    assert journal.config(digest_of(briefed(99))) == briefed(99)
    with sqlite3.connect(path) as connection:
        own = connection.execute("SELECT max(length(body) + length(project) + length(briefing)) FROM configs").fetchone()
        shared = connection.execute("SELECT count(*), sum(length(body)) FROM parts").fetchone()
    connection.close()
    journal.close()
    assert own[0] < 500
    assert shared[0] == 2
    assert shared[1] > 20_000


def test_a_workspace_that_the_project_says_is_found(journal: Journal) -> None:
    cfg = ChatConfig(ProjectConfig(Config(workspace="/home/me")), conversation="c1", name="mine")
    kept(journal, first_step(cfg), cfg)
    assert [(each.name, each.workspace) for each in journal.find()] == [("mine", "/home/me")]


def test_a_part_that_is_lost_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = SqliteJournal(path)
    kept(journal, first_step())
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM parts")
    connection.close()
    with pytest.raises(JournalError, match="A part of a config"):
        journal.config(digest_of(CFG))
    journal.close()


def test_a_config_that_cannot_be_read_hides_no_other_conversation(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = SqliteJournal(path)
    kept(journal, first_step())
    other = ChatConfig(CFG.project, conversation="c2", workspace="/v")
    kept(journal, step(ChatState(), UserSaid("hi", 9), BUILTIN_TOOLS, other), other)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE configs SET body = '{}' WHERE digest = ?", (digest_of(CFG),))
    connection.close()
    assert [(each.conversation, each.workspace) for each in journal.find()] == [("c2", "/v"), ("c1", "")]
    with pytest.raises(JournalError, match="of another version of turnfold"):
        journal.config(digest_of(CFG))
    journal.close()


def test_a_file_of_an_older_version_opens_with_its_configs_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE configs (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE conversations (conversation TEXT PRIMARY KEY, digest TEXT NOT NULL, started_ms INTEGER NOT NULL,"
            " changed_ms INTEGER NOT NULL, events INTEGER NOT NULL, title TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
        )
        connection.execute("INSERT INTO configs VALUES (?, ?)", (digest_of(CFG), encode(CONFIG, CFG)))
        connection.execute("INSERT INTO conversations VALUES ('c1', ?, 1, 2, 3, 'hi')", (digest_of(CFG),))
    connection.close()
    journal = SqliteJournal(path)
    assert journal.config(digest_of(CFG)) == CFG
    assert [(each.conversation, each.name, each.workspace) for each in journal.find()] == [("c1", "mine", "/w")]
    journal.keep(digest_of(briefed(2)), briefed(2))
    assert journal.config(digest_of(briefed(2))) == briefed(2)
    journal.close()


def test_an_append_writes_about_its_own_size(tmp_path: Path) -> None:
    """G10: 300 appends of 1.1 kB."""
    journal = SqliteJournal(tmp_path / "j.sqlite3")
    state = kept(journal, first_step()).state
    for number in range(300):
        stepped = step(state, UserSaid(f"{number} " + "x" * 1100), BUILTIN_TOOLS, CFG)
        journal.append("c1", records(stepped))
        state = stepped.state
    journal.close()
    assert (tmp_path / "j.sqlite3").stat().st_size < 300 * 1100 * 2
