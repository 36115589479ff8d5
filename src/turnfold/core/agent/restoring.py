"""Files put back when turns are taken back, and forth when they are brought back: a turn of its own, without a model.

It reads each file that the turns wrote; those that still are as the turns left them are changed, all in one act, to what they were
before; what has changed since is left alone, and named. Only then are the turns taken back, and this turn leaves no mark in the
conversation. It can be done again at any moment: what is as it should be already is not touched. So where nobody knows what came of
it (a crash, an interrupt), nothing is taken back, and the person is told to do it once more.
"""

from __future__ import annotations

import hashlib
from typing import final

from attrs import frozen

from turnfold.core.agent.draft import Draft, end_turn
from turnfold.core.agent.effects import Notice, Publish
from turnfold.core.agent.events import Reason, Redone, RestoreAsked, Rewound, Why
from turnfold.core.agent.state import Past, Slot, Turn
from turnfold.core.agent.writes import Chain, chains_of
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import Call, Done, Next
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import FileRead, FilesChanged
from turnfold.core.world.permission import relative
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ReadFile, WriteFile

TRIES = 3  # where a file changes between the look and the act
NAMED = 20  # files in a report


@final
@frozen(kw_only=True)
class Goal:
    """What a file shall be: the ``digest`` it shall have (none: it shall not be there), where it has the digest ``left`` now.

    ``known``: the text is kept, as it was: one that held a secret was read with a mark in its place. ``between``: something else changed the file between the turns.
    """

    path: str
    left: str
    digest: str
    text: str | None
    known: bool
    between: bool = False


def floor_of(past: Past, to: int) -> int:
    """The last turn that stays where turn ``to`` and all after it are taken back."""
    return max((mark.turn for mark in past.marks if mark.turn < to), default=0)


def goals(past: Past, ask: RestoreAsked) -> tuple[Goal, ...]:
    """What the files shall be that are to be put back, or forth."""
    if ask.again:
        taken = past.undone[: ask.again]
        moved = frozenset(path for each in taken for path in each.files)  # what was left then is left now
        later = taken[-1].writes.log.since(len(past.writes.log)) if taken else ()
        return tuple(_forth(chain) for chain in chains_of(later) if chain.last.path in moved)
    return tuple(_back(chain) for chain in chains_of(past.writes.after(floor_of(past, ask.to))))


def _back(chain: Chain) -> Goal:
    first, last = chain.first, chain.last
    known = _whole(first.before, first.before_digest)
    return Goal(path=last.path, left=last.after_digest, digest=first.before_digest, text=first.before, known=known, between=chain.between)


def _forth(chain: Chain) -> Goal:
    first, last = chain.first, chain.last
    return Goal(
        path=last.path, left=first.before_digest, digest=last.after_digest, text=last.after, known=_whole(last.after, last.after_digest)
    )


def _whole(text: str | None, digest: str) -> bool:
    """Whether ``text`` is all that a file of that digest holds."""
    held = "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return held == digest


def restoring_needs(ask: RestoreAsked, slot: Slot, past: Past, cfg: ChatConfig) -> Next:
    """What the turn that puts files back needs next, or that it is done."""
    due = goals(past, ask)
    return from_generator(lambda arguments, memory, cfg: _script(due, cfg))(Call(JsonObject(), slot.exchanges), cfg)


def _script(due: tuple[Goal, ...], cfg: ChatConfig) -> Script:
    limit = max((cfg.limits.file_bytes, *(8 * len(goal.text or "") for goal in due)))
    reads = tuple(ReadFile(path=goal.path, limit_bytes=limit) for goal in due)
    answer: FilesChanged | Problem = FilesChanged(())
    now: tuple[str | None, ...] = ()
    for _ in range(TRIES):
        seen = yield reads
        now = tuple(_digest(each) for each in seen) if isinstance(seen, tuple) else ()
        changes = tuple(_change(goal) for goal, digest in zip(due, now, strict=False) if _due(goal, digest))
        if not changes:
            break
        answer = yield from asked(ChangeFiles(changes), FilesChanged)
        if not isinstance(answer, Problem) or answer.code != "changed":
            break
    return Done(_report(due, now, answer, cfg), ok=not isinstance(answer, Problem))


def _digest(outcome: object) -> str | None:
    """The digest of what a file is now, empty where there is none; None where that can't be known, or it is no text."""
    if isinstance(outcome, FileRead):
        return outcome.digest
    return "" if isinstance(outcome, Problem) and outcome.code == "not-found" else None


