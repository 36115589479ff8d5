"""The round: a row of slots, one a call, settled in the order asked.

A slot is closed by its tool (``Done``, ``Refuse``), by a denial, by an interrupt, or because nobody knows what came of
a request. Until then its tool is asked again after each round of answers. Calls of a serial tool queue behind each
other, never behind other tools. The round ends when every slot is closed, so the order of answers leaves no trace; where no call failed, the first that
is the turn's end (``Done.ends``) ends the turn with it.

A tool sees the settings that the round began with, since it is asked afresh each time: under other limits, or in another
workspace, it would ask for something else than what it did before. Rules of permission count at once.
"""

from __future__ import annotations

from typing import assert_never

from turnfold.core.agent.checks import judge
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.editing import told_edited
from turnfold.core.agent.ending import stops_on
from turnfold.core.agent.events import CallClosed, Forgotten, RequestClosed, RoundEnded, Unanswered, Why
from turnfold.core.agent.handoffs import handed_over, may_transfer, second_transfer
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.led_tools import at_hand
from turnfold.core.agent.requests import interrupt_request, open_request, repeatable
from turnfold.core.agent.restoring import restored, restoring_needs
from turnfold.core.agent.state import Slot, Status, Turn, effective, effective_in_round, memory_of
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.messages import BrokenCall, ToolCall
from turnfold.core.problem import Problem
from turnfold.core.tools.advance import advance_untrusted
from turnfold.core.tools.spec import Call, Done, Memory, Need, Next, Refuse, ToolSpec, find_tool
from turnfold.core.world.permission import Deny, permit
from turnfold.core.world.requests import AskHuman, WorldRequest

UNKNOWN_TEXT = "This was stopped while it ran, and said nothing more. Whether it took effect is unknown: look before doing it again."
DENIED_TEXT = "Denied: this was not allowed, and nothing of it happened."
DENIED_PART_TEXT = "Denied: a part of this was not allowed, and did not happen; the rest of this call was done."
DECLINED_TEXT = "The user left the question unanswered: decide for yourself, or end your turn by asking in plain words."
INTERRUPTED_TEXT = "Interrupted by the user before it was done."
STOPPED_TEXT = "Stopped before it was done:"  # by a limit, or a guardrail


