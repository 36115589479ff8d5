"""From effects to what a person sees: a pure fold.

The view keeps the past that the effects tell, so that it can say what an act does and which tool a result is of. Prose
goes out as it comes; everything else starts on a line of its own. A question is shown by whoever asks it. The records of
a step come before its deltas, so a message may be whole before its last pieces: they are shown with it, and not again.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, field, frozen

from turnfold.cli.acts import act_pieces, result_pieces
from turnfold.cli.prose import Prose, feed
from turnfold.cli.style import Piece, Style
from turnfold.core.agent.apply import apply
from turnfold.core.agent.effects import Channel, Delta, Effect, Notice, Publish, Record
from turnfold.core.agent.events import (
    CallClosed,
    CallCommanded,
    CancelAsked,
    Compacted,
    Event,
    Impersonated,
    MessageAdded,
    MessageQueued,
    Permitted,
    Reason,
    Reconfigured,
    Redone,
    Renamed,
    RequestClosed,
    RequestOpened,
    RestoreAsked,
    Rewound,
    SummaryAsked,
    TurnEnded,
)
from turnfold.core.agent.ids import RequestId, place
from turnfold.core.agent.state import Past, effective, find_open
from turnfold.core.agent.turn_events import CallEdited, Cause, ModelUrged
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import format_of
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, UserMessage
from turnfold.core.llm.elements import FUNCTION_CALLS, TOOL_USE
from turnfold.core.tools.output import counted
from turnfold.core.tools.preview import LIMIT_BYTES, visible
from turnfold.core.world.answers import Exchange, JobStarted, ProcessEnded, PythonEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import CallModel, Purpose, RunProcess, RunPython, StartJob, Wait


@final
@frozen(kw_only=True)
class View:
    """What was shown so far; ``replay``: the events are a journal's, with no deltas between them."""

    cfg: ChatConfig
    tools: tuple[str, ...]
    past: Past = field(factory=Past)
    replay: bool = False
    prose: Prose = field(factory=Prose)
    fresh: bool = True  # the output is at the start of a line
    whole: str = ""  # the place of the reply that was shown whole
    asked: tuple[RequestId, ...] = ()  # the acts that were shown when they were asked for
    sandbox: str | None = None  # what confined the last command or code, as it was told; None: there was none yet


@final
@frozen
class Shown:
    """The view after an effect, and what is new in it."""

    view: View
    pieces: tuple[Piece, ...] = ()


def shown(view: View, effect: Effect) -> Shown:
    """``view`` with ``effect`` shown. Problems are for standard error, so they are not shown here."""
    match effect:
        case Record(event=event):
            after = evolve(view, past=apply(view.past, event))
            return _event(after, event)
        case Publish(what=Delta(request_id=request_id, text=text, channel=Channel.TEXT)):
            return Shown(view) if place(request_id.turn, request_id.generation) == view.whole else _prose(view, text)
        case Publish(what=Notice(text=text)):
            return _block(view, Piece(visible(text).rstrip("\n") + "\n"))
        case _:
            return Shown(view)


def act_shown(view: View, request_id: RequestId, *, whole: bool, limit_bytes: int = LIMIT_BYTES) -> Shown:
    """``view`` with an act shown that is asked for, ``whole`` for a person who is to decide on it; nothing where it is not open."""
    found = find_open(view.past, request_id)
    if found is None:
        return Shown(view)
    pieces = act_pieces(found.request, _exchanges(view, request_id), _now(view), whole=whole, limit_bytes=limit_bytes)
    return _block(evolve(view, asked=(*view.asked, request_id)), *pieces)


def asked_by_child(view: View, child: str, preview: str) -> Shown:
    """``view`` with what the child conversation ``child`` asks for."""
    first, *rest = preview.split("\n")
    details = (Piece(f"  {line}\n") for line in rest)
    return _block(view, Piece(f"(conversation {visible(child)} asks)\n", Style.DIM), Piece(f"{first}\n", Style.ACT), *details)


def _event(view: View, event: Event) -> Shown:
    match event:
        case RequestOpened(request=CallModel(purpose=Purpose.GUARDRAIL)):
            return Shown(view)  # beside a reply, which goes on
        case RequestOpened(request=CallModel()):
            return Shown(evolve(view, prose=Prose(), whole=""))
        case RequestOpened(request=Wait()) if not view.replay:
            return Shown(view)  # a notice says so, and why
        case RequestOpened(request_id=request_id, asked=asked):
            return Shown(view) if asked and not view.replay else _act(view, request_id)
        case Permitted(request_id):
            return Shown(view) if request_id in view.asked or view.replay else _act(view, request_id)
        case RequestClosed() | CallClosed():
            return _closed(view, event)
        case MessageAdded(message=AssistantMessage() as message):
            return _replied(view, message)
        case Impersonated(message):
            return _replied(evolve(view, prose=Prose()), message)
        case MessageAdded(message=UserMessage(text)) | CallCommanded(line=text) | SummaryAsked(line=text) | RestoreAsked(line=text):
            return _said(view, text)
        case TurnEnded(reason, text=text):
            return _ended(view, reason, text)
        case _:
            note = _aside(event) or (_note(event) if view.replay else "")
            return _block(view, Piece(f"({note})\n", Style.DIM)) if note else Shown(view)


def _result(view: View, event: CallClosed) -> tuple[Piece, ...]:
    """What came of a call; a turn's result is said, not shown as an output."""
    if event.ok and event.ends:
        return (Piece(visible(event.text).rstrip("\n") + "\n"),)
    return result_pieces(_tool(view, event.slot), event.text, ok=event.ok)


