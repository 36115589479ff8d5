"""One run of the command: what is said goes in, the world acts, the screen shows it, and an exit code comes out."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TextIO, final

from attrs import evolve, frozen

from turnfold.cli.arguments import Talk
from turnfold.cli.asking import Terminal
from turnfold.cli.context import STDIN_BYTES, read_context, stdin_piece, with_context
from turnfold.cli.dry_run import dry_world
from turnfold.cli.exits import Exit
from turnfold.cli.json_lines import problem_line
from turnfold.cli.opening import Opening, SettledModels, open_kept, open_new
from turnfold.cli.output import write
from turnfold.cli.screen import Answering, Person, Screen, Streams, always_dry, always_yes, from_terminal, nobody, say
from turnfold.cli.view import View
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.events import Reason
from turnfold.core.agent.inputs import CommandGiven, Input, Interrupted, Resumed, SettingsChanged, UserSaid
from turnfold.core.agent.step import execute_command
from turnfold.core.llm.reply import Usage
from turnfold.core.problem import Blame, Problem, caller_problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.output import counted
from turnfold.core.tools.textlines import clipped
from turnfold.shell.catalogue import catalogue
from turnfold.shell.desk import Desk, RunResult
from turnfold.shell.discovery import Chosen
from turnfold.shell.driving import driving
from turnfold.shell.real import find_folders, real_world
from turnfold.shell.routed_models import explained
from turnfold.shell.run import run
from turnfold.shell.scope import Scope
from turnfold.shell.settings import load_settings
from turnfold.shell.world import World

PATIENCE_S = 1.0  # until a person is told that standard input is waited for

EXITS: tuple[tuple[Reason, Exit], ...] = (
    (Reason.COMPLETED, Exit.DONE),
    (Reason.CUT, Exit.LIMIT),
    (Reason.FAILED, Exit.FAILED),
    (Reason.INTERRUPTED, Exit.INTERRUPTED),
    (Reason.LIMIT, Exit.LIMIT),
)


@final
@frozen(kw_only=True, eq=False)
class Said:
    """What goes into a run, and where."""

    plan: Talk
    text: str
    workspace: Path


def talk(plan: Talk, streams: Streams, environ: Mapping[str, str]) -> Exit:
    """Do what ``plan`` says; raises ``JournalError`` where the journal can't be opened."""
    said = _said(plan, streams)
    if isinstance(said, Problem):
        return refused(streams, said)
    folders = find_folders(environ)
    settings = load_settings(folders, said.workspace, environ, (catalogue(),))
    if isinstance(settings, tuple):
        return refused(streams, *settings)
    for left_out in settings.withheld:
        say(streams, f"turnfold: {left_out}")
    progress = Progress(streams)

    def tell(chosen: Chosen) -> None:
        say(streams, explained(chosen))

    with real_world(environ=environ, folders=folders, tell=tell, progress=progress.seen) as world:
        if plan.resume is not None:
            opening = open_kept(plan, plan.resume, said.workspace, BUILTIN_TOOLS, world)
        else:
            opening = open_new(plan, settings.project, said.workspace, BUILTIN_TOOLS, world)
        if isinstance(opening, Problem):
            return refused(streams, opening)
        with driving(folders.data, opening.cfg.conversation) as taken:
            if taken is not None:
                return refused(streams, taken)
            return _begun(said, opening, streams, world)


def _begun(said: Said, opening: Opening, streams: Streams, world: World) -> Exit:
    if opening.resumed:
        say(streams, f"Going on with {opening.cfg.name or opening.cfg.conversation}, in {opening.cfg.workspace}.")
    return _run(said, opening, streams, world)


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
    if not text.strip() and plan.resume is None:
        return caller_problem("no-prompt", 'Say what shall be done:  turnfold "what is in this folder?"  (turnfold --help shows more).')
    return Said(plan=plan, text=text, workspace=workspace)


def find_workspace(folder: str) -> Path | Problem:
    """The folder to work in, absolute and without links, or what is wrong with it."""
    try:
        path = Path(folder or ".").expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        name = clipped(folder) or "(the current folder)"
        return caller_problem("bad-workspace", f"The workspace {name} can't be used: {why.rstrip('.')}.")
    if not path.is_dir():
        return caller_problem("bad-workspace", f"The workspace {path} is no folder: name the folder to work in.")
    return path


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


def _run(said: Said, opening: Opening, streams: Streams, world: World) -> Exit:
    plan, scope = said.plan, Scope()
    names = tuple(tool.name for tool in BUILTIN_TOOLS)
    screen = Screen(streams, View(cfg=opening.cfg, tools=names, past=opening.state.past))
    commanded = plan.prompt.startswith("/")
    if commanded and not opening.resumed and _told(said, opening, screen):
        return exit_of(RunResult(state=opening.state, cfg=opening.cfg), screen.told)
    known = evolve(world, models=SettledModels(world.models))
    with _terminal(plan) as terminal, interrupting(scope):
        human = Person(screen, _answering(plan, terminal, screen, world, scope), whole=not plan.yes)
        ready = dry_world(known, human) if plan.dry_run else evolve(known, human=human)
        result = _driven(said, opening, ready, screen, scope)
        if scope.cancelled and not result.state.idle and result.problem is None:
            now = Interrupted(world.clock.now_ms())
            result = run(now, BUILTIN_TOOLS, result.cfg, ready, state=result.state, watch=screen.watch)
    return _ended(said, result, screen, streams)