def _due(goal: Goal, digest: str | None) -> bool:
    return goal.known and digest == goal.left and digest != goal.digest


def _change(goal: Goal) -> WriteFile | DeleteFile:
    if not goal.digest:
        return DeleteFile(path=goal.path, expected_digest=goal.left)
    return WriteFile(path=goal.path, text=goal.text or "", expected_digest=goal.left)


def _report(due: tuple[Goal, ...], now: tuple[str | None, ...], answer: FilesChanged | Problem, cfg: ChatConfig) -> str:
    """What was done, a line for each way that it can go."""
    failed = isinstance(answer, Problem)
    pairs = tuple(zip(due, now, strict=False))
    done = tuple(goal for goal, digest in pairs if _due(goal, digest))
    left = tuple(goal for goal, digest in pairs if goal.known and digest not in {goal.left, goal.digest})
    unknown = tuple(goal for goal, digest in pairs if not goal.known and digest != goal.digest)
    lines = (
        ("Not put back: " if failed else "Put back: ", done),
        ("Left as they are, since something else has changed them: ", left),
        ("Left as they are, since their text is not kept (not read, or it held a secret): ", unknown),
        (
            "Put back as far as this conversation wrote them; something else had changed them before that: ",
            tuple(g for g in done if g.between),
        ),
    )
    told = tuple(f"{said}{_names(files, cfg)}." for said, files in lines if files)
    why = (f"The reason: {answer.message}",) if isinstance(answer, Problem) else ()
    return "\n".join((*told, *why)) or "All files are as they should be already."


def _names(files: tuple[Goal, ...], cfg: ChatConfig) -> str:
    names = tuple(clipped(relative(goal.path, cfg.workspace)) + ("" if goal.digest else " (removed)") for goal in files[:NAMED])
    more = f" and {counted(len(files) - NAMED, 'more file')}" if len(files) > NAMED else ""
    return ", ".join(names) + more


def restored(draft: Draft, turn: Turn, ask: RestoreAsked) -> Draft:
    """The turn ended, and what it is there for done; nothing is taken back where it is not known what became of the files."""
    slot = turn.slots[0]
    result = slot.result
    unsure = slot.unanswered(Why.UNKNOWN) is not None
    if unsure or (turn.interrupted and (result is None or not result.ok)):
        again = "brought back" if ask.again else "taken back"
        problem = world_problem("not-restored", f"Nothing was {again}, since putting the files back was stopped: write {ask.line} again.")
        return end_turn(draft, Reason.INTERRUPTED if turn.limit is None else Reason.LIMIT, turn.limit or problem)
    ended = end_turn(draft, Reason.COMPLETED)
    return brought_back(ended, ask) if ask.again else taken_back(ended, ask, _changed(slot))


def _changed(slot: Slot) -> tuple[str, ...]:
    """The files that were changed."""
    for exchange in slot.exchanges:
        if isinstance(exchange.request, ChangeFiles) and isinstance(exchange.outcome, FilesChanged):
            return tuple(change.path for change in exchange.request.changes)
    return ()


def taken_back(draft: Draft, ask: RestoreAsked, files: tuple[str, ...] = ()) -> Draft:
    """Turn ``ask.to`` and all after it taken back, ``files`` having been put back, and the person told."""
    before = draft.past
    back = draft.record(Rewound(ask.to, draft.at_ms, files))
    count = len(before.marks) - len(back.past.marks)
    forgotten = before.writes.forgotten
    lost = f" What turn {forgotten} and those before it wrote is no longer kept (limits.undo_bytes), and stays."
    more = lost if forgotten > floor_of(before, ask.to) else ""
    return back.act(
        Publish(Notice(f"Took back {counted(count, 'turn')}; what commands did stays.{more} /redo brings back what {ask.line} took."))
    )


def brought_back(draft: Draft, ask: RestoreAsked) -> Draft:
    """What the last ``ask.again`` rewinds took brought back, and the person told."""
    before = len(draft.past.marks)
    for _ in range(min(ask.again, len(draft.past.undone))):
        draft = draft.record(Redone(draft.at_ms))
    return draft.act(Publish(Notice(f"Brought back {counted(len(draft.past.marks) - before, 'turn')}; what commands did stays as it is.")))
