"""The generation: one model call, from the request to the message that is read from its reply.

Chunks are folded into ``live`` and published; nothing of them is journaled. When the stream is over, or a text format's
first calls are complete (the rest would be invention), the reply is closed: the request's end and the message are
recorded in one step, so no finished reply is ever asked again.
"""

from __future__ import annotations

from itertools import takewhile
from typing import assert_never, final

from attrs import evolve, frozen

from turnfold.core.agent.calling import call_model, callable_model, called_profile, spent, too_large
from turnfold.core.agent.checks import check_arrived, close_checks, judge
from turnfold.core.agent.compaction import plan, plan_for_overlong, plan_if_due
from turnfold.core.agent.draft import Draft, end_turn
from turnfold.core.agent.effects import Cancel, Channel, Delta, Notice, Publish
from turnfold.core.agent.encoding import encoded_for, profile_for, request_body
from turnfold.core.agent.ending import NONE, Verdict, at_limit, choice_missing, chosen, stop_missing, stopped, verdict_on
from turnfold.core.agent.events import MessageAdded, ModelReplied, Reason, RequestClosed, TurnEnded, Unanswered, Why
from turnfold.core.agent.guarding import GUARDRAIL, missing_guardrail
from turnfold.core.agent.ids import GUARD, MODEL, RequestId, place
from turnfold.core.agent.instructing import instructed
from turnfold.core.agent.led_tools import at_hand, led_tools
from turnfold.core.agent.limits import limit_reached
from turnfold.core.agent.live import Live, LiveReply
from turnfold.core.agent.requests import progressed
from turnfold.core.agent.retrying import fall_back, waiting, with_time
from turnfold.core.agent.state import ChatState, Opened, Past, Turn, effective, offered
from turnfold.core.agent.summaries import NOTHING_TO_SUMMARISE, close_summary, fail_summary, open_summary, summary_arrived
from turnfold.core.agent.turn_events import ModelUrged
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import Located, missing_agent
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.messages import AssistantMessage, Invocation, UserMessage
from turnfold.core.llm import call_format
from turnfold.core.llm.found import first_round
from turnfold.core.llm.native import read_call_untrusted
from turnfold.core.llm.prices import priced
from turnfold.core.llm.reply import Reply, Stop
from turnfold.core.llm.wire import ReplyFold, decode, finish
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.requests import CallModel, Wait


@final
@frozen(eq=False)
class Told:
    """A draft in which more of the live reply was published, and that reply."""

    draft: Draft
    reply: LiveReply


@final
@frozen(eq=False)
class Whole:
    """A draft in which all of the live reply was published, that reply, and what it turned out to be."""

    draft: Draft
    live: LiveReply
    reply: Reply


