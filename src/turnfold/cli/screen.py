"""The screen: what a run does to standard output, standard error and the person, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Protocol, TextIO, TypeAlias, final

from attrs import evolve, field, frozen
from typing_extensions import override

from turnfold.cli.asking import EDIT, HINT, VIEW, Terminal, decision_of, prompt_of
from turnfold.cli.forms import filled
from turnfold.cli.json_lines import effect_line
from turnfold.cli.output import is_terminal, write
from turnfold.cli.rewriting import rewritten
from turnfold.cli.style import Piece, painted
from turnfold.cli.view import Shown, View, act_shown, asked_by_child, shown
from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Document, Effect, Leave, Notice, Publish
from turnfold.core.agent.inputs import Decided
from turnfold.core.agent.state import effective
from turnfold.core.problem import Problem
from turnfold.core.tools.preview import UNBOUNDED, preview, visible
from turnfold.core.world.requests import AskHuman
from turnfold.shell.ports import Clock, Human
from turnfold.shell.scope import Scope

TRIES = 5
NOBODY_CHOOSES = "Nobody is there to choose (--yes): decide for yourself, and say what you chose."


@final
@frozen(kw_only=True, eq=False)
class Streams:
    """Where output goes, and whether it is painted."""

    out: TextIO = field(repr=False)
    err: TextIO = field(repr=False)
    colour: bool = False
    json: bool = False


def say(streams: Streams, text: str) -> None:
    """One line about the run, on standard error; nothing where nobody can read it."""
    try:
        write(streams.err, visible(text).rstrip("\n") + "\n")
    except (OSError, ValueError):
        return


Keep: TypeAlias = Callable[[Document], Notice | Problem]


@final
class Screen:
    """Shows each effect as it comes, and has documents kept by ``keep``.

    ``told`` are the Problems that were shown; ``view`` is how far the output is; ``left``: the person wants to leave.
    """

    __slots__ = ("_keep", "_streams", "left", "told", "turn", "view")

    def __init__(self, streams: Streams, view: View, keep: Keep) -> None:
        self._streams = streams
        self._keep = keep
        self.turn = RLock()  # children side by side ask from their own threads, and nothing is written over a question
        self.view = view
        self.told: tuple[Problem, ...] = ()
        self.left = False

    def watch(self, effect: Effect) -> None:
        """Show ``effect``."""
        with self.turn:
            if self._streams.json:
                line = effect_line(effect)
                if line:
                    write(self._streams.out, line)
            self._show(shown(self.view, effect))
            match effect:
                case Publish(what=Problem() as problem):
                    self.problem(problem)
                case Publish(what=Document() as document):
                    self._document(document)
                case Publish(what=Leave()):
                    self.left = True
                case _:
                    pass

    def _document(self, document: Document) -> None:
        if document.path:
            self.watch(Publish(self._keep(document)))
        elif not self._streams.json:
            self.line()
            # a terminal obeys some characters, a file has them as they are
            text = visible(document.text).rstrip("\n") + "\n" if is_terminal(self._streams.out) else document.text
            write(self._streams.out, text)

    def problem(self, problem: Problem) -> None:
        """Tell a Problem on standard error, once."""
        if problem in self.told:
            return
        self.told = (*self.told, problem)
        self.line()
        say(self._streams, f"turnfold: {problem.message}".replace("turnfold: turnfold ", "turnfold "))

    def act(self, question: Question, *, whole: bool) -> None:
        """Show what is asked for, in short or whole; of a child, whose acts are not in view, always whole."""
        if question.child:
            self._show(asked_by_child(self.view, question.child, question.preview))
            return
        self._show(act_shown(self.view, question.request_id, whole=whole))

    def whole(self, question: Question) -> str:
        """All of what is asked for, as text, however long it is."""
        if question.child:
            return preview(question.request, (), effective(self.view.cfg, self.view.past), UNBOUNDED) + "\n"
        pieces = act_shown(self.view, question.request_id, whole=True, limit_bytes=UNBOUNDED).pieces
        return "".join(painted(piece, colour=self._streams.colour) for piece in pieces)

    def line(self) -> None:
        """End the line that the prose is in."""
        if not self.view.fresh:
            self._show(Shown(evolve(self.view, fresh=True), (Piece("\n"),)))

    def _show(self, news: Shown) -> None:
        self.view = news.view
        text = "".join(painted(piece, colour=self._streams.colour) for piece in news.pieces)
        if text and not self._streams.json:
            write(self._streams.out, text)


class Answering(Protocol):
    """How questions are answered in one run, once the act was shown."""

    def __call__(self, question: Question) -> Decided | None: ...


@final
@frozen(eq=False)
class Person(Human):
    """Whoever answers questions: the act is shown on the screen first, then ``answering`` decides."""

    screen: Screen
    answering: Answering
    whole: bool = True  # the act is shown whole

    @override
    def decide(self, question: Question) -> Decided | None:
        with self.screen.turn:  # children side by side ask one after another
            if self.screen.left:
                return None  # whoever leaves is asked no more
            self.screen.act(question, whole=self.whole)
            return self.answering(question)


def always_yes(clock: Clock) -> Answering:
    """``--yes``: everything that is asked for is allowed, in this run; nothing of it is kept as a rule.

    A tool's question is no such thing: nobody is there to answer it, and no answer is made up.
    """

    def answering(question: Question) -> Decided:
        if isinstance(question.request, AskHuman):
            return Decided(question.request_id, allowed=False, note=NOBODY_CHOOSES, at_ms=clock.now_ms())
        return Decided(question.request_id, allowed=True, at_ms=clock.now_ms())

    return answering


def always_dry(clock: Clock) -> Answering:
    """``--dry-run``: nothing is allowed, and the model is told why."""
    return lambda question: Decided(question.request_id, allowed=False, note="This is a dry run: nothing is done.", at_ms=clock.now_ms())


def nobody(question: Question) -> Decided | None:
    """No terminal: the question stays open."""
    return None


def from_terminal(terminal: Terminal, screen: Screen, clock: Clock, scope: Scope) -> Answering:
    """The person at ``terminal`` decides; None when they leave it open (end of input, Ctrl-C, no sense in five answers)."""

    def answering(question: Question) -> Decided | None:
        if isinstance(question.request, AskHuman):
            return filled(question, question.request, terminal, scope, clock.now_ms())
        cfg = effective(screen.view.cfg, screen.view.past)
        for _ in range(TRIES):
            answer = terminal.ask(prompt_of(question, cfg), scope)
            if answer is None:
                return None
            said = answer.strip().lower()
            editing = said in EDIT and question.arguments is not None
            decided = (
                rewritten(question, terminal, scope, clock.now_ms()) if editing else decision_of(answer, question, cfg, clock.now_ms())
            )
            if decided is not None:
                return decided
            if not editing:
                terminal.say(screen.whole(question) if said in VIEW else HINT)
        return None

    return answering
