"""Conversations that are kept: finding one, listing them, showing one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from turnfold.cli.json_lines import event_line
from turnfold.cli.style import Piece, Style, painted
from turnfold.cli.view import View, shown
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import BELOW, parent_of
from turnfold.core.agent.state import Past, questions
from turnfold.core.config.layers import ChatConfig
from turnfold.core.journal import fold
from turnfold.core.problem import Problem, caller_problem, did_you_mean
from turnfold.core.tools.output import counted
from turnfold.core.tools.preview import visible
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.requests import AskHuman
from turnfold.shell.ports import Kept


def find_kept(kept: tuple[Kept, ...], wanted: str) -> Kept | Problem:
    """The conversation with this id or name, else the only one whose id begins so; of those with one name, the one changed last."""
    for each in kept:
        if each.conversation == wanted:
            return each
    for each in kept:
        if each.name and each.name == wanted:
            return each
    begun = tuple(
        each for each in kept if wanted and each.conversation.startswith(wanted) and (BELOW in wanted or not parent_of(each.conversation))
    )
    if len(begun) == 1:
        return begun[0]
    if begun:
        return caller_problem(
            "ambiguous", f"{len(begun)} conversations begin with {wanted}: write more of the id.  turnfold list  shows them."
        )
    hint = did_you_mean(wanted, tuple(each.name or each.conversation for each in kept)) or "."
    prompt = f" To go on with the last one and say that, write:  turnfold --resume -- {json.dumps(wanted[:60])}" if " " in wanted else ""
    return caller_problem("unknown-conversation", f"There is no conversation {wanted[:60]!r}{hint}  turnfold list  shows them.{prompt}")


def last_kept(kept: tuple[Kept, ...], workspace: str) -> Kept | Problem:
    """The conversation that was changed last in ``workspace``; ``kept`` has those first."""
    for each in kept:
        if each.workspace == workspace and not parent_of(each.conversation):
            return each
    return caller_problem(
        "unknown-conversation", f"No conversation was held in {workspace} yet.  turnfold list  shows those held elsewhere."
    )


def listed(kept: tuple[Kept, ...], *, children: bool) -> tuple[Kept, ...]:
    """What a list of conversations shows: those that a person began, and with ``children`` those that they started."""
    return tuple(each for each in kept if children or not parent_of(each.conversation))


def listing(kept: tuple[Kept, ...]) -> str:
    """One line a conversation: id, when it was changed (UTC), its name or title, and where it works."""
    if not kept:
        return 'There are no conversations yet. Begin one:  turnfold "what is in this folder?"\n'
    rows = tuple(
        (each.conversation, moment(each.changed_ms), clipped(_one_line(each.name or each.title), 50), _one_line(each.workspace))
        for each in kept
    )
    widths = tuple(max(len(row[column]) for row in rows) for column in range(3))
    return "".join(f"{row[0]:{widths[0]}}  {row[1]}  {row[2]:{widths[2]}}  {row[3]}\n" for row in rows)


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def moment(at_ms: int) -> str:
    """A time as a person reads it, UTC.

    >>> moment(1_700_000_000_000)
    '2023-11-14 22:13'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def kept_line(each: Kept) -> str:
    """A conversation as a JSON line."""
    said = {
        "conversation": each.conversation,
        "parent": parent_of(each.conversation),
        "name": each.name,
        "workspace": each.workspace,
        "started_ms": each.started_ms,
        "changed_ms": each.changed_ms,
        "events": each.events,
        "title": each.title,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"


def event_lines(events: tuple[Event, ...]) -> Iterator[str]:
    """The events as JSON Lines."""
    return (event_line(number, event) for number, event in enumerate(events))


def transcript(events: tuple[Event, ...], cfg: ChatConfig, tools: tuple[str, ...], *, colour: bool) -> Iterator[str]:
    """The conversation to read: what was said, done and answered."""
    view = View(cfg=cfg, tools=tools, replay=True)
    for number, event in enumerate(events):
        news = shown(view, Record(number, event))
        view = news.view
        yield from (painted(piece, colour=colour) for piece in news.pieces)
    if view.past.turn is not None:
        yield painted(Piece(f"({_unfinished(view.past)})\n", Style.DIM), colour=colour)


def _unfinished(past: Past) -> str:
    """What a conversation waits for whose last turn has not ended."""
    asked = questions(past)
    if asked:
        what = "your answer" if all(isinstance(each.request, AskHuman) for each in asked) else "permission"
        return f"not finished: it waits for {what}, {counted(len(asked), 'question')}.  turnfold --resume {past.conversation}  asks again"
    return f"not finished: it is under way, or was stopped.  turnfold --resume {past.conversation}  goes on"


def started_with(events: tuple[Event, ...]) -> str:
    """The digest of the config that the conversation was started with."""
    return fold(events).cfg_digest
