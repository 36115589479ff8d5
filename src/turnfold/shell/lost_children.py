"""Children that were under way when the process of their parent was gone: how far they came, and what that cost, by their own journals.

A child that had come to its end has its result told as if nothing had happened; one that had not is told as not finished, and anybody may
go on with it. Where there is no journal of it here, nothing is known, and ``step`` tells the person and the model so.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.events import TurnEnded
from turnfold.core.agent.ids import child_id
from turnfold.core.agent.state import ChatState, Opened, Past, Status, open_requests
from turnfold.core.config.layers import ChatConfig
from turnfold.core.journal import load
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.requests import StartChild
from turnfold.core.world.usage import Usage
from turnfold.shell.children import told
from turnfold.shell.desk import RunResult
from turnfold.shell.ports import Journal, JournalError

STOPPED = "turnfold was stopped while it was at work, and what it had under way may have taken effect."


def lost_children(past: Past, cfg: ChatConfig, journal: Journal) -> tuple[ChildEnded, ...]:
    """What became of the children that ``past`` has under way, of those whose journals can be read."""
    found = (_ended(child_id(past.conversation, opened.request_id), cfg, journal) for opened in _under_way(past))
    return tuple(each for each in found if each is not None)


def _under_way(past: Past) -> tuple[Opened, ...]:
    return tuple(each for each in open_requests(past) if isinstance(each.request, StartChild) and each.status is not Status.ASKED)


def _ended(child: str, cfg: ChatConfig, journal: Journal) -> ChildEnded | None:
    state, ended = _loaded(child, journal)
    if not state.past.started:
        return None
    result = RunResult(state=state, cfg=evolve(cfg, conversation=child), ended=ended, problem=None if ended is None else ended.problem)
    usage = _usage(state.past, journal)
    if ended is not None or result.questions:
        return evolve(told(result), usage=usage)
    said = f"\nIt said last: {result.reply}" if result.reply else ""
    text = f"{STOPPED}  turnfold --resume {child}  goes on with it.{said}"
    return ChildEnded(conversation=child, text=text, ok=False, usage=usage)


def _loaded(child: str, journal: Journal) -> tuple[ChatState, TurnEnded | None]:
    """The child as its journal has it, with its turn's end where it came to one; nothing where it can't be read."""
    try:
        events = journal.load(child)
    except JournalError:
        events = ()
    state = load(events)
    ends = (event for event in reversed(events) if isinstance(event, TurnEnded))
    return state, next(ends, None) if state.idle else None


def _usage(past: Past, journal: Journal) -> Usage:
    """What the conversation has cost, with the children of its own that were lost with it."""
    usage = past.usage
    for opened in _under_way(past):
        usage = usage.plus(_usage(_loaded(child_id(past.conversation, opened.request_id), journal)[0].past, journal))
    return usage
