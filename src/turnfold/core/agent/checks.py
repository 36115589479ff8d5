"""Guardrails at work: verdicts recorded, models asked, and what waits for them.

``judge`` is asked wherever something is due that guardrails look at. It records the verdicts that can be said at once, and opens a
request in a ``GUARD`` slot for each that a model has to say, with a live reply of its own beside the conversation's; nothing of these
is published. A verdict is recorded once for each check. What then has to wait is told by what is returned.

A guardrail that trips interrupts the turn, as a limit of time does: the model's reply is closed, tools that run are told to stop, and
nothing more is opened; one that refuses a call closes that call and nothing else. No turn ends as completed before all verdicts are
there. A request that was lost with its process, or failed for the moment, is asked again; one that fails for good trips.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.calling import call_body, callable_model, profile_called, reply_deadline, spent, too_large
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Cancel, Perform
from turnfold.core.agent.encoding import profile_for
from turnfold.core.agent.events import Check, ModelReplied, RequestClosed, RequestOpened, TurnInterrupted, Unanswered, Why
from turnfold.core.agent.extending import situation_of
from turnfold.core.agent.guarding import (
    SYSTEM,
    Counting,
    Subject,
    answer_reason,
    asking,
    counting,
    judged,
    question_text,
    refuse_problem,
    stop_problem,
    subject_of,
)
from turnfold.core.agent.ids import GUARD, RequestId
from turnfold.core.agent.limits import limit_reached
from turnfold.core.agent.live import LiveReply
from turnfold.core.agent.retrying import waiting, with_time
from turnfold.core.agent.state import Opened, Past, Turn, find_open
from turnfold.core.agent.turn_events import GuardrailChecked
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Guarded
from turnfold.core.llm.prices import priced
from turnfold.core.llm.wire import begin, decode, finish
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.requests import CallModel, Purpose


@final
@frozen(eq=False, kw_only=True)
class Judged:
    """A draft after guardrails have looked: whether what they looked at has to wait, and, of a call, why it is refused."""

    draft: Draft
    waits: bool = False
    refused: str = ""


def judge(draft: Draft, turn: Turn, on: Guarded, tools: tuple[ToolSpec, ...], cfg: ChatConfig, slot: int | None = None) -> Judged:
    """What guardrails say of what is due in ``turn``: those first that can say it at once, so that no model is asked in vain."""
    guards = counting(on, tools, cfg)
    if not guards:
        return Judged(draft=draft)
    generation = 1 if on is Guarded.INPUT else turn.generation
    pairs = tuple((guard, Check(name=guard.name, on=on, generation=generation, slot=slot)) for guard in guards)
    subject = subject_of(draft.past, turn, pairs[0][1])
    for guard, check in pairs:
        draft = _judged_at_once(draft, guard, check, subject, cfg)
        if _stopped(draft) or _refusal(draft.past, check):
            return Judged(draft=draft, refused=_refusal(draft.past, check))
    for guard, check in pairs:
        draft = draft if _known(draft.past, check) else _ask(draft, draft.past.turn or turn, guard, check, subject, cfg)
        if _stopped(draft):
            return Judged(draft=draft)
    return Judged(draft=draft, waits=any(guard.holds and not _verdict(draft.past, check) for guard, check in pairs))


def _judged_at_once(draft: Draft, guard: Counting, check: Check, subject: Subject, cfg: ChatConfig) -> Draft:
    if _known(draft.past, check):
        return draft
    reason = judged(guard, subject, situation_of(draft.past, cfg), cfg)
    return draft if reason is None and guard.asks else _told(draft, check, reason, refuses=guard.refuses)


def _told(draft: Draft, check: Check, reason: str | None, *, refuses: bool) -> Draft:
    """The draft with a verdict, and the turn interrupted by one that stops it."""
    verdict = GuardrailChecked(
        name=check.name,
        on=check.on,
        tripped=reason is not None,
        reason=reason or "",
        generation=check.generation,
        slot=check.slot,
        at_ms=draft.at_ms,
    )
    told = draft.record(verdict)
    turn = told.past.turn
    if reason is None or refuses or turn is None or turn.interrupted:
        return told
    return told.record(TurnInterrupted(draft.at_ms, stop_problem(check.name, check.on, reason)))


def _stopped(draft: Draft) -> bool:
    return draft.past.turn is None or draft.past.turn.interrupted


def _verdict(past: Past, check: Check) -> GuardrailChecked | None:
    for each in () if past.turn is None else past.turn.checked:
        if (each.name, each.on, each.generation, each.slot) == (check.name, check.on, check.generation, check.slot):
            return each
    return None


def _refusal(past: Past, check: Check) -> str:
    """What a model is told of the call that ``check`` has refused; empty where it has not."""
    found = _verdict(past, check)
    return refuse_problem(check.name, found.reason) if found is not None and found.tripped else ""


def _known(past: Past, check: Check) -> bool:
    """Whether ``check`` was made, or is under way."""
    asked = () if past.turn is None else past.turn.checks
    return _verdict(past, check) is not None or any(each.check == check for each in asked)


def _ask(draft: Draft, turn: Turn, guard: Counting, check: Check, subject: Subject, cfg: ChatConfig) -> Draft:
    """The model of ``guard`` asked; where it can't be, that trips, and where a limit is reached, the turn ends with it."""
    limit = limit_reached(draft.past, turn, cfg, profile_for(draft.state, cfg), draft.at_ms)
    if limit is not None:
        return draft.record(TurnInterrupted(draft.at_ms, limit))
    found = callable_model(cfg, guard.model)
    if isinstance(found, Problem):
        return _told(draft, check, f"its model can't be asked: {found.message}", refuses=guard.refuses)
    body = call_body(found, SYSTEM, question_text(guard.question, check.on, subject), cfg)
    request_id = _next_id(turn)
    request = CallModel(provider=found.provider, model=found.model, upto=draft.past.events, purpose=Purpose.GUARDRAIL, size_bytes=len(body))
    opened = draft.record(RequestOpened(request_id=request_id, request=request, at_ms=draft.at_ms, check=check))
    reply = LiveReply(
        request_id=request_id,
        fold=begin(found.provider.wire),
        scan=None,
        limit_bytes=cfg.limits.reply_bytes,
        deadline_ms=reply_deadline(opened.past, request_id, cfg),
    )
    live = opened.state.live
    return opened.with_live(evolve(live, checks=(*live.checks, reply))).act(Perform(request_id, request, body))