def _told(said: Said, opening: Opening, screen: Screen) -> bool:
    """Whether the command of a new conversation only told something (``/help``), so that there is nothing to keep."""
    tried = execute_command(said.text, BUILTIN_TOOLS, opening.cfg)
    if not tried.state.idle:
        return False
    for effect in tried.effects:
        if isinstance(effect, Publish):
            screen.watch(effect)
    return True


def _driven(said: Said, opening: Opening, world: World, screen: Screen, scope: Scope) -> RunResult:
    """The inputs of this run, one after another, each driven until the conversation is idle or paused."""
    result = RunResult(state=opening.state, cfg=opening.cfg)
    for input in _inputs(said, opening, world):
        if scope.cancelled:
            break
        if isinstance(input, SettingsChanged) or (isinstance(input, UserSaid) and result.questions):
            desk = Desk(result.state, BUILTIN_TOOLS, result.cfg, world, screen.watch)
            desk.take(input)  # nothing is performed for it: questions stay open, and what is said waits
            result = evolve(result, state=desk.state)
            continue
        result = run(input, BUILTIN_TOOLS, result.cfg, world, state=result.state, watch=screen.watch, scope=scope)
        if result.problem is not None:
            break
    return result


def _inputs(said: Said, opening: Opening, world: World) -> Iterator[Input]:
    if opening.change is not None:
        yield SettingsChanged(opening.change, world.clock.now_ms())
    if opening.resumed:
        yield Resumed(world.clock.now_ms())
    if said.plan.prompt.startswith("/"):
        yield CommandGiven(said.text, world.clock.now_ms())
    elif said.text.strip():
        yield UserSaid(said.text, world.clock.now_ms())


def _answering(plan: Talk, terminal: Terminal | None, screen: Screen, world: World, scope: Scope) -> Answering:
    if plan.dry_run:
        return always_dry(world.clock)
    if plan.yes:
        return always_yes(world.clock)
    return nobody if terminal is None else from_terminal(terminal, screen, world.clock, scope)


@contextlib.contextmanager
def _terminal(plan: Talk) -> Iterator[Terminal | None]:
    terminal = None if plan.yes or plan.dry_run or plan.json else Terminal.open()
    try:
        yield terminal
    finally:
        if terminal is not None:
            terminal.close()


@contextlib.contextmanager
def interrupting(scope: Scope) -> Iterator[None]:
    """While the block runs, the first Ctrl-C (or SIGTERM, or hang-up) cancels ``scope``, and the second raises KeyboardInterrupt."""

    def handle(number: int, frame: FrameType | None) -> None:
        if scope.cancelled:
            raise KeyboardInterrupt
        scope.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = tuple((number, signal.signal(number, handle)) for number in numbers)
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def exit_of(result: RunResult, told: tuple[Problem, ...]) -> Exit:
    """The exit code that says how a run ended; ``told`` are the Problems that were shown."""
    if result.questions:
        return Exit.PAUSED
    if result.ended is not None:
        return next(code for reason, code in EXITS if reason is result.ended.reason)
    if result.problem is not None:
        return Exit.FAILED
    return Exit.USAGE if any(problem.blame is Blame.CALLER for problem in told) else Exit.DONE


def _ended(said: Said, result: RunResult, screen: Screen, streams: Streams) -> Exit:
    if result.problem is not None and result.problem not in screen.told:
        screen.problem(result.problem)
        if streams.json:
            write(streams.out, problem_line(result.problem))
    screen.line()
    say(streams, closing(said.plan, result))
    return exit_of(result, screen.told)


def closing(plan: Talk, result: RunResult) -> str:
    """The last line: which conversation this was, what it cost, and how to go on."""
    past, conversation = result.state.past, result.cfg.conversation
    if plan.dry_run:
        return "Dry run: nothing was done, and nothing of it is kept."
    if not past.conversation:
        return "Nothing of this conversation is kept."
    if result.questions:
        return (
            f"Waits for permission ({counted(len(result.questions), 'question')}): go on in a terminal with  turnfold --resume {conversation}"
            "  or allow it with --yes; a rule in config.toml allows it in new conversations."
        )
    usage = past.usage
    tokens = f" · {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out" if usage.input_tokens or usage.output_tokens else ""
    return f'conversation {conversation}{tokens}{cost_text(usage)} · go on:  turnfold --resume {conversation} "…"'


def cost_text(usage: Usage) -> str:
    """What a conversation cost, as far as prices are known; empty where it is nothing.

    >>> cost_text(Usage(cost_usd=0.00421)), cost_text(Usage(cost_usd=1.5, unpriced_tokens=3)), cost_text(Usage(unpriced_tokens=3))
    (' · $0.0042', ' · at least $1.50', '')
    """
    if usage.cost_usd <= 0:
        return ""
    amount = f"${usage.cost_usd:.2f}" if usage.cost_usd >= 1 else f"${usage.cost_usd:.4f}"
    return f" · at least {amount}" if usage.unpriced_tokens else f" · {amount}"


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


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads ``stream``."""
    try:
        return stream.isatty()
    except ValueError:
        return False  # closed