def settle_round(draft: Draft, turn: Turn, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """Whatever is due in the round of ``turn``: each slot in order, then the round's end."""
    for index in range(len(turn.slots)):
        draft = _settle_slot(draft, index, tools, cfg)
    now = draft.past.turn
    if now is not None and all(slot.result is not None for slot in now.slots):
        ended = draft.record(RoundEnded(draft.at_ms))
        if now.restoring is not None:
            return restored(ended, now, now.restoring)
        return handed_over(_bounded(ended, cfg), now, tools, cfg)
    return draft


def _bounded(draft: Draft, cfg: ChatConfig) -> Draft:
    """The draft with no more kept of what was written to files than the settings allow."""
    count = draft.past.writes.excess(effective(cfg, draft.past).limits.undo_bytes)
    return draft.record(Forgotten(count, draft.at_ms)) if count else draft


def _settle_slot(draft: Draft, index: int, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    turn = draft.past.turn
    if turn is None or turn.slots[index].result is not None:
        return draft
    slot = turn.slots[index]
    if turn.interrupted:
        for opened in slot.requests:
            draft = interrupt_request(draft, opened) if opened.outcome is None else draft
        now = draft.past.turn
        return draft if now is None or now.slots[index].waiting else _close_interrupted(draft, now, index, tools, cfg)
    if slot.waiting:
        return _deny_siblings(draft, slot)
    closed = _close_unanswered(draft, index, slot)
    if closed is not draft:
        return closed
    if not slot.opened and not turn.commanded and isinstance(slot.invocation, ToolCall):
        looked = judge(draft, turn, Guarded.CALL, tools, effective(cfg, draft.past), index)
        draft, now = looked.draft, looked.draft.past.turn
        if looked.refused:
            return _close(draft, index, looked.refused, ok=False)
        if looked.waits or now is None or now.interrupted:
            return draft
        turn = now
    return draft if _queued(turn, index, tools, cfg) else _obey(draft, turn, index, _next(draft, turn, index, tools, cfg), tools, cfg)


def _deny_siblings(draft: Draft, slot: Slot) -> Draft:
    """One denial answers for all questions of the same call."""
    denied = slot.unanswered(Why.DENIED)
    for opened in slot.requests if denied is not None else ():
        if opened.outcome is None and opened.status is Status.ASKED:
            draft = draft.record(RequestClosed(opened.request_id, Unanswered(Why.DENIED), draft.at_ms))
    return draft


def _close_unanswered(draft: Draft, index: int, slot: Slot) -> Draft:
    """The slot closed, where a request of it was denied or its outcome is unknown."""
    unknown = slot.unanswered(Why.UNKNOWN)
    if unknown is not None:
        return _close(draft, index, UNKNOWN_TEXT, ok=False)
    denied = slot.unanswered(Why.DENIED)
    if denied is not None:
        ruled = any(each.outcome == denied and each.asked == denied.note for each in slot.requests)  # by a rule, whose words they are
        said = f" {denied.note}" if ruled else f" They said: {denied.note}"
        return _close(draft, index, f"{_denied_text(slot)}{said if denied.note else ''}", ok=False)
    return draft


def _denied_text(slot: Slot) -> str:
    if any(isinstance(each.request, AskHuman) and isinstance(each.outcome, Unanswered) for each in slot.requests):
        return DECLINED_TEXT
    return DENIED_PART_TEXT if _acted(slot) else DENIED_TEXT


def _acted(slot: Slot) -> bool:
    """Whether something of the call took effect."""
    return any(not repeatable(each.request) and not isinstance(each.outcome, Problem) for each in slot.exchanges)


def _close_interrupted(draft: Draft, turn: Turn, index: int, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The slot of an interrupted turn closed; a call whose requests were all answered may still say what came of them."""
    slot = turn.slots[index]
    closed = _close_unanswered(draft, index, slot)
    if closed is not draft:
        return closed
    answered = bool(slot.requests) and len(slot.exchanges) == len(slot.requests)
    due = _next(draft, turn, index, tools, cfg) if answered else Need(())
    if isinstance(due, Need):
        return _close(draft, index, INTERRUPTED_TEXT if turn.limit is None else f"{STOPPED_TEXT} {turn.limit.message}", ok=False)
    return _obey(draft, turn, index, due, tools, cfg)


def _queued(turn: Turn, index: int, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> bool:
    """Whether an earlier call of the same serial tool is not closed yet; for a handoff, any earlier one; any earlier call, where calls are
    not to be done side by side.
    """
    if not index:
        return False
    if effective_in_round(cfg, turn).parallel_calls is False:
        return any(slot.result is None for slot in turn.slots[:index])
    name = turn.slots[index].invocation.name
    if may_transfer(turn.slots[index]):
        return any(slot.result is None and may_transfer(slot) for slot in turn.slots[:index])
    tool = find_tool(tools, name)
    if tool is None or not tool.serial:
        return False
    return any(slot.result is None and slot.invocation.name == name for slot in turn.slots[:index])


def _next(draft: Draft, turn: Turn, index: int, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Next:
    """What the slot's tool needs now. A lost request is needed again, before the tool is asked."""
    slot = turn.slots[index]
    lost = tuple(each.request for each in slot.requests if each.lost)
    repeated = tuple(request for request in lost if isinstance(request, WorldRequest))
    if repeated:
        return Need(repeated)
    if turn.restoring is not None:
        return restoring_needs(turn.restoring, slot, draft.past, effective_in_round(cfg, turn))
    if isinstance(slot.invocation, BrokenCall):
        return Refuse(slot.invocation.problem)
    name = slot.invocation.name
    begun = effective_in_round(cfg, turn)
    known = at_hand(tools, begun)
    tool = find_tool(known, name)
    if (again := second_transfer(turn, index, tool, known)) is not None:
        return Refuse(again)
    call = Call(slot.invocation.arguments, slot.exchanges, memory_of(draft.past, name))
    return advance_untrusted(name, tool, call, known, begun)


def _obey(draft: Draft, turn: Turn, index: int, due: Next, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    match due:
        case Need(requests):
            return _open_all(draft, turn, index, requests, cfg)
        case Done(text, memory, ok, images, ends):
            tool = find_tool(tools, turn.slots[index].invocation.name)
            shown = tuple(image.digest for image in images)
            ends = ends or (ok and _stops(turn, index, cfg))
            return _close(draft, index, text, ok=ok, memory=memory if tool is not None and tool.serial else None, images=shown, ends=ends)
        case Refuse(problem):
            return _close(draft, index, f"Error: {problem}", ok=False)
        case _:
            assert_never(due)


def _stops(turn: Turn, index: int, cfg: ChatConfig) -> bool:
    """Whether the good end of the call is the turn's, by the settings: not that of a person's own call, or of a handoff, behind which it goes on."""
    slot = turn.slots[index]
    return not turn.commanded and not may_transfer(slot) and stops_on(slot.invocation.name, effective_in_round(cfg, turn))


def _open_all(draft: Draft, turn: Turn, index: int, requests: tuple[WorldRequest, ...], cfg: ChatConfig) -> Draft:
    slot, permitting = turn.slots[index], effective(cfg, draft.past)
    denied = tuple(request for request in requests if isinstance(permit(request, permitting), Deny))
    for offset, request in enumerate(denied or requests):  # where a rule denies a part, the rest would be done in vain
        request_id = RequestId(turn.number, turn.generation, index, slot.opened + offset)
        draft = open_request(draft, request_id, request, permitting, (turn.commanded and not turn.ask) or slot.edited)
    now = draft.past.turn
    opened = slot if now is None else now.slots[index]
    return draft if opened.waiting else _close_unanswered(draft, index, opened)


def _close(
    draft: Draft, index: int, text: str, *, ok: bool, memory: Memory | None = None, images: tuple[str, ...] = (), ends: bool = False
) -> Draft:
    turn = draft.past.turn
    call = None if turn is None or not turn.slots[index].edited else turn.slots[index].invocation
    text = told_edited(text, call.arguments) if isinstance(call, ToolCall) else text
    return draft.record(CallClosed(slot=index, text=text, ok=ok, memory=memory, at_ms=draft.at_ms, images=images, ends=ends))