def _next_id(turn: Turn) -> RequestId:
    n = sum(each.request_id.generation == turn.generation for each in turn.checks)
    return RequestId(turn.number, turn.generation, GUARD, n)


def settle_checks(draft: Draft, turn: Turn, cfg: ChatConfig) -> Draft:
    """Checks of an interrupted turn closed, else those asked again that were lost, or have waited."""
    if turn.interrupted:
        return close_checks(draft)
    latest = {each.check: each for each in turn.checks if each.check is not None}
    for check, opened in latest.items():
        due = opened.lost or (opened.outcome is not None and not isinstance(opened.request, CallModel))
        if due and _verdict(draft.past, check) is None:
            draft = _ask_again(draft, turn, check, cfg)
    return draft


def _ask_again(draft: Draft, turn: Turn, check: Check, cfg: ChatConfig) -> Draft:
    guard = asking(check, cfg)
    if _stopped(draft):
        return draft
    if guard is None:
        return _told(draft, check, "it is no more, and had not said its verdict", refuses=False)
    return _ask(draft, draft.past.turn or turn, guard, check, subject_of(draft.past, turn, check), cfg)


def close_checks(draft: Draft) -> Draft:
    """The draft in which no guardrail is asked any more."""
    for each in () if draft.past.turn is None else draft.past.turn.checks:
        if each.outcome is None:
            draft = draft.record(RequestClosed(each.request_id, Unanswered(Why.INTERRUPTED), draft.at_ms)).act(Cancel(each.request_id))
    return _without(draft) if draft.state.live.checks else draft


def _without(draft: Draft, request_id: RequestId | None = None) -> Draft:
    """The draft without the live reply of a check; by default, of any."""
    live = draft.state.live
    left = tuple(each for each in live.checks if request_id is not None and each.request_id != request_id)
    return draft.with_live(evolve(live, checks=left))


def check_arrived(draft: Draft, request_id: RequestId, data: bytes, cfg: ChatConfig) -> Draft:
    """The draft with a chunk of a check folded in; a chunk of none that is live changes nothing."""
    live = draft.state.live
    reply = next((each for each in live.checks if each.request_id == request_id), None)
    if reply is None:
        return draft
    grown = evolve(reply, fold=decode(reply.fold, data).fold, size_bytes=reply.size_bytes + len(data))
    draft = draft.with_live(evolve(live, checks=tuple(grown if each is reply else each for each in live.checks)))
    if grown.size_bytes <= grown.limit_bytes:
        return draft
    return fail_check(draft, request_id, too_large(grown), cfg).act(Cancel(request_id))


def close_check(draft: Draft, request_id: RequestId, cfg: ChatConfig, chance: float) -> Draft:
    """A guardrail's model has answered: in one step its request closed and its verdict recorded. One whose reply is gone was lost."""
    reply = next((each for each in draft.state.live.checks if each.request_id == request_id), None)
    opened = find_open(draft.past, request_id)
    if reply is None or opened is None or opened.check is None:
        return draft.record(RequestClosed(request_id, Unanswered(Why.LOST), draft.at_ms))
    whole = finish(reply.fold)
    if whole.problem is not None:
        return fail_check(draft, request_id, whole.problem, cfg, chance)
    replied = ModelReplied(usage=priced(whole.usage, profile_called(opened.request, cfg)), stop=whole.stop)
    closed = _without(draft.record(RequestClosed(request_id, replied, draft.at_ms)), request_id)
    return _told(closed, opened.check, answer_reason(whole.text), refuses=_refuses(opened.check, cfg))


def fail_check(draft: Draft, request_id: RequestId, problem: Problem, cfg: ChatConfig, chance: float = 0.5) -> Draft:
    """A guardrail's model has failed: it is asked again after a wait, or, where that is no use, the guardrail trips."""
    opened = find_open(draft.past, request_id)
    reply = next((each for each in draft.state.live.checks if each.request_id == request_id), None)
    told = with_time(problem)
    closed = _without(draft.record(RequestClosed(request_id, told, draft.at_ms, spent(draft, reply, cfg))), request_id)
    turn = closed.past.turn
    if opened is None or opened.check is None or turn is None or turn.interrupted or not isinstance(opened.request, CallModel):
        return closed  # a wait that ended in another way is over all the same; a turn that ends needs no verdict
    again = waiting(closed, _next_id(turn), opened, _failures(turn, opened), told, chance, opened.check)
    if again is not None:
        return again
    return _told(closed, opened.check, f"its model could not be asked: {told.message}", refuses=_refuses(opened.check, cfg))


def _failures(turn: Turn, opened: Opened) -> int:
    """How often the model has failed that is asked for the same check."""
    return sum(
        each.check == opened.check and isinstance(each.request, CallModel) and isinstance(each.outcome, Problem) for each in turn.checks
    )


def _refuses(check: Check, cfg: ChatConfig) -> bool:
    guard = asking(check, cfg)
    return guard is not None and guard.refuses
