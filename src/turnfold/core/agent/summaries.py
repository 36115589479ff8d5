"""The summary: a model call whose reply is not shown, and takes the place of the conversation's beginning.

It is opened in place of the model call that is due; that one is opened when the summary is there, or has failed: a summary that
comes to nothing is told once, the turn goes on without, and asks for no other. One that was lost with its process, or failed for the
moment, is asked for again. Its usage counts as that of any call. The person is told when it begins and what came of it.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.calling import call_model, callable_model, called_profile, spent, too_large
from turnfold.core.agent.compaction import summary_body
from turnfold.core.agent.draft import Draft, end_turn
from turnfold.core.agent.effects import Cancel, Notice, Publish
from turnfold.core.agent.events import Compacted, ModelReplied, Reason, RequestClosed
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.live import LiveReply, Plan
from turnfold.core.agent.retrying import waiting, with_time
from turnfold.core.agent.state import Turn
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import Located
from turnfold.core.llm.prices import priced
from turnfold.core.llm.reply import Stop
from turnfold.core.llm.wire import decode, finish
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.output import counted

OTHER_MODEL = "try /compact again, or name another model in compaction.model"
NOTHING_TO_SUMMARISE = "There is nothing to summarise: the last turns stay as they are, and nothing was said before them."


def open_summary(draft: Draft, turn: Turn, planned: Plan, own: Located, cfg: ChatConfig) -> Draft:
    """The summary of what ``planned`` names asked for: of the model that the config names for it, else of the conversation's ``own``.

    Where the named one can't be called, that is told, and its own does it.
    """
    found = callable_model(cfg, cfg.compaction.model) if cfg.compaction.model else own
    if isinstance(found, Problem):
        message = f"compaction.model can't be used, so the conversation's own model writes the summary: {found.message}"
        draft, found = draft.act(Publish(evolve(found, message=message, path="$.compaction.model"))), own
    asked = call_model(draft, turn, found, summary_body(draft.past, planned, found, cfg), cfg, plan=planned)
    before = 0 if draft.past.summary is None else draft.past.summary.upto
    return asked.act(Publish(Notice(f"(summing up {counted(planned.upto - before, 'earlier message')} …)")))


def summary_arrived(draft: Draft, reply: LiveReply, data: bytes, cfg: ChatConfig) -> Draft:
    """The draft with a chunk of a summary folded in, and nothing of it shown."""
    grown = evolve(reply, fold=decode(reply.fold, data).fold, size_bytes=reply.size_bytes + len(data))
    draft = draft.with_live(evolve(draft.state.live, reply=grown))
    if grown.size_bytes <= grown.limit_bytes:
        return draft
    return fail_summary(draft, grown.request_id, too_large(grown), cfg).act(Cancel(reply.request_id))


def close_summary(draft: Draft, reply: LiveReply, planned: Plan, cfg: ChatConfig, chance: float) -> Draft:
    """The summary over: in one step its request closed and the conversation compacted; or, where it is of no use, that told."""
    whole = finish(reply.fold)
    if whole.problem is not None:
        return fail_summary(draft, reply.request_id, whole.problem, cfg, chance)
    text = whole.text.strip()
    gone = draft.with_live(evolve(draft.state.live, reply=None))
    replied = ModelReplied(usage=priced(whole.usage, called_profile(draft.past, cfg)), stop=whole.stop)
    closed = gone.record(RequestClosed(reply.request_id, replied, draft.at_ms))
    if not text or whole.stop is not Stop.END:
        return _told(closed, _unusable(whole.stop), ends=True)
    done = closed.record(Compacted(planned.upto, text, planned.pinned, draft.at_ms))
    kept = f" ({counted(len(planned.pinned), 'message')} pinned)" if planned.pinned else ""
    return done.act(Publish(Notice(f"(summed up: the model is told a summary in place of the first {planned.upto:,} messages{kept})")))


def fail_summary(draft: Draft, request_id: RequestId, problem: Problem, cfg: ChatConfig, chance: float = 0.5) -> Draft:
    """The summary over as a failure; where asking again is of no use, a turn that was there for nothing else ends with it, and any other goes on."""
    told = with_time(problem)
    closed = draft.record(RequestClosed(request_id, told, draft.at_ms, spent(draft, draft.state.live.reply, cfg)))
    gone = closed.with_live(evolve(draft.state.live, reply=None))
    turn = gone.past.turn
    failed = None if turn is None else turn.model
    again = None if turn is None or failed is None else waiting(gone, evolve(request_id, n=turn.asked), failed, turn.failures, told, chance)
    return _told(gone, told, ends=False) if again is None else again


def _told(draft: Draft, problem: Problem, *, ends: bool) -> Draft:
    """The draft with ``problem`` told, once; ``ends``: a turn that was there for the summary ends here, else when it is settled."""
    turn = draft.past.turn
    if turn is not None and turn.commanded:
        return end_turn(draft, Reason.FAILED, problem) if ends else draft
    message = f"The conversation's beginning could not be summed up, so the turn goes on with all of it: {problem.message}"
    return draft.act(Publish(evolve(problem, message=message)))


def _unusable(stop: Stop) -> Problem:
    """Why a summary that came whole is of no use."""
    if stop is Stop.FILTER:
        return world_problem("withheld", "The provider withheld the summary (content filter).")
    if stop is Stop.END:
        return model_problem("empty-reply", "The model answered with nothing.")
    if stop is Stop.CALLS:
        return model_problem("no-summary", f"The model called a tool in place of summing up: {OTHER_MODEL}.")
    return model_problem("cut-summary", f"The summary was cut before its end: {OTHER_MODEL}.")
