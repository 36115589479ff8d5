"""One run of the command: what is said goes in, the world acts, the screen shows it, and an exit code comes out."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import final

from attrs import evolve, frozen
from returns.result import Failure

from turnfold.cli.arguments import Talk
from turnfold.cli.briefed import briefed
from turnfold.cli.context import STDIN_BYTES, read_context, stdin_piece, with_context
from turnfold.cli.documents import kept_document
from turnfold.cli.drive import driven, interrupting, ready_world, terminal_for
from turnfold.cli.dry_run import DryFiles
from turnfold.cli.ending import ended, exit_of, left_at_once
from turnfold.cli.exits import Exit
from turnfold.cli.loop import Conversation, converse
from turnfold.cli.opening import Opening, open_kept, open_new
from turnfold.cli.output import is_terminal, write
from turnfold.cli.screen import Screen, Streams, say
from turnfold.cli.view import View
from turnfold.cli.workspace import find_workspace
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.inputs import CommandGiven, Input, Resumed, SettingsChanged, UserSaid
from turnfold.core.agent.step import execute_command
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, dumps
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.trace.propagation import VARIABLE
from turnfold.core.trace.w3c import traceparent_untrusted
from turnfold.shell.catalogue import catalogue
from turnfold.shell.desk import RunResult
from turnfold.shell.discovery import Chosen
from turnfold.shell.driving import driving
from turnfold.shell.folders import find_folders
from turnfold.shell.real import real_world
from turnfold.shell.routed_models import explained
from turnfold.shell.scope import Scope
from turnfold.shell.settings import load_settings
from turnfold.shell.toolbox import Toolbox, equipped
from turnfold.shell.world import World

LEFT_OUT_SHOWN = 3  # sentences about what a project's file may not say; of more, only how many
PATIENCE_S = 1.0  # until a person is told that standard input is waited for


@final
@frozen(kw_only=True, eq=False)
class Said:
    """What goes into a run, and where."""

    plan: Talk
    text: str
    workspace: Path
    looped: bool = False  # nothing is said yet: it is read from the terminal, line by line


def talk(plan: Talk, streams: Streams, environ: Mapping[str, str]) -> Exit:
    """Do what ``plan`` says; raises ``JournalError`` where the journal can't be opened."""
    said = _said(plan, streams)
    if isinstance(said, Problem):
        return refused(streams, said)
    folders = find_folders(environ)
    settings = load_settings(folders, said.workspace, environ, (catalogue(),))
    if isinstance(settings, tuple):
        return refused(streams, *settings)
    for sentence in left_out(settings.withheld):
        say(streams, f"turnfold: {sentence}")
    progress = Progress(streams)

    def tell(chosen: Chosen) -> None:
        say(streams, explained(chosen))

    with real_world(environ=environ, folders=folders, tell=tell, progress=progress.seen) as world:
        equip = partial(_equipped, plan, streams, world)
        if plan.resume is not None:
            opening = open_kept(plan, plan.resume, said.workspace, equip, world)
        else:
            opening = open_new(plan, settings.project, said.workspace, equip, world, partial(briefed, plan, streams, folders, environ))
        if isinstance(opening, Problem):
            return refused(streams, opening)
        if not opening.resumed:
            opening = _in_trace(opening, streams, environ)
        with driving(folders.data, opening.cfg.conversation) as taken:
            if taken is not None:
                return refused(streams, taken)
            return _begun(said, opening, streams, folders.data / "history")


def _in_trace(opening: Opening, streams: Streams, environ: Mapping[str, str]) -> Opening:
    """``opening`` as a part of the trace that the process was started in, where it was in one (``TRACEPARENT``)."""
    given = environ.get(VARIABLE, "")
    if not given:
        return opening
    found = traceparent_untrusted(given)
    if isinstance(found, Failure):
        say(streams, f"turnfold: {VARIABLE} is left out: {found.failure().message}")
        return opening
    return evolve(opening, cfg=evolve(opening.cfg, traceparent=str(found.unwrap())))


def _equipped(plan: Talk, streams: Streams, world: World, cfg: ChatConfig) -> Toolbox | Problem:
    """The tools of ``cfg``; a server that can't be reached is told of, and one that would be started for a dry run is not."""
    scope = Scope()
    try:
        with interrupting(scope):
            box = equipped(cfg, world, servers=not plan.dry_run, scope=scope)
    except KeyboardInterrupt:
        scope.cancel()
        raise
    if isinstance(box, Toolbox):
        for problem in box.problems:
            say(streams, f"turnfold: {problem.message}")
    return caller_problem("interrupted", "It was interrupted before it began.") if scope.cancelled else box


def _begun(said: Said, opening: Opening, streams: Streams, history: Path) -> Exit:
    world = opening.box.world
    if opening.resumed:
        name = opening.state.past.name or opening.cfg.name or opening.cfg.conversation
        say(streams, f"Going on with {name}, in {opening.cfg.workspace}.")
    names = tuple(tool.name for tool in opening.box.tools)
    keep = partial(kept_document, folder=Path(), files=DryFiles(world.files) if said.plan.dry_run else world.files)
    screen = Screen(streams, View(cfg=opening.cfg, tools=names, past=opening.state.past), keep)
    if not said.looped:
        return _run(said, opening, screen, streams, world)
    begun = RunResult(state=opening.state, cfg=opening.cfg)
    return converse(
        Conversation(plan=said.plan, screen=screen, streams=streams, world=world, tools=opening.box.tools),
        begun,
        _inputs(said, opening, world),
        history,
    )