def settle_generation(draft: Draft, turn: Turn, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """Whatever is due in a turn without a round: the model call, what came of it, the turn's end."""
    model = turn.model
    if model is not None and model.outcome is None:
        return _cut(draft, model, cfg) if turn.interrupted else draft
    if turn.interrupted:
        return _over(draft, stopped_as(turn), turn.limit)
    if turn.completed:
        return _finish(draft, turn, Reason.COMPLETED, tools, cfg)
    if turn.commanded:
        return _settle_commanded(draft, turn, cfg)
    if model is None or model.lost or model.summarising or isinstance(model.request, Wait):
        ended = stopped(draft, tools, cfg)
        return _open_model(draft, turn, tools, cfg) if ended is draft else _when_checked(draft, ended)
    match model.outcome:
        case Problem() as problem:
            return _over(draft, Reason.FAILED, problem)
        case ModelReplied(stop=stop):
            return _settle_reply(draft, turn, verdict_on(draft.past, turn, stop, cfg, draft.at_ms), tools, cfg)
        case _:
            return _over(draft, Reason.INTERRUPTED)


def stopped_as(turn: Turn) -> Reason:
    """The reason of an interrupted turn's end: a person's, a guardrail's, or a limit's."""
    if turn.limit is None:
        return Reason.INTERRUPTED
    return Reason.GUARDRAIL if turn.limit.code == GUARDRAIL else Reason.LIMIT


def _over(draft: Draft, reason: Reason, problem: Problem | None = None) -> Draft:
    """The turn ended before its time, and with it what guardrails still ask."""
    return end_turn(close_checks(draft), reason, problem)


def _finish(draft: Draft, turn: Turn, reason: Reason, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The turn ended with its reply, when all guardrails have let it pass; what a person commanded is no reply."""
    looked = draft if turn.commanded else judge(draft, turn, Guarded.OUTPUT, tools, cfg).draft
    now = looked.past.turn
    if now is None or now.interrupted or any(each.outcome is None for each in now.checks):
        return looked
    return looked.record(TurnEnded(reason, None, draft.at_ms, turn.completed))


def _when_checked(draft: Draft, ended: Draft) -> Draft:
    """``ended``, as soon as no guardrail is under way that could still stop the turn."""
    turn = draft.past.turn
    return draft if ended.past.turn is None and turn is not None and any(each.outcome is None for each in turn.checks) else ended


def _settle_reply(draft: Draft, turn: Turn, verdict: Verdict, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The turn after a reply without calls: ended, or with the model told that it is not over."""
    match verdict:
        case Reason():
            return _finish(draft, turn, verdict, tools, cfg)
        case Problem():
            return _over(draft, Reason.FAILED, verdict)
        case ModelUrged():
            return draft.record(verdict)
        case _:
            assert_never(verdict)


def _settle_commanded(draft: Draft, turn: Turn, cfg: ChatConfig) -> Draft:
    """Whatever is due in a turn that calls no model for a reply: the summary that it is there for, or its end."""
    model = turn.model
    if not turn.summary or (model is not None and isinstance(model.outcome, ModelReplied)):
        return end_turn(draft, Reason.COMPLETED)
    if model is not None and isinstance(model.outcome, Problem) and isinstance(model.request, CallModel):
        return end_turn(draft, Reason.FAILED, model.outcome)
    limit = limit_reached(draft.past, turn, cfg, profile_for(draft.state, cfg), draft.at_ms)
    if limit is not None:
        return end_turn(draft, Reason.LIMIT, limit)
    planned = plan(draft.past, cfg)
    if planned is None:
        return end_turn(draft.act(Publish(Notice(NOTHING_TO_SUMMARISE))), Reason.COMPLETED)
    found = callable_model(cfg)
    return end_turn(draft, Reason.FAILED, found) if isinstance(found, Problem) else open_summary(draft, turn, planned, found, cfg)


def _open_model(draft: Draft, turn: Turn, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The next model call opened, or, where the model's window is nearly full, that for a summary before it."""
    profile = profile_for(draft.state, cfg)
    limit = limit_reached(draft.past, turn, cfg, profile, draft.at_ms)
    if limit is not None:
        return _when_checked(draft, at_limit(draft, turn, limit, tools, cfg))
    known = (*offered(tools, cfg, profile), *led_tools(tools, cfg))
    found = (
        missing_agent(cfg)
        or missing_guardrail(cfg)
        or (choice_missing(known, cfg) or stop_missing(tools, cfg) if turn.generation == 1 else None)
        or callable_model(cfg)
    )
    if isinstance(found, Problem):
        return _over(draft, Reason.FAILED, found)
    added = instructed(tools, draft.past, cfg)
    if isinstance(added, Problem):
        return _over(draft, Reason.FAILED, added)
    if turn.generation == 1:
        looked = judge(draft, turn, Guarded.INPUT, tools, cfg)
        draft, now = looked.draft, looked.draft.past.turn
        if looked.waits or now is None or now.interrupted:
            return draft
    encoded = encoded_for(draft.state, known, cfg, profile, added)
    encoding = draft.with_live(evolve(draft.state.live, encoded=encoded))
    planned = plan_if_due(draft.past, encoded.size_bytes, cfg, profile) or plan_for_overlong(draft.past, cfg)
    if planned is not None:
        return open_summary(encoding, turn, planned, found, cfg)
    scan = call_format.begin(encoded.told.tool_format, known) if chosen(turn, cfg) != NONE else None
    body = request_body(encoded, draft.past)
    return call_model(encoding, turn, found, body, cfg, scan=scan, spared_bytes=encoded.told.spared_bytes)


def chunk_arrived(draft: Draft, request_id: RequestId, data: bytes, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The draft with a chunk folded in; of a request to the world it is shown; a chunk of anything else changes nothing."""
    reply = draft.state.live.reply
    if reply is None or reply.request_id != request_id:
        guarding = request_id.slot == GUARD and draft.state.live.checks
        return check_arrived(draft, request_id, data, effective(cfg, draft.past)) if guarding else progressed(draft, request_id, data)
    if reply.plan is not None:
        return summary_arrived(draft, reply, data, effective(cfg, draft.past))
    decoded = decode(reply.fold, data)
    told = _told(draft, reply, decoded.fold, decoded.text, decoded.reasoning, len(data))
    draft, grown = told.draft, told.reply
    if _called(grown):
        now = effective(cfg, draft.past)
        return close_reply(draft, grown, at_hand(tools, now), now).act(Cancel(request_id))
    if grown.size_bytes > grown.limit_bytes:
        return fail_call(draft, request_id, too_large(grown), effective(cfg, draft.past)).act(Cancel(request_id))
    return draft


def streaming(turn: Turn) -> bool:
    """Whether all that is due is to wait for the model; what nearly every step finds."""
    return turn.model is not None and turn.model.outcome is None and not turn.slots and not turn.interrupted


def _called(reply: LiveReply) -> bool:
    """Whether a call in a text format is certain, so that nothing behind it counts."""
    return reply.scan is not None and bool(call_format.found(reply.scan))


def _told(draft: Draft, reply: LiveReply, fold: ReplyFold, text: str, reasoning: str, size_bytes: int = 0) -> Told:
    """More of the reply read and published: its reasoning, then its text, up to its first calls in a text format."""
    scan = reply.scan
    if scan is not None and text:
        scan = call_format.feed(scan, text)
        if found := call_format.found(scan):
            text = text[: max(found[0].end - reply.shown, 0)]
    number = reply.deltas
    acts = draft.acts
    for channel, piece in ((Channel.REASONING, reasoning), (Channel.TEXT, text)):
        if piece:
            acts += (Publish(Delta(request_id=reply.request_id, number=number, text=piece, channel=channel)),)
            number += 1
    told = LiveReply(
        request_id=reply.request_id,
        fold=fold,
        scan=scan,
        limit_bytes=reply.limit_bytes,
        deltas=number,
        shown=reply.shown + len(text),
        thought=reply.thought + len(reasoning),
        size_bytes=reply.size_bytes + size_bytes,
        deadline_ms=reply.deadline_ms,
    )
    live = Live(reply=told, encoded=draft.state.live.encoded, checks=draft.state.live.checks)
    return Told(Draft(ChatState(draft.past, live), draft.at_ms, draft.records, acts), told)


def close_reply(draft: Draft, reply: LiveReply, tools: tuple[ToolSpec, ...], cfg: ChatConfig, chance: float = 0.5) -> Draft:
    """The reply over: its request closed and, in the same step, its message recorded; or the problem that it was."""
    if reply.plan is not None:
        return close_summary(draft, reply, reply.plan, cfg, chance)
    finished = _finished(draft, reply)
    draft, reply, whole = finished.draft, finished.live, finished.reply
    if whole.problem is not None:
        return fail_call(draft, reply.request_id, whole.problem, cfg, chance)
    text, calls = _read(reply, whole, tools)
    turn = draft.past.turn
    barred = turn is not None and chosen(turn, cfg) == NONE  # a server may not know of it
    calls = () if barred else calls
    if not text.strip() and not calls:
        return fail_call(draft, reply.request_id, _empty(whole), cfg, chance)
    request_id = reply.request_id
    profile = called_profile(draft.past, cfg)
    repeated = profile.ends_on_repeat and _called_before(draft.past, calls)
    replied = ModelReplied(usage=priced(whole.usage, profile), stop=whole.stop)
    closed = draft.record(RequestClosed(request_id, replied, draft.at_ms))
    message = AssistantMessage(
        text=text,
        place=place(request_id.turn, request_id.generation),
        calls=() if repeated else calls,
        reasoning=whole.reasoning,
        cut=whole.stop is Stop.LENGTH,
        verbatim=None if repeated or barred else whole.verbatim,
    )
    return closed.with_live(evolve(closed.state.live, reply=None)).record(MessageAdded(message, draft.at_ms))


def _called_before(past: Past, calls: tuple[Invocation, ...]) -> bool:
    """Whether a reply of the same turn made the same calls."""
    said = (past.log[index] for index in range(len(past.log) - 1, -1, -1))
    turn = takewhile(lambda message: not isinstance(message, UserMessage), said)
    return any(isinstance(message, AssistantMessage) and message.calls == calls for message in turn)


def _finished(draft: Draft, reply: LiveReply) -> Whole:
    """The reply as a whole, with what no chunk alone could say of it published; up to its call, where it has one.

    A call that is certain makes a good reply of it, whatever else the stream said, or would have said, behind it.
    """
    whole = finish(reply.fold)
    if not _called(reply):
        told = _told(draft, reply, reply.fold, whole.text[reply.shown :], whole.reasoning[reply.thought :])
        draft, reply = told.draft, told.reply
    if _called(reply):
        text, reasoning = whole.text[: reply.shown], whole.reasoning[: reply.thought]
        whole = evolve(whole, text=text, reasoning=reasoning, stop=Stop.CALLS, problem=None, verbatim=None)
    return Whole(draft, reply, whole)


def _read(reply: LiveReply, whole: Reply, tools: tuple[ToolSpec, ...]) -> tuple[str, tuple[Invocation, ...]]:
    """The message's text and calls. In a text format nothing after the first round that was certain counts."""
    if reply.scan is None:
        return whole.text, tuple(read_call_untrusted(raw, tools) for raw in whole.calls)
    if found := call_format.found(reply.scan):
        return whole.text, first_round(found)
    return whole.text, call_format.first_calls(reply.scan, cut=whole.stop not in {Stop.END, Stop.CALLS})


def _empty(whole: Reply) -> Problem:
    if whole.stop is Stop.FILTER:
        return world_problem("withheld", "The provider withheld the reply (content filter). Say it in other words, or use another model.")
    return model_problem("empty-reply", "The model answered with nothing. Try again, or use another model (--model).")


def fail_call(draft: Draft, request_id: RequestId, problem: Problem, cfg: ChatConfig, chance: float = 0.5) -> Draft:
    """The model's call over as a failure, and begun what helps: a summary, a wait, a fallback; else the text so far is kept as a cut message."""
    turn, reply = draft.past.turn, draft.state.live.reply
    if turn is None or turn.model is None or not isinstance(turn.model.request, CallModel):
        return draft.record(RequestClosed(request_id, problem, draft.at_ms))  # a wait that ended in another way: it is over all the same
    if turn.model.summarising:
        return fail_summary(draft, request_id, problem, cfg, chance)
    told = with_time(problem)
    closed = draft.record(RequestClosed(request_id, told, draft.at_ms, spent(draft, reply, cfg)))
    helped = _helped(closed.with_live(evolve(draft.state.live, reply=None)), turn, turn.model, told, cfg, chance)
    now = helped.past.turn
    given_up = now is not None and now.model is not None and now.model.request_id == request_id
    return _keep_text(helped, reply) if given_up and reply is not None else helped


def _helped(draft: Draft, before: Turn, failed: Opened, problem: Problem, cfg: ChatConfig, chance: float) -> Draft:
    """The draft with what helps begun, where something does; ``before`` is the turn before the call failed."""
    turn = draft.past.turn
    if turn is None or turn.interrupted:
        return draft
    planned = plan_for_overlong(draft.past, cfg) if turn.overlong and not before.overlong else None
    own = None if planned is None else callable_model(cfg)
    if planned is not None and isinstance(own, Located):
        return open_summary(draft.act(Publish(Notice(f"({problem.message})"))), turn, planned, own, cfg)
    next_id = RequestId(turn.number, turn.generation, MODEL, turn.asked)
    again = waiting(draft, next_id, failed, turn.failures, problem, chance)
    return fall_back(draft, turn, failed, problem, cfg) if again is None else again


def _cut(draft: Draft, model: Opened, cfg: ChatConfig) -> Draft:
    """An interrupted reply: closed at once, with the text so far; it is no use waiting for a model."""
    reply = draft.state.live.reply
    told = RequestClosed(model.request_id, Unanswered(Why.INTERRUPTED), draft.at_ms, spent(draft, reply, cfg))
    closed = draft.record(told).act(Cancel(model.request_id))
    return closed if reply is None else _keep_text(closed, reply)


def _keep_text(draft: Draft, reply: LiveReply) -> Draft:
    """The draft with what was shown of the reply as a cut message, and no live reply; nothing of a summary is ever shown."""
    whole = finish(reply.fold)
    gone = draft.with_live(evolve(draft.state.live, reply=None))
    text = whole.text[: reply.shown]
    if not text.strip():
        return gone
    at = place(reply.request_id.turn, reply.request_id.generation)
    message = AssistantMessage(text=text, place=at, reasoning=whole.reasoning[: reply.thought], cut=True)
    return gone.record(MessageAdded(message, draft.at_ms))
