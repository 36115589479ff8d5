"""The briefing, from real files and real commands: what is told, in which order, what is not, and that nothing makes it hang."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import final

import pytest
from attrs import evolve, frozen

from turnfold.core.config.briefing import Briefing
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.said import said
from turnfold.core.config.tables import Prompt, Skills
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.permission import Allow, permit
from turnfold.core.world.requests import ReadFile
from turnfold.shell.briefing import LESSON_FILES, Briefed, read_briefing
from turnfold.shell.files import LocalFiles
from turnfold.shell.folders import Folders
from turnfold.shell.processes import LocalProcesses
from turnfold.testing.fake_world import fake_world

LESSON = "---\nmatch:\n  keywords: [rebase]\n---\n# Rebase\n\nFetch first.\n"
SKILL = "---\nname: release\ndescription: How to release.\nallowed-tools: [shell]\n---\n# Release\n"
WORLD = evolve(fake_world(), files=LocalFiles(), processes=LocalProcesses((("PATH", os.environ["PATH"]),)))


@final
@frozen
class Place:
    """A home with a config folder, and a project in it whose workspace is a folder below its root."""

    home: Path

    @property
    def own(self) -> Path:
        return self.home / "config"

    @property
    def root(self) -> Path:
        return self.home / "project"

    @property
    def workspace(self) -> Path:
        return self.root / "sub"

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def cfg(self, project: Overrides | None = None, **settings: object) -> ChatConfig:
        """A conversation in the workspace; ``settings`` are the person's, ``project`` is the project's file."""
        files = () if project is None else (project,)
        return ChatConfig(ProjectConfig(Config(**settings), files=files), workspace=str(self.workspace))  # type: ignore[arg-type]

    def read(self, cfg: ChatConfig | None = None, *, trusted: tuple[Path, ...] = (), home: bool = True) -> Briefed:
        folders = Folders(config=self.own, data=self.home / "data", cache=self.home / "cache")
        known = self.cfg() if cfg is None else cfg
        return read_briefing(known, WORLD, folders, home=self.home if home else None, trusted=tuple(map(str, trusted)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path.resolve())
    (found.root / ".git").mkdir(parents=True)
    found.workspace.mkdir()
    return found


def names(done: Briefed) -> list[str]:
    return [text.name for text in done.briefing.texts]


def messages(done: Briefed) -> list[str]:
    return [problem.message for problem in done.problems]


def test_where_nothing_is_nothing_is_told(place: Place) -> None:
    assert place.read() == Briefed(briefing=Briefing())


def test_guides_come_from_the_config_folder_then_from_the_outermost_folder_down(place: Place) -> None:
    for name in ("config/AGENTS.md", "AGENTS.md", "project/AGENTS.md", "project/sub/CLAUDE.md", "project/.github/copilot-instructions.md"):
        place.write(name, f"text of {name}\r\n")
    done = place.read()
    root = str(place.root)
    assert names(done) == [f"{place.own}/AGENTS.md", f"{root}/AGENTS.md", f"{root}/.github/copilot-instructions.md", "CLAUDE.md"]
    assert done.briefing.texts[3].text == "text of project/sub/CLAUDE.md\n"
    assert messages(done) == []


def test_without_a_repository_the_way_up_ends_at_home_or_does_not_begin(place: Place) -> None:
    (place.root / ".git").rmdir()
    place.write("AGENTS.md", "home")
    place.write("project/AGENTS.md", "project")
    place.write("project/sub/AGENTS.md", "sub")
    assert [text.text for text in place.read().briefing.texts] == ["home", "project", "sub"]
    assert [text.text for text in place.read(home=False).briefing.texts] == ["sub"]
    (place.root / ".git").write_text("gitdir: elsewhere")  # a worktree
    assert [text.text for text in place.read().briefing.texts] == ["project", "sub"]


def test_a_file_is_told_once_whatever_its_names(place: Place) -> None:
    place.write("project/sub/AGENTS.md", "text\n")
    place.write("project/sub/GEMINI.md", "text")
    (place.workspace / "CLAUDE.md").symlink_to("AGENTS.md")
    assert names(place.read(place.cfg(prompt=said(Prompt, files=("*.md", "AGENTS.md"))))) == ["AGENTS.md"]


def test_prompt_files_are_globs_and_what_is_no_text_is_named(place: Place) -> None:
    for name in ("docs/b.md", "docs/a.md", "docs/deep/c.md"):
        place.write(f"project/sub/{name}", name)
    for number in range(8):
        place.write(f"project/sub/docs/{number}.png", b"\x89\0")
    (place.workspace / "docs" / "pipe").mkdir()
    os.mkfifo(place.workspace / "docs" / "pipe.md")
    done = place.read(place.cfg(prompt=said(Prompt, files=("docs/**", "missing.md", "no*such", "docs"))))
    assert names(done) == ["docs/a.md", "docs/b.md", "docs/deep/c.md"]
    assert messages(done) == [
        "prompt.files: nothing is called no*such: mend the name, or take it out.",
        "The model is not told docs/0.png (and 8 more: docs/1.png, docs/2.png, docs/3.png, docs/4.png, docs/5.png …): it is no file of UTF-8 text: save it as such, or name something else.",
        "The model is not told missing.md: it is not there: mend the name, or take it out.",
        "The model is not told docs: it is a folder: name the files in it.",
    ]


def test_the_limit_is_of_all_together_and_what_does_not_fit_is_named(place: Place) -> None:
    place.write("project/sub/AGENTS.md", "x" * 60)
    place.write("project/sub/b.md", "y" * 60)
    place.write("project/sub/c.md", "z" * 5)
    done = place.read(place.cfg(prompt=said(Prompt, files=("b.md", "c.md"), commands=("echo " + "w" * 40,), limit_bytes=100)))
    assert names(done) == ["AGENTS.md", "c.md"]
    assert messages(done) == [
        "The model is not told b.md (and 1 more: $ echo "
        + "w" * 40
        + "): there is no room left for it in prompt.limit_bytes: raise that, or name less."
    ]


def test_commands_run_in_the_workspace_and_their_failure_is_told(place: Place) -> None:
    done = place.read(place.cfg(prompt=said(Prompt, commands=("pwd", "echo no >&2; exit 3", "yes | head -c 50000", "true"))))
    texts = {text.name: text.text for text in done.briefing.texts}
    assert texts["$ pwd"] == str(place.workspace)
    assert texts["$ echo no >&2; exit 3"] == "no\n(exit code 3)"
    assert "bytes left out" in texts["$ yes | head -c 50000"]
    assert texts["$ true"] == ""
    assert messages(done) == []


def test_a_command_that_does_not_end_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnfold.shell.briefing.COMMAND_S", 0.1)
    done = place.read(place.cfg(prompt=said(Prompt, commands=("echo begun; exec sleep 1000", "echo \0"))))
    assert [text.text for text in done.briefing.texts] == ["begun\n(ended after 0.1 s)"]
    assert messages(done)[0].startswith("prompt.commands: echo \0: The command holds a NUL character")


def test_skills_and_lessons_of_the_person_and_of_the_project(place: Place) -> None:
    place.write("config/skills/mine/SKILL.md", SKILL.replace("release", "mine"))
    place.write("project/sub/.claude/skills/release/SKILL.md", SKILL)
    place.write("project/sub/.claude/skills/nothing/README.md", "")
    place.write("project/sub/.turnfold/skills/bad/SKILL.md", "---\nname: bad\n---\n")
    place.write("config/lessons/deep/mine.md", LESSON)
    place.write("project/sub/lessons/rule.mdc", "---\nglobs: **/*.py\n---\n# Rule\n")
    place.write("project/sub/lessons/old.md", LESSON.replace("match:", "status: archived\nmatch:"))
    place.write("project/sub/lessons/README.md", "# These are lessons\n")
    place.write("project/sub/lessons/broken.md", "---\na: [\n---\n")
    place.write("project/sub/lessons/latin.md", b"\xe9")
    done = place.read()
    assert [(skill.name, skill.path) for skill in done.briefing.skills] == [
        ("mine", f"{place.own}/skills/mine/SKILL.md"),
        ("release", f"{place.workspace}/.claude/skills/release/SKILL.md"),
    ]
    assert [lesson.path for lesson in done.briefing.lessons] == [f"{place.own}/lessons/deep/mine.md", "lessons/rule.mdc"]
    assert [message.split(":")[0] for message in messages(done)] == [
        f"{place.workspace}/.turnfold/skills/bad/SKILL.md",
        "lessons/broken.md",
        "The model is not told lessons/latin.md",
    ]
    cfg = evolve(place.cfg(), briefing=done.briefing)
    assert permit(ReadFile(path=f"{place.own}/skills/mine/more.md", limit_bytes=1), cfg) == Allow()


def test_a_project_leads_out_of_itself_by_no_link_and_no_name(place: Place) -> None:
    place.write("secret", "secret")
    place.write("other/SKILL.md", SKILL)
    place.write("other/lesson.md", LESSON)
    (place.workspace / "AGENTS.md").symlink_to(place.home / "secret")
    (place.workspace / "lessons").symlink_to(place.home / "other")
    (place.workspace / ".claude").mkdir()
    (place.workspace / ".claude" / "skills").symlink_to(place.home)
    project = Overrides(prompt=said(Prompt, files=("../../secret",)), skills=said(Skills, folders=(str(place.home), ".claude/skills")))
    done = place.read(place.cfg(project))
    assert done.briefing == Briefing()
    (message,) = messages(done)
    assert message.startswith("The model is not told AGENTS.md (and ")
    assert "it lies outside of the workspace, or a rule asks" in message
    assert place.read(place.cfg(project), trusted=(place.home,)) == done  # what is above the repository says nothing of it
    assert place.read(place.cfg(project), trusted=(place.workspace,)).briefing.texts
    trusting = place.read(place.cfg(project), trusted=(place.root,))
    assert [text.text for text in trusting.briefing.texts] == ["secret"]
    assert [skill.path for skill in trusting.briefing.skills] == [f"{place.home}/other/SKILL.md"]
    assert [lesson.path for lesson in trusting.briefing.lessons] == ["lessons/lesson.md"]


def test_without_a_repository_only_the_workspace_itself_can_be_trusted(place: Place) -> None:
    (place.root / ".git").rmdir()
    place.write("secret", "secret")
    (place.workspace / "CLAUDE.md").symlink_to("/dev/null")
    (place.workspace / "AGENTS.md").symlink_to(place.home / "secret")
    cfg = place.cfg()
    assert place.read(cfg, trusted=(place.root,), home=False).briefing == Briefing()
    assert names(place.read(cfg, trusted=(place.workspace,), home=False)) == ["AGENTS.md"]


def test_the_person_may_name_what_lies_outside(place: Place) -> None:
    place.write("notes.md", "notes")
    place.write("team/skills/release/SKILL.md", SKILL)
    place.write("team/lessons/a.md", LESSON)
    team = str(place.home / "team")
    cfg = place.cfg(
        prompt=said(Prompt, files=("~/notes.md",)), skills=said(Skills, folders=(f"{team}/skills",), lessons=(f"{team}/lessons",))
    )
    done = place.read(cfg)
    assert names(done) == [f"{place.home}/notes.md"]
    assert [skill.name for skill in done.briefing.skills] == ["release"]
    assert [lesson.path for lesson in done.briefing.lessons] == [f"{team}/lessons/a.md"]
    assert messages(done) == []


def test_a_rule_that_denies_wins(place: Place) -> None:
    place.write("project/sub/AGENTS.md", "x")
    place.write("project/sub/.env", "KEY=1")
    (place.workspace / "CLAUDE.md").symlink_to(".env")
    rules = (Rule(Verdict.DENY, "*", "*.env"), Rule(Verdict.ASK, "read", "*"))
    done = place.read(place.cfg(rules=rules, prompt=said(Prompt, files=(".env",))), trusted=(place.root,))
    assert names(done) == ["AGENTS.md"]
    assert messages(done) == [
        "The model is not told CLAUDE.md (and 1 more: .env): a rule of the config denies that it is read: that rule wins."
    ]


def test_what_can_not_be_read_is_a_problem_and_the_rest_counts(place: Place) -> None:
    (place.workspace / "AGENTS.md").mkdir()
    os.mkfifo(place.workspace / "CLAUDE.md")
    (place.root / "AGENTS.md").symlink_to("AGENTS.md")
    place.write("project/sub/GEMINI.md", b"\xff\xfe")
    place.write("project/GEMINI.md", "\ufeffgood")
    done = place.read()
    assert [text.text for text in done.briefing.texts] == ["good"]
    assert [message.split(":")[0] for message in messages(done)] == [
        f"The model is not told {place.root}/AGENTS.md",
        "The model is not told CLAUDE.md (and 1 more",
    ]


def test_a_skill_whose_file_leads_out_of_its_folder_grants_nothing(place: Place) -> None:
    place.write("notes/SKILL.md", SKILL)
    (place.own / "skills" / "a").mkdir(parents=True)
    (place.own / "skills" / "a" / "SKILL.md").symlink_to(place.home / "notes" / "SKILL.md")
    done = place.read()
    assert done.briefing.skills == ()
    assert "leads out of its folder by a link" in messages(done)[0]
    (place.own / "skills" / "a" / "SKILL.md").unlink()
    (place.own / "skills" / "b").symlink_to(place.home / "notes")
    assert [skill.path for skill in place.read().briefing.skills] == [f"{place.home}/notes/SKILL.md"]


def test_a_workspace_behind_a_link_is_one_all_the_same(place: Place) -> None:
    place.write("project/sub/AGENTS.md", "x")
    place.write("project/sub/.claude/skills/release/SKILL.md", SKILL)
    (place.home / "link").symlink_to(place.workspace)
    done = place.read(evolve(place.cfg(), workspace=str(place.home / "link")))
    assert names(done) == ["AGENTS.md"]
    assert [skill.path for skill in done.briefing.skills] == [f"{place.home}/link/.claude/skills/release/SKILL.md"]
    assert messages(done) == []


def test_ten_thousand_files_and_circles_do_not_hang(place: Place) -> None:
    lessons = place.workspace / "lessons"
    lessons.mkdir()
    (lessons / "round").symlink_to(lessons)
    os.mkfifo(lessons / "pipe.md")
    for number in range(10_000):
        (lessons / f"{number:05}.md").write_text("# no lesson\n" if number else LESSON)
    began = time.perf_counter()
    done = place.read()
    assert time.perf_counter() - began < 20
    assert [lesson.path for lesson in done.briefing.lessons] == ["lessons/00000.md"]
    assert messages(done) == [f"There are more than {LESSON_FILES:,} files in {lessons}: lessons beyond those are not read."]


def test_a_library_without_folders_reads_the_project(place: Place) -> None:
    place.write("project/sub/AGENTS.md", "x")
    assert names(read_briefing(place.cfg(), WORLD)) == ["AGENTS.md"]


def test_a_world_without_a_disk_has_its_briefing_too() -> None:
    world = fake_world(files={"/w/AGENTS.md": "x", "/w/lessons/a.md": LESSON, "/w/.claude/skills/release/SKILL.md": SKILL})
    done = read_briefing(ChatConfig(ProjectConfig(Config()), workspace="/w"), world)
    assert (names(done), len(done.briefing.lessons), len(done.briefing.skills)) == (["AGENTS.md"], 1, 1)