def _run(said: Said, opening: Opening, screen: Screen, streams: Streams, world: World) -> Exit:
    """What is said or commanded on the command line, to its end."""
    plan, scope = said.plan, Scope()
    if plan.prompt.startswith("/") and not opening.resumed and _told(said, opening, screen):
        return exit_of(RunResult(state=opening.state, cfg=opening.cfg), screen.told)
    begun = RunResult(state=opening.state, cfg=opening.cfg)
    try:
        with terminal_for(plan) as terminal, interrupting(scope):
            ready = ready_world(plan, terminal, screen, world, scope)
            result = driven(_inputs(said, opening, world), begun, opening.box.tools, ready, screen, scope)
    except KeyboardInterrupt:
        screen.line()
        say(streams, left_at_once(plan, opening.cfg.conversation, kept=screen.view.past.started))
        return Exit.INTERRUPTED
    return ended(plan, result, screen, streams)


def left_out(withheld: tuple[Problem, ...]) -> Iterator[str]:
    """What a run tells of the settings that a project's file may not decide: a hostile file fills no screen."""
    yield from map(str, withheld[:LEFT_OUT_SHOWN])
    more = len(withheld) - LEFT_OUT_SHOWN
    if more > 0:
        yield f"{more:,} more of the project's settings {'is' if more == 1 else 'are'} left out. To see them all, say: turnfold config check"


def refused(streams: Streams, *problems: Problem) -> Exit:
    """Tell what is wrong with the arguments or the config."""
    for problem in problems:
        say(streams, f"turnfold: {problem}" if problem.code == "bad-settings" else f"turnfold: {problem.message}")
    return Exit.USAGE


def _said(plan: Talk, streams: Streams) -> Said | Problem:
    workspace = find_workspace(plan.workspace)
    if isinstance(workspace, Problem):
        return workspace
    if plan.prompt.startswith("/"):
        return Said(plan=plan, text=plan.prompt, workspace=workspace)
    files = read_context(plan.files, Path())
    if isinstance(files, Problem):
        return files
    piped = stdin_piece(_stdin(streams))
    if isinstance(piped, Problem):
        return piped
    text = with_context(plan.prompt, (*files, *(() if piped is None else (piped,))))
    looped = not text.strip() and not plan.json and is_terminal(sys.stdin) and is_terminal(streams.out)
    if not text.strip() and plan.resume is None and not looped:
        return caller_problem("no-prompt", 'Say what shall be done:  turnfold "what is in this folder?"  (turnfold --help shows more).')
    return Said(plan=plan, text=text, workspace=workspace, looped=looped)


def _stdin(streams: Streams) -> bytes:
    """What is piped in, at most one byte more than is used; empty where standard input is a terminal, or closed."""
    try:
        if sys.stdin is None or sys.stdin.isatty():
            return b""
        descriptor = sys.stdin.fileno()
        if not select.select([descriptor], [], [], PATIENCE_S)[0]:
            say(streams, "Reading standard input, which is no terminal; </dev/null says that there is none.")
        data = b""
        while len(data) <= STDIN_BYTES and (more := os.read(descriptor, STDIN_BYTES + 1 - len(data))):
            data += more
    except (OSError, ValueError):
        return b""
    return data


def _told(said: Said, opening: Opening, screen: Screen) -> bool:
    """Whether the command of a new conversation only told something (``/help``), so that there is nothing to keep."""
    tried = execute_command(said.text, opening.box.tools, opening.cfg)
    if tried.state.past.started:
        return False
    for effect in tried.effects:
        if isinstance(effect, Publish):
            screen.watch(effect)
    return True


def _inputs(said: Said, opening: Opening, world: World) -> Iterator[Input]:
    if opening.change is not None:
        yield SettingsChanged(opening.change, world.clock.now_ms())
    if opening.resumed:
        yield Resumed(world.clock.now_ms())
    for image in said.plan.images:  # as if the person had called the tool first
        call = dumps(JsonObject.of(path=Path(image).absolute().as_posix()))
        yield CommandGiven(f"/vision --json {call}", world.clock.now_ms())
    if said.plan.prompt.startswith("/"):
        yield CommandGiven(said.text, world.clock.now_ms())
    elif said.text.strip():
        yield UserSaid(said.text, world.clock.now_ms())


@final
class Progress:
    """How far the weights are, as one line that is written over; without a terminal, a line a quarter."""

    __slots__ = ("_streams", "_told")

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._told = -1

    def seen(self, done_bytes: int, total_bytes: int) -> None:
        """Show ``done_bytes`` of ``total_bytes``."""
        terminal = is_terminal(self._streams.err)
        step = 1 if terminal else 25
        percent = done_bytes * 100 // max(total_bytes, 1) // step * step
        if percent == self._told:
            return
        self._told = percent
        text = f"Fetching the embedded model's weights, once: {percent} % of {total_bytes / 1e6:,.0f} MB"
        with contextlib.suppress(OSError, ValueError):
            write(self._streams.err, f"\r{text}{chr(10) if percent == 100 else ''}" if terminal else f"{text}\n")