def _aside(event: Event) -> str:
    """What is going on besides, in a few words; empty for what shows itself."""
    match event:
        case CallEdited():
            return "with other arguments"
        case CancelAsked():
            return "stopping …"
        case MessageQueued():
            return "your message waits until this turn has ended"
        case ModelUrged(cause=cause):
            return f"the model is told to {'write that reply again' if cause is Cause.REPAIR else 'answer now'}"
        case _:
            return ""


def _note(event: Event) -> str:
    """What an event that changes no text is shown as; of most, a command's own words tell while it is live."""
    match event:
        case Reconfigured():
            return "settings changed"
        case Renamed(name):
            return f"called {visible(name)} from here on" if name else "its name taken away"
        case Rewound(to):
            return f"turn {to} and all after it taken back"
        case Redone():
            return "what was taken back last is there again"
        case Compacted(upto):
            return f"the first {counted(upto, 'message')} told to the model as a summary from here on"
        case _:
            return ""


def _said(view: View, text: str) -> Shown:
    """What the person said or commanded, where nobody has just seen them type it."""
    if not view.replay:
        return Shown(view)
    return _block(view, *(Piece(f"> {line}\n", Style.SAID) for line in visible(text).rstrip("\n").split("\n")))


def _act(view: View, request_id: RequestId) -> Shown:
    found = find_open(view.past, request_id)
    if found is None:
        return Shown(view)
    shown = _block(view, *act_pieces(found.request, _exchanges(view, request_id), _now(view)))
    if not isinstance(found.request, (RunProcess, StartJob, RunPython)) or found.request.confinement is not None:
        return shown  # what confines it is known when it was tried
    free = _confined(shown.view, "")
    return Shown(free.view, (*shown.pieces, *free.pieces))


def _closed(view: View, event: RequestClosed | CallClosed) -> Shown:
    match event:
        case CallClosed():
            return _block(view, *_result(view, event))
        case RequestClosed(outcome=(ProcessEnded(sandbox=sandbox) | PythonEnded(sandbox=sandbox) | JobStarted(sandbox=sandbox))):
            return _confined(view, sandbox)
        case _:
            return Shown(view)


def _confined(view: View, sandbox: str) -> Shown:
    """What confined a command, or that nothing did: said of the first, and of one after which it is otherwise."""
    if sandbox == view.sandbox:
        return Shown(view)
    wanted = confinement_of(_now(view)) is not None
    without = "not in a sandbox, since none works here: with all your rights" if wanted else "not in a sandbox: with all your rights"
    told = f"in a sandbox, by {visible(sandbox)}" if sandbox else without
    return _block(evolve(view, sandbox=sandbox), Piece(f"  ({told})\n", Style.DIM))


def _ended(view: View, reason: Reason, text: str) -> Shown:
    if text:  # a function of the program gave the turn's result
        return _block(view, Piece(visible(text).rstrip("\n") + "\n"))
    notes = {
        Reason.INTERRUPTED: "(interrupted)\n",
        Reason.CUT: "(the reply was cut at the token limit: raise max_tokens, or say: go on)\n",
        Reason.REFUSED: "(the model declined)\n",
    }
    note = notes.get(reason)
    return _block(view, *(() if note is None else (Piece(note, Style.DIM),)))


def _prose(view: View, text: str) -> Shown:
    fed = feed(view.prose, text, _names(view))
    after = evolve(view, prose=fed.prose)
    said = Shown(after) if not fed.text else _text(after, fed.text)
    if not fed.opening:
        return said
    opened = _block(said.view, Piece(f"… {visible(fed.opening)}\n", Style.DIM))
    return Shown(opened.view, (*said.pieces, *opened.pieces))


def _text(view: View, text: str, style: Style = Style.PLAIN) -> Shown:
    return Shown(evolve(view, fresh=text.endswith("\n")), (Piece(visible(text.replace("\r\n", "\n")), style),))


def _replied(view: View, message: AssistantMessage) -> Shown:
    """The reply over: what was not shown of it, where that is no call, and the end of its last line."""
    told = _prose(view, message.text[view.prose.seen :])
    rest = "" if message.calls else message.text[told.view.prose.told :]
    more = _text(told.view, rest) if rest else Shown(told.view)
    end = _block(evolve(more.view, prose=Prose(), whole=message.place))
    return Shown(end.view, (*told.pieces, *more.pieces, *end.pieces))


def _block(view: View, *pieces: Piece) -> Shown:
    """``pieces`` on lines of their own."""
    before = () if view.fresh else (Piece("\n"),)
    return Shown(evolve(view, fresh=True), (*before, *pieces))


def _names(view: View) -> tuple[str, ...]:
    """The words that open a call in a reply's text."""
    match format_of(_now(view)):
        case ToolFormat.NATIVE:
            return ()
        case ToolFormat.MARKDOWN:
            return view.tools
        case ToolFormat.XML:
            return (f"<{TOOL_USE}>", f"<{FUNCTION_CALLS}>")


def _now(view: View) -> ChatConfig:
    return effective(view.cfg, view.past)


def _exchanges(view: View, request_id: RequestId) -> tuple[Exchange, ...]:
    turn = view.past.turn
    slot = request_id.slot
    return turn.slots[slot].exchanges if turn is not None and 0 <= slot < len(turn.slots) else ()


def _tool(view: View, slot: int) -> str:
    turn = view.past.turn
    return turn.slots[slot].invocation.name if turn is not None and 0 <= slot < len(turn.slots) else "a tool"
