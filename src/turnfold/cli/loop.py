"""The prompt loop: a conversation at the terminal, a text or a command at a time.

Ctrl-C clears the line, or interrupts the running turn; pressed twice it leaves the turn at once. Ctrl-D, ``/exit``,
SIGTERM and a hang-up leave; the conversation stays, and the last line says how to go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import final

from attrs import evolve, frozen

from turnfold.cli.arguments import Talk
from turnfold.cli.asking import Terminal
from turnfold.cli.drive import driven, interrupting, leaving, ready_world, terminal_for
from turnfold.cli.ending import closing
from turnfold.cli.exits import Exit
from turnfold.cli.line_editor import Editor, line_editor
from turnfold.cli.screen import Screen, Streams, say
from turnfold.core.agent.commands.table import COMMANDS
from turnfold.core.agent.inputs import CommandGiven, Input, Interrupted, TimePassed, UserSaid
from turnfold.core.journal import load
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.desk import RunResult
from turnfold.shell.ports import JournalError
from turnfold.shell.scope import Scope
from turnfold.shell.world import World

GREETING = "Say what shall be done. /help lists the commands, Ctrl-D leaves."


@final
@frozen(kw_only=True, eq=False)
class Conversation:
    """What a conversation at the terminal is held with."""

    plan: Talk
    screen: Screen
    streams: Streams
    world: World
    tools: tuple[ToolSpec, ...]


def converse(held: Conversation, begun: RunResult, first: Iterable[Input], history: Path) -> Exit:
    """The conversation from ``begun``, first with the inputs that are due, then line by line until the person leaves."""
    leave = Scope()
    names = tuple(sorted({name for command in COMMANDS for name in (command.name, *command.aliases)} | {tool.name for tool in held.tools}))
    with line_editor(history, names) as editor, terminal_for(held.plan) as terminal:
        say(held.streams, GREETING)
        result = begun
        inputs: Iterator[Input] | None = iter(first)
        while inputs is not None:
            try:
                result = _turn(held, inputs, result, terminal, leave)
                inputs = None if held.screen.left or leave.cancelled else _read(held, editor, result, leave)
            except KeyboardInterrupt:  # while nothing ran
                result, inputs = _reloaded(held, result, held.world), iter(())
    held.screen.line()
    say(held.streams, closing(held.plan, result))
    return Exit.INTERRUPTED if leave.cancelled else Exit.DONE


def _read(held: Conversation, editor: Editor, result: RunResult, leave: Scope) -> Iterator[Input] | None:
    """What the person says or commands next; None where they leave. Ctrl-C begins the line anew."""
    held.screen.line()
    if result.questions:
        waits = counted(len(result.questions), "question")
        say(held.streams, f"({waits} open: Enter asks again, and what you say waits for the answer)")
    while True:
        try:
            with leaving(leave):
                text = editor.text()
        except EOFError:
            return None
        except KeyboardInterrupt:
            say(held.streams, "")
            continue
        except UnicodeDecodeError:
            say(held.streams, "turnfold: that was no UTF-8 text, so it was not taken.")
            continue
        if text is None:
            say(held.streams, "")
            return None
        if text.strip() or result.questions:
            return _inputs(text, held, asked=bool(result.questions))


def _inputs(text: str, held: Conversation, *, asked: bool) -> Iterator[Input]:
    if text.startswith("/"):
        yield CommandGiven(text.rstrip(), held.world.clock.now_ms())
    elif text.strip():
        yield UserSaid(text, held.world.clock.now_ms())
    if asked and not held.screen.left:
        yield TimePassed(held.world.clock.now_ms())  # nothing is new but the time; what is open is asked again


def _turn(held: Conversation, inputs: Iterable[Input], begun: RunResult, terminal: Terminal | None, leave: Scope) -> RunResult:
    """The conversation after ``inputs``; a turn that was left at once is interrupted from the journal."""
    scope, screen = Scope(), held.screen
    screen.told = ()
    ready = ready_world(held.plan, terminal, screen, held.world, scope)
    try:
        with interrupting(scope, leave):
            result = driven(inputs, begun, held.tools, ready, screen, scope)
    except KeyboardInterrupt:
        return _left_at_once(held, begun, ready)
    if result.problem is not None and result.problem not in screen.told:
        screen.problem(result.problem)
    return evolve(result, problem=None)


def _left_at_once(held: Conversation, begun: RunResult, world: World) -> RunResult:
    held.screen.line()
    reloaded = _reloaded(held, begun, world)
    if reloaded.state.idle:  # the turn's end was recorded just then, and may not have been shown
        say(held.streams, "(interrupted)")
        return reloaded
    return driven((Interrupted(world.clock.now_ms()),), reloaded, held.tools, world, held.screen, Scope())


def _reloaded(held: Conversation, begun: RunResult, world: World) -> RunResult:
    """The conversation as the journal has it, where nobody knows how far a run has come."""
    try:
        state = load(world.journal.load(begun.cfg.conversation))
    except JournalError:
        state = begun.state  # nothing of it is kept
    held.screen.view = evolve(held.screen.view, past=state.past)
    return evolve(begun, state=state)
