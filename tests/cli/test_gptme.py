"""``turnfold import gptme``, as a function and as a process; and going on with what was imported."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from tests.adapters.gptme.support import DATA, LOGS, jsonl, said
from tests.cli.support import Bench, says
from turnfold.adapters.gptme.folders import find_places, find_sources
from turnfold.cli.arguments import Importing, Told, parse_arguments
from turnfold.cli.exits import Exit
from turnfold.cli.gptme import Voice, import_gptme
from turnfold.core.agent.state import effective
from turnfold.core.config.models import find_provider
from turnfold.core.journal import fold
from turnfold.core.problem import Problem
from turnfold.shell.catalogue import with_catalogue
from turnfold.shell.folders import find_folders
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.ports import Kept
from turnfold.testing.server import ScriptedServer

WALRUS = "2026-11-21-mending-happy-walrus"
NATIVE = "2026-11-20-native-calls"


@final
@frozen
class Home:
    """A home in which gptme was used."""

    folder: Path

    @property
    def environ(self) -> Mapping[str, str]:
        return {"HOME": str(self.folder), "TURNFOLD_HOME": str(self.folder / "tf")}

    @property
    def workspace(self) -> Path:
        return self.folder / "work"

    @property
    def logs(self) -> Path:
        return self.folder / ".local" / "share" / "gptme" / "logs"

    @property
    def config(self) -> Path:
        return self.folder / "tf" / "config" / "config.toml"

    def run(self, plan: Importing) -> tuple[Exit, str]:
        """The exit code, and what was said."""
        out: list[str] = []
        code = import_gptme(plan, self.workspace, self.environ, Voice(say=out.append, complain=out.append))
        return code, "".join(out)

    def kept(self) -> tuple[Kept, ...]:
        """The conversations in the journal."""
        path = find_folders(self.environ).journal
        if not path.exists():
            return ()
        journal = SqliteJournal(path)
        try:
            return journal.find()
        finally:
            journal.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    shutil.copytree(DATA / "config", tmp_path / ".config" / "gptme")
    shutil.copytree(LOGS, made.logs)
    made.workspace.mkdir()
    shutil.copy(DATA / "project" / "gptme.toml", made.workspace)
    return made


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_everything_is_taken_over_and_gptme_stays_as_it_was(home: Home) -> None:
    before = files_of(home.folder / ".config") | files_of(home.folder / ".local")
    code, out = home.run(Importing(project=True))
    assert code is Exit.DONE
    assert files_of(home.folder / ".config") | files_of(home.folder / ".local") == before
    said = tomllib.loads(home.config.read_text(encoding="utf-8"))
    assert said["user"] == {"name": "Ann", "about": "I mend bicycles.", "style": "Short answers."}
    assert tomllib.loads((home.workspace / "turnfold.toml").read_text(encoding="utf-8"))["prompt"]["commands"] == ["git status -v"]
    assert (home.config.parent / "config.local.toml").stat().st_mode & 0o077 == 0
    assert sorted(each.name for each in home.kept()) == ["Mend the sum", "Mend the sum/side", "Native"]
    assert {each.workspace for each in home.kept()} == {str(home.workspace)}
    for reason in ("keep OPENAI_API_KEY in the environment", "it is gptme's own prompt", "turnfold has no screen of that kind"):
        assert reason in out


def test_a_projects_file_may_lie_in_its_github_folder(home: Home) -> None:
    folder = home.workspace / ".github"
    folder.mkdir()
    (home.workspace / "gptme.toml").rename(folder / "gptme.toml")
    (folder / "gptme.local.toml").write_text('[env]\nSHOP = "mine"\n', encoding="utf-8")
    home.run(Importing(project=True, only="config"))
    assert tomllib.loads((home.workspace / "turnfold.toml").read_text(encoding="utf-8"))["environment"] == {"SHOP": "bikes"}
    assert tomllib.loads((home.workspace / "turnfold.local.toml").read_text(encoding="utf-8"))["environment"] == {"SHOP": "mine"}


def test_a_second_time_adds_nothing(home: Home) -> None:
    home.run(Importing())
    kept, files = home.kept(), files_of(home.config.parent)
    code, out = home.run(Importing())
    assert code is Exit.DONE
    assert home.kept() == kept
    assert files_of(home.config.parent) == files
    assert out.count("it is here already") == 3
    assert "there is one already" in out
    assert 'style = "Short answers."' in out, "what would be in the file is said"


def test_a_dry_run_writes_nothing(home: Home) -> None:
    code, out = home.run(Importing(dry_run=True, project=True))
    assert code is Exit.DONE
    assert not (home.folder / "tf").exists()
    assert not (home.workspace / "turnfold.toml").exists()
    assert "13 messages, 5 calls (a dry run: not imported)" in out
    assert 'base_url = "https://models.example.com/v1"' in out


def test_one_part_alone(home: Home) -> None:
    home.run(Importing(only="conversations"))
    assert not home.config.exists()
    assert len(home.kept()) == 3
    other = Home(home.folder / "other")
    code, _ = home.run(Importing(only="config"))
    assert (code, other.kept()) == (Exit.DONE, ())
    assert home.config.exists()


@pytest.mark.parametrize(("name", "count"), [(WALRUS, 2), (f"{WALRUS}/side", 1), (NATIVE, 1)])
def test_conversations_by_name(home: Home, name: str, count: int) -> None:
    code, _ = home.run(Importing(only="conversations", names=(name,)))
    assert (code, len(home.kept())) == (Exit.DONE, count)


def test_a_name_that_is_none_is_told_with_near_ones(home: Home) -> None:
    code, out = home.run(Importing(names=("2026-11-20-native-cals",)))
    assert code is Exit.USAGE
    assert f"did you mean {NATIVE}" in out
    assert not home.config.exists()


@pytest.mark.parametrize(
    "below", ["", ".local/share/gptme", ".local/share/gptme/logs", f".local/share/gptme/logs/{WALRUS}", ".config/gptme", ".config"]
)
def test_any_of_gptmes_folders_can_be_named(home: Home, below: str) -> None:
    moved = home.folder / "backup"
    moved.mkdir()
    shutil.move(home.folder / ".config", moved / ".config")
    shutil.move(home.folder / ".local", moved / ".local")
    code, _ = home.run(Importing(folder=str(moved / below)))
    assert code is Exit.DONE
    assert home.config.exists() == (below in ("", ".config/gptme", ".config"))
    assert len(home.kept()) == {"": 3, ".config/gptme": 0, ".config": 0, f".local/share/gptme/logs/{WALRUS}": 2}.get(below, 3)


def test_the_environment_moves_gptmes_folders(tmp_path: Path) -> None:
    places = find_places({"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": " /d ", "GPTME_LOGS_HOME": ""})
    assert (places.config, places.logs, places.home) == (Path("/c/gptme"), Path("/d/gptme/logs"), Path("/h"))
    assert find_places({"HOME": "/h", "GPTME_LOGS_HOME": "/l"}).logs == Path("/l")
    assert find_sources(tmp_path / "nowhere") == ()


def test_nothing_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    code, out = Home(tmp_path).run(Importing())
    assert code is Exit.USAGE
    assert "there is nothing of gptme's" in out


def test_what_cant_be_read_is_said_and_the_rest_is_taken(home: Home) -> None:
    (home.folder / ".config" / "gptme" / "config.toml").write_text("[user\n", encoding="utf-8")
    broken = home.logs / "2026-11-22-broken"
    (broken / "conversation.jsonl").mkdir(parents=True)
    lonely = home.logs / "2026-11-23-lonely"
    lonely.mkdir()
    (lonely / "conversation.jsonl").write_bytes(jsonl(said("system", "You are gptme.")))
    (lonely / "config.toml").write_bytes(b"\xff\xfe")
    code, out = home.run(Importing())
    assert code is Exit.FAILED
    assert "can't be read as TOML" in out
    assert "is no ordinary file" in out
    assert "nobody spoke in it" in out
    assert len(home.kept()) == 3


def test_what_was_before_a_summary_is_a_conversation_of_its_own(home: Home) -> None:
    folder = home.logs / NATIVE
    shutil.copy(LOGS / WALRUS / "conversation.jsonl", folder / "lossless.jsonl")
    (folder / "views").mkdir()
    _, out = home.run(Importing(names=(NATIVE,)))
    assert sorted(each.name for each in home.kept()) == ["Native", "Native/lossless"]
    assert "views: they hold" in out


def test_a_conversation_without_a_config_is_in_the_folder_that_its_link_names(home: Home) -> None:
    folder = home.logs / WALRUS
    (folder / "config.toml").unlink()
    (folder / "workspace").symlink_to(home.workspace)
    home.run(Importing(names=(WALRUS,)))
    assert {(each.name, each.workspace) for each in home.kept()} == {(WALRUS, str(home.workspace)), (f"{WALRUS}/side", str(home.workspace))}


def test_a_conversation_goes_on_with_the_settings_that_it_had(home: Home) -> None:
    home.run(Importing())
    journal = SqliteJournal(find_folders(home.environ).journal)
    try:
        found = next(each for each in journal.find() if each.name == "Mend the sum")
        past = fold(journal.load(found.conversation))
        cfg = effective(journal.config(past.cfg_digest), past)
    finally:
        journal.close()
    assert (cfg.model, cfg.tools) == ("anthropic/claude-sonnet-4-6", ("save", "patch", "shell", "python"))
    assert not isinstance(find_provider(with_catalogue(cfg)), Problem)
    assert cfg.user.name == "Ann", "the person's own settings, imported just before"


def test_a_read_only_place_gets_no_file_and_its_text_is_said(home: Home) -> None:
    home.config.parent.parent.mkdir()
    home.config.parent.write_text("in the way", encoding="utf-8")
    code, out = home.run(Importing(only="config"))
    assert code is Exit.DONE
    assert "it can't be written" in out
    assert 'style = "Short answers."' in out


@pytest.mark.parametrize(
    ("line", "plan"),
    [
        ("gptme", Importing()),
        ("gptme a b --only conversations", Importing(only="conversations", names=("a", "b"))),
        ("gptme --from /x -n --project -w /y", Importing(folder="/x", dry_run=True, project=True, workspace="/y")),
    ],
)
def test_plans(line: str, plan: Importing) -> None:
    assert parse_arguments(["import", *line.split()]) == plan


@pytest.mark.parametrize("line", ["", "claude", "gptme --only all", "gptme --form x"])
def test_wrong_arguments_are_told(line: str) -> None:
    told = parse_arguments(["import", *line.split()])
    assert isinstance(told, Told)
    assert told.code is Exit.USAGE


def test_the_command_imports_and_goes_on(tmp_path: Path) -> None:
    with ScriptedServer((says("It is 3 now."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        shutil.copytree(LOGS, bench.home / ".local" / "share" / "gptme" / "logs")
        for config in bench.home.glob(".local/share/gptme/logs/*/config.toml"):
            text = config.read_text(encoding="utf-8").replace("~/work", str(bench.workspace))
            config.write_text(text.replace("anthropic/claude-sonnet-4-6", "scripted/test"), encoding="utf-8")
        imported = bench.run("import", "gptme", "--only", "conversations")
        assert (imported.code, imported.err) == (0, "")
        went_on = bench.run("--resume", "Mend the sum", "and now?")
        assert (went_on.code, went_on.out.strip()) == (0, "It is 3 now."), went_on
        messages = json.loads(server.requests[0].body)["messages"]
    assert messages[-1]["content"] == "and now?"
    assert sum(each["content"].startswith("Output of ") for each in messages) == 5, "its format is Markdown, as it was"
