"""Going back and forth in a conversation: undo, redo, rewind, edit, retry, fork.

A turn is taken back with all after it, by ``Rewound``; turn numbers, usage and the journal only grow. What was taken back
can be had again until something new begins.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.commands.command import Command, busy, columns, number_untrusted, parted, tell, wrong
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import KeepFork, Recall
from turnfold.core.agent.events import CallCommanded, Impersonated, MessageAdded, RestoreAsked, Rewound, SummaryAsked
from turnfold.core.agent.ids import place
from turnfold.core.agent.lessons import said_instead
from turnfold.core.agent.restoring import brought_back, floor_of, goals, taken_back
from turnfold.core.agent.state import Mark, Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolCall, UserMessage
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.tools.textlines import clipped

LINE_CHARS = 60
LEFT = "Files are as they were left; to have them put back, write /undo first, then say it again."


def _undo(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    count = number_untrusted(rest or "1")
    marks = draft.past.marks
    if not count:
        return wrong(draft, f"/undo takes how many turns to take back, not {rest[:40]!r}.")
    if draft.past.turn is not None:
        return busy(draft, "undo")
    if not len(marks):
        return wrong(draft, "There is no turn to take back.", "nothing-to-undo")
    to = marks[-min(count, len(marks))].turn
    return _restored(draft, RestoreAsked(line=f"/undo {rest}".rstrip(), to=to, at_ms=draft.at_ms))


def _restored(draft: Draft, ask: RestoreAsked) -> Draft:
    """What was asked done at once where no file has to be put back; else the turn begun that does it."""
    if goals(draft.past, ask):
        return draft.record(ask)
    return brought_back(draft, ask) if ask.again else taken_back(draft, ask)


def _redo(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    count = number_untrusted(rest or "1")
    undone = len(draft.past.undone)
    if not count:
        return wrong(draft, f"/redo takes how often to bring something back, not {rest[:40]!r}.")
    if draft.past.turn is not None:
        return busy(draft, "redo")
    if not undone:
        return wrong(draft, "There is nothing to bring back: what was taken back can be had until something new begins.", "nothing-to-redo")
    return _restored(draft, RestoreAsked(line=f"/redo {rest}".rstrip(), again=min(count, undone), at_ms=draft.at_ms))


def _rewind(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    past = draft.past
    if not rest:
        return tell(draft, columns(tuple((str(mark.turn), _first_line(past, mark)) for mark in past.marks)) or "There is no turn yet.")
    after = number_untrusted(rest)
    turns = tuple(mark.turn for mark in past.marks)
    if after is None or after not in (0, *turns):
        return wrong(draft, f"There is no turn {rest[:40]!r} to go back to. /rewind alone lists the turns; 0 is the beginning.")
    if past.turn is not None:
        return busy(draft, "rewind")
    later = tuple(turn for turn in turns if turn > after)
    if not later:
        return wrong(draft, f"Nothing came after {f'turn {after}' if after else 'the beginning'}, so there is nothing to take back.")
    return _restored(draft, RestoreAsked(line=f"/rewind {rest}", to=later[0], at_ms=draft.at_ms))


def _first_line(past: Past, mark: Mark) -> str:
    message = _message(past, mark.log_length)
    text = "" if message is None else message.text.strip().partition("\n")[0]
    return clipped(text, LINE_CHARS) or "…"


def _message(past: Past, index: int) -> Message | None:
    return past.log[index] if index < len(past.log) else None


def _edit(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    past = draft.past
    word, behind = parted(rest)
    number = number_untrusted(word)
    text = rest if number is None else behind.strip()
    last = past.marks[-1].turn if len(past.marks) else 0
    if not text:
        return wrong(draft, "/edit wants what to say instead: write  /edit TEXT  or  /edit TURN TEXT")
    if past.turn is not None:
        return busy(draft, "edit")
    if not last:
        return wrong(draft, "Nothing was said yet, so there is nothing to edit.", "nothing-to-edit")
    mark = next((mark for mark in past.marks if mark.turn == (last if number is None else number)), None)
    if mark is None:
        return wrong(
            draft, f"There is no turn {number}; /rewind lists the turns. For a text that begins with a number: /edit {last} {word} …"
        )
    said = _begun_by(past, mark, draft.at_ms)
    told = said.message if isinstance(said, MessageAdded) and isinstance(said.message, UserMessage) else UserMessage("")
    back = draft.record(Rewound(mark.turn, draft.at_ms))
    at_first = evolve(cfg, overrides=cfg.overrides[len(past.overrides) :])
    back = _told_of_files(past, mark, back)
    return back.record(MessageAdded(said_instead(told, text, tools, at_first, back.past), draft.at_ms))


def _retry(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    past = draft.past
    if past.turn is not None:
        return busy(draft, "retry")
    if not len(past.marks):
        return wrong(draft, "Nothing was said yet, so there is nothing to say again.", "nothing-to-retry")
    mark = past.marks[-1]
    back = _told_of_files(past, mark, draft.record(Rewound(mark.turn, draft.at_ms)))
    return back.record(_begun_by(past, mark, draft.at_ms))


def _told_of_files(past: Past, mark: Mark, draft: Draft) -> Draft:
    """The draft, with a word about the files that the turns before wrote, where they wrote any: they stay."""
    return tell(draft, LEFT) if past.writes.after(floor_of(past, mark.turn)) else draft


def _begun_by(past: Past, mark: Mark, at_ms: int) -> MessageAdded | CallCommanded | Impersonated | SummaryAsked:
    """The event that begins the turn of ``mark`` once more."""
    first, second = _message(past, mark.log_length), _message(past, mark.log_length + 1)
    if isinstance(first, UserMessage):
        calls = _commanded(second, mark)
        if not calls:
            return MessageAdded(first, at_ms)
        return CallCommanded(first.text, calls[0], at_ms, calls[1:], ask=parted(first.text)[0] == "/replay")
    if isinstance(first, AssistantMessage):
        return Impersonated(evolve(first, place=place(past.turns + 1, 0)), at_ms)
    return SummaryAsked("/compact", at_ms)


def _commanded(message: Message | None, mark: Mark) -> tuple[ToolCall, ...]:
    """The calls that a command made in the turn of ``mark``: its second message holds them."""
    if not isinstance(message, AssistantMessage) or message.place != place(mark.turn, 0):
        return ()
    return tuple(call for call in message.calls if isinstance(call, ToolCall))


def _fork(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if draft.past.turn is not None:
        return busy(draft, "fork")
    if not draft.past.turns:
        return wrong(draft, "Nothing was said yet, so there is nothing to fork.", "nothing-to-fork")
    return draft.act(Recall(KeepFork(upto=draft.past.events, name=" ".join(rest.split()))))


def _compact(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if draft.past.turn is not None:
        return busy(draft, "compact")
    if not len(draft.past.log):
        return wrong(draft, "Nothing was said yet, so there is nothing to summarise.", "nothing-to-compact")
    return draft.record(SummaryAsked("/compact", draft.at_ms))


UNDO = Command(
    name="undo",
    arguments="[N]",
    help="Take back the last turn, or the last N.\n"
    "Files that they wrote are put back where nothing else has changed them since; what commands did stays.\n"
    "What the tools remember, and settings changed since, are taken back too.",
    run=_undo,
)
REDO = Command(
    name="redo",
    arguments="[N]",
    help="Bring back what the last /undo (/rewind) took, or the last N, files too.\nIt is there until something new is said, done or set.",
    run=_redo,
)
REWIND = Command(
    name="rewind",
    arguments="[TURN]",
    help="List the turns, or go back to how it was after turn TURN; 0 is the beginning.\nFiles go back as with /undo.",
    run=_rewind,
)
EDIT = Command(
    name="edit",
    arguments="[TURN] TEXT",
    help="Take back the last turn, or TURN and all after it, and say TEXT instead.\n"
    "A number at the beginning is the turn's. Files that went with the old text go with the new one.",
    run=_edit,
    asks_model=True,
)
RETRY = Command(
    name="retry",
    arguments="",
    help="Take back the last turn and say (or do) the same again.",
    run=_retry,
    asks_model=True,
)
FORK = Command(
    name="fork",
    arguments="[NAME]",
    help="Keep a copy of the conversation, as it is now, as another one.\nThis one goes on; the copy's id is told.",
    run=_fork,
)
COMPACT = Command(
    name="compact",
    arguments="",
    help="Have the conversation's beginning summarised.\nModels are told the summary in its place; the log keeps everything, and /undo takes it back.",
    run=_compact,
    asks_model=True,
)
