"""The briefing: what a new conversation is told of its surroundings, read once, at the edge, through the ports of a world.

In this order: guides (``AGENTS.md`` and the like: yours, then from the outermost folder of the project down to the workspace),
``prompt.files``, the output of ``prompt.commands``, skills; and lessons, which stay outside of the prompt until one fits.

What may be read without asking may be told without asking, and no more: in the workspace, the folders of its project above it,
the extra roots and your config folder, wherever links lead; beyond those only what *you* name (in your own config, the
environment or the conversation's own settings), or a project that is trusted. A rule that denies wins. What can't be
included is a Problem, and the rest counts.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import final

from attrs import evolve, frozen
from returns.result import Failure

from turnfold.core.config.briefing import Briefing, Lesson, Skill, Text
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.lessons import LessonFile
from turnfold.core.config.said import filled
from turnfold.core.config.tables import Prompt, Skills
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.textlines import BYTE_ORDER_MARK, clipped
from turnfold.core.world.answers import FilesListed
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.permission import Allow, Deny, permit, relative
from turnfold.core.world.requests import ListFiles, ReadFile, RunProcess
from turnfold.shell.folders import Folders
from turnfold.shell.front_matter import parse_lesson_untrusted, parse_skill_untrusted
from turnfold.shell.hygiene import known_mask, printed
from turnfold.shell.left_out import LeftOut, told
from turnfold.shell.scope import Scope
from turnfold.shell.tree import WILD, Tree
from turnfold.shell.world import World

COMMAND_S = 10.0
SKILL_BYTES = 200_000
LESSON_BYTES = 32_000
LESSONS_BYTES = 2_000_000  # of all lessons together: they lie in memory, and in the journal's copy of the config
LESSON_FILES = 1_000
ENDINGS = (".md", ".mdc")
NOTE_BYTES = 100  # for what is said of a command's end, and of what was cut
ANYWHERE = ("/",)


@final
@frozen
class _Place:
    """A folder to look into, and the folders that its files may lie in."""

    folder: str
    inside: tuple[str, ...]


@final
@frozen(kw_only=True)
class Briefed:
    """A briefing, and what of it could not be read; told once."""

    briefing: Briefing
    problems: tuple[Problem, ...] = ()


def read_briefing(
    cfg: ChatConfig, world: World, folders: Folders | None = None, *, home: Path | None = None, trusted: tuple[str, ...] = ()
) -> Briefed:
    """What a conversation with ``cfg`` is told when it begins; never raises.

    Reads files and runs ``cfg.prompt.commands``, through ``world``. The ``turnfold`` command does so for every new conversation;
    a library's caller does it with ``evolve(cfg, briefing=read_briefing(cfg, world).briefing)``, else its conversations are told
    nothing of their surroundings. ``folders``: where the person's own guides, skills and lessons are, none if not given.
    ``home`` ends the way up to the project's outermost folder; ``trusted`` are the folders that the person trusts, links followed:
    one of the project's own, from its repository's root down to the workspace, has to be among them.
    """
    reader = _Reader(cfg, world, "" if folders is None else folders.config.as_posix(), home, trusted)
    reader.guides()
    reader.files()
    reader.commands()
    skills = reader.skills()
    lessons = reader.lessons()
    briefing = Briefing(texts=reader.texts, skills=skills, lessons=lessons)
    return Briefed(briefing=briefing, problems=(*reader.problems, *told(reader.left_out)))


@final
class _Reader:
    """One reading, and what was gathered on the way. ``inside``: the folders that a file may lie in, wherever links lead."""

    __slots__ = (
        "_cfg",
        "_folders",
        "_home",
        "_mask",
        "_own",
        "_room",
        "_seen",
        "_tree",
        "_trusted",
        "_world",
        "left_out",
        "problems",
        "texts",
    )

    def __init__(self, cfg: ChatConfig, world: World, own: str, home: Path | None, trusted: tuple[str, ...]) -> None:
        self.texts: tuple[Text, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        self.left_out: tuple[LeftOut, ...] = ()
        self._cfg = cfg
        self._mask = known_mask(cfg, world.secrets)
        self._world = world
        self._own = own
        self._home = home
        self._room = cfg.prompt.limit_bytes
        self._seen: frozenset[str] = frozenset()  # paths that were read, where links lead, and digests
        self._tree = Tree(world.files)
        self._folders = self._project()
        own_folders = self._folders if self._is_root(self._folders[0]) else (cfg.workspace,)
        self._trusted = any(world.files.real(folder) in trusted for folder in own_folders)

    def guides(self) -> None:
        """The guides of the config folder, then of the project's folders, the outermost first."""
        for folder in filter(None, (self._own, *self._folders)):
            for name in self._cfg.prompt.guides:
                self._include(posixpath.join(folder, name), ANYWHERE if folder == self._own else self._folders[:1], missing_ok=True)

    def files(self) -> None:
        """What ``prompt.files`` names."""
        persons = filled(Prompt(), [layer.own_prompt for layer in _persons(self._cfg)]).files
        for pattern in self._cfg.prompt.files:
            found = self._expanded(pattern)
            if not found:
                self._problem(f"prompt.files: nothing is called {clipped(pattern)}: mend the name, or take it out.")
            for path in found:
                self._include(path, ANYWHERE if pattern in persons else (), missing_ok=not WILD.isdisjoint(pattern))

    def commands(self) -> None:
        """What ``prompt.commands`` print."""
        for command in self._cfg.prompt.commands:
            request = RunProcess(
                script=command,
                cwd=self._cfg.workspace,
                environment=self._cfg.environment,
                timeout_s=COMMAND_S,
                output_bytes=max(min(self._room, self._cfg.limits.output_bytes) - len(command.encode("utf-8", "replace")) - NOTE_BYTES, 0),
                confinement=confinement_of(self._cfg),
            )
            ended = self._world.processes.run(request, Scope())
            if isinstance(ended, Problem):
                self._problem(f"prompt.commands: {clipped(command)}: {ended.message}")
                continue
            note = f"(ended after {COMMAND_S:g} s)" if ended.timed_out else f"(exit code {ended.exit_code})" if ended.exit_code else ""
            self._add(Text(f"$ {command}", "\n".join(filter(None, (printed(ended, self._mask).rstrip("\n"), note)))))

    def skills(self) -> tuple[Skill, ...]:
        """The skills of the config folder, then of ``skills.folders``."""
        persons = filled(Skills(), [layer.own_skills for layer in _persons(self._cfg)]).folders
        found: tuple[Skill, ...] = ()
        for place in self._places("skills", self._cfg.skills.folders, persons):
            for name in self._tree.folders(place.folder):
                skill = self._skill(posixpath.join(place.folder, name), place.inside)
                if skill is not None and self._fits(skill.path, f"{skill.name}{skill.description}{skill.path}"):
                    found = (*found, skill)
        return found

    def _skill(self, folder: str, inside: tuple[str, ...]) -> Skill | None:
        """The skill in ``folder``, by the path to which links lead: permission to read it is by that path."""
        files = self._world.files
        path = posixpath.join(folder, "SKILL.md")
        text = self._read(path, inside, SKILL_BYTES, missing_ok=True)
        if text is None:
            return None
        there = files.real(folder)
        if relative(files.real(path), there).startswith("/"):
            self._leave(path, "astray")
            return None
        skill = parse_skill_untrusted(text, posixpath.join(self._from_workspace(there), "SKILL.md"))
        if isinstance(skill, Failure):
            self._failed(skill.failure())
            return None
        return skill.unwrap()

    def lessons(self) -> tuple[Lesson, ...]:
        """The lessons of the config folder, then of ``skills.lessons``."""
        persons = filled(Skills(), [layer.own_skills for layer in _persons(self._cfg)]).lessons
        found: tuple[Lesson, ...] = ()
        room = LESSONS_BYTES
        for place in self._places("lessons", self._cfg.skills.lessons, persons):
            below = self._tree.below(place.folder, ENDINGS, LESSON_FILES)
            if below.more:
                self._problem(f"There are more than {LESSON_FILES:,} files in {place.folder}: lessons beyond those are not read.")
            for path in below.found:
                file = self._lesson(path, place.inside, min(LESSON_BYTES, room))
                if file is not None and file.tells:
                    self.problems = (*self.problems, *file.problems)
                    found = (*found, file.lesson)
                    room -= len(file.lesson.text.encode("utf-8", "replace"))
        return found

    def _lesson(self, path: str, inside: tuple[str, ...], limit_bytes: int) -> LessonFile | None:
        text = self._read(path, inside, limit_bytes, missing_ok=True)
        if text is None:
            return None
        file = parse_lesson_untrusted(text, relative(path, self._cfg.workspace))
        if isinstance(file, Failure):
            self._failed(file.failure())
            return None
        return file.unwrap()

    def _project(self) -> tuple[str, ...]:
        """From the project's outermost folder (a repository's root, or home) down to the workspace; else the workspace alone.

        What lies above is nobody's, as ``/tmp`` is: a file there may be anyone's.
        """
        workspace = Path(self._cfg.workspace)
        home = "" if self._home is None else self._world.files.real(self._home.as_posix())
        chain: tuple[str, ...] = ()
        for folder in (workspace, *workspace.parents):
            chain = (folder.as_posix(), *chain)
            if self._is_root(folder.as_posix()) or folder.as_posix() == home:
                return chain
        return (self._cfg.workspace,)

    def _is_root(self, folder: str) -> bool:
        """Whether ``folder`` is a repository's."""
        git = self._world.files.list(ListFiles(path=posixpath.join(folder, ".git"), limit=0))
        return isinstance(git, FilesListed) or git.code == "not-directory"  # a worktree has a file there

    def _places(self, own: str, named: tuple[str, ...], persons: tuple[str, ...]) -> Iterator[_Place]:
        """The config folder's own, then what the settings name."""
        if self._own:
            yield _Place(posixpath.join(self._own, own), ANYWHERE)
        for pattern in named:
            for folder in self._expanded(pattern):
                outside = relative(folder, self._cfg.workspace).startswith("/")
                yield _Place(folder, ANYWHERE if outside and pattern in persons else ())

    def _expanded(self, pattern: str) -> tuple[str, ...]:
        at_home = self._home is not None and pattern.startswith("~/")
        return self._tree.expanded(self._cfg.workspace, f"{self._home}{pattern[1:]}" if at_home else pattern)

    def _include(self, path: str, inside: tuple[str, ...], *, missing_ok: bool) -> None:
        text = self._read(path, inside, self._room, missing_ok=missing_ok, large="no-room")
        digest = hashlib.sha256((text or "").strip().encode("utf-8", "replace")).hexdigest()
        if text is None or not text.strip() or digest in self._seen:
            return  # a copy of CLAUDE.md under the name AGENTS.md is common
        self._seen |= {digest}
        self._add(Text(relative(path, self._cfg.workspace), text))

    def _add(self, text: Text) -> None:
        if self._fits(text.name, text.name + text.text):
            self.texts = (*self.texts, text)

    def _fits(self, name: str, text: str) -> bool:
        """Whether there is room in the prompt for ``text``, which then takes it."""
        size = len(text.encode("utf-8", "replace"))
        if size > self._room:
            self._leave(name, "no-room")
            return False
        self._room -= size
        return True

    def _read(self, path: str, inside: tuple[str, ...], limit_bytes: int, *, missing_ok: bool, large: str = "too-large") -> str | None:
        """The text at ``path``, the first time; None where there is none, or it is left out, which is told."""
        files = self._world.files
        real = files.real(path)
        if real in self._seen:
            return None
        request = ReadFile(path=self._from_workspace(real), limit_bytes=limit_bytes)
        read = files.read(request)
        if isinstance(read, Problem) and missing_ok and read.code in {"not-found", "is-directory", "not-directory"}:
            return None
        if isinstance(permit(request, self._cfg), Deny) or isinstance(permit(evolve(request, path=path), self._cfg), Deny):
            self._leave(path, "denied")
            return None
        within = self._trusted or any(not relative(real, files.real(folder)).startswith("/") for folder in inside)
        if not within and not isinstance(permit(request, self._cfg), Allow):
            self._leave(path, "asks")
            return None
        if isinstance(read, Problem):
            self._leave(path, large if read.code == "too-large" else read.code)
            return None
        self._seen |= {real}
        return scalar_text(read.text.removeprefix(BYTE_ORDER_MARK)).replace("\r\n", "\n")

    def _from_workspace(self, real: str) -> str:
        """``real``, under the name of the workspace where that lies behind a link."""
        name = relative(real, self._world.files.real(self._cfg.workspace))
        return real if name.startswith("/") else posixpath.normpath(posixpath.join(self._cfg.workspace, name))

    def _leave(self, path: str, code: str) -> None:
        self.left_out = (*self.left_out, LeftOut(relative(path, self._cfg.workspace), code))

    def _failed(self, problem: Problem) -> None:
        self.problems = (*self.problems, problem)

    def _problem(self, message: str) -> None:
        self._failed(caller_problem("bad-briefing", message))


def _persons(cfg: ChatConfig) -> tuple[Layer, ...]:
    """The layers that are not the project's, the highest first: what the person says."""
    return (*cfg.overrides, cfg, *cfg.project.variables, *cfg.project.base.layers)
