"""``step`` decides: a conversation and what reached it, to the conversation after it and what is to be done.

``step(s, i) = settle(absorb(s, i))``. *Absorb* takes the input in: it records what it says. *Settle* opens whatever the
state alone says is due, until nothing is: the next slot's requests, the round's end, the next model call, the turn's
end, the next queued message. So after every step each open request is waited for, and a driver that has answered all
requests has nothing left to wake up.

What always holds:

* step is total. A late, doubled or unknown answer changes nothing, whatever its id.
* ``past`` changes only by the events that are recorded: ``step(s, i).state.past == reduce(apply, recorded, s.past)``.
* A turn has a model call or a round, never both open; a request id is opened once and closed once.
* A question is never performed, and an answer that does not fit it leaves it open; a denial closes its call without asking the tool.
* An interrupted turn opens nothing more; a limit of time interrupts a turn, too, and so does a guardrail that trips.
* What helps where a model call failed (a wait, a fallback, a summary) is decided where the failure is taken in: its chance comes with it.
"""

from __future__ import annotations

import hashlib
from typing import assert_never

from attrs import evolve

from turnfold.core.agent.checks import close_check, fail_check, settle_checks
from turnfold.core.agent.commands.table import command_given
from turnfold.core.agent.deciding import decided
from turnfold.core.agent.draft import Draft, Step
from turnfold.core.agent.effects import Cancel, Publish
from turnfold.core.agent.events import (
    MessageAdded,
    MessageQueued,
    RequestClosed,
    Started,
    TurnInterrupted,
    Unanswered,
    Why,
)
from turnfold.core.agent.generation import chunk_arrived, close_reply, fail_call, settle_generation, streaming
from turnfold.core.agent.ids import GUARD, RequestId, child_id
from turnfold.core.agent.inputs import (
    Answered,
    ChunkArrived,
    CommandGiven,
    Decided,
    Failed,
    Input,
    Interrupted,
    Resumed,
    SettingsChanged,
    TimePassed,
    UserSaid,
)
from turnfold.core.agent.led_tools import at_hand
from turnfold.core.agent.lessons import user_message
from turnfold.core.agent.limits import call_deadline, call_over, grace_deadline, time_over
from turnfold.core.agent.reconfigure import reconfigured
from turnfold.core.agent.requests import repeatable
from turnfold.core.agent.rounds import settle_round
from turnfold.core.agent.state import ChatState, Opened, Status, effective, find_open, open_requests
from turnfold.core.agent.streaming import streamed
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.models import find_provider
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.problem import Blame, Problem, world_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import ChildEnded, answers
from turnfold.core.world.described import described
from turnfold.core.world.requests import CallModel, StartChild


def step(state: ChatState, input: Input, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Step:
    """The conversation after ``input``, and what the shell shall do. Pure and total; cost independent of the log's length."""
    if isinstance(input, ChunkArrived):
        short = streamed(state, input)
        if short is not None:
            return short
    draft = Draft(state, input.at_ms)
    if state.past.started:
        return settle(_timed(draft, absorb(draft, input, tools, cfg), input, cfg), tools, cfg).step()
    begun = draft.record(_started(tools, cfg, input.at_ms))
    done = settle(absorb(begun, input, tools, cfg), tools, cfg)
    return Step(state, done.acts) if done.records == begun.records else done.step()  # nothing to start for: /help, a late answer


def execute_command(command: str | ToolCall, tools: tuple[ToolSpec, ...], cfg: ChatConfig, state: ChatState | None = None) -> Step:
    """The conversation after a person gave ``command`` (``/tools``, ``/undo``, ``/shell ls``, or a tool call as a value).

    Pure: nothing has happened yet; what shall happen is in the effects. An unknown command publishes a Problem.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> done = execute_command("/undoo", (), ChatConfig(ProjectConfig(Config())))
    >>> done.effects[0].what.message
    'There is no command /undoo. Did you mean /undo? /help lists them.'
    """
    return step(ChatState() if state is None else state, CommandGiven(command), tools, cfg)


def digest_of(value: object) -> str:
    """The SHA-256 (hex) of a value's repr: equal values have equal digests, in every process."""
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()


def _started(tools: tuple[ToolSpec, ...], cfg: ChatConfig, at_ms: int) -> Started:
    return Started(conversation=cfg.conversation, cfg_digest=digest_of(cfg), tools_digest=digest_of(tools), at_ms=at_ms)


def settle(draft: Draft, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """Everything done that the state alone says is due."""
    while True:
        before = draft
        turn = draft.past.turn
        if turn is None:
            queue = draft.past.queue
            draft = draft.record(MessageAdded(queue[0], draft.at_ms)) if queue else draft
        elif turn.checks and (checked := settle_checks(draft, turn, effective(cfg, draft.past))) is not draft:
            draft = checked
        elif streaming(turn):
            return draft
        elif turn.slots:
            draft = settle_round(draft, turn, tools, cfg)
        else:
            now = effective(cfg, draft.past)
            draft = settle_generation(draft, turn, tools, now)
        if draft is before:
            return draft


def _timed(before: Draft, draft: Draft, input: Input, cfg: ChatConfig) -> Draft:
    """The draft with its turn interrupted where the turn's seconds are over, and with model calls failed where theirs are; what changes nothing,
    such as a late answer, does not say so.
    """
    turn, reply = draft.past.turn, draft.state.live.reply
    if turn is None or turn.interrupted or (draft is before and not isinstance(input, TimePassed)):
        return draft
    if isinstance(input, ChunkArrived) and reply is not None and (reply.deadline_ms is None or draft.at_ms < reply.deadline_ms):
        return draft  # what nearly every chunk finds, at no cost
    if not (turn.slots or turn.checks) and (turn.model is None or turn.model.outcome is not None):
        return draft  # nothing is under way: a model call that would be due is judged before it opens
    now = effective(cfg, draft.past)
    over = time_over(draft.past, now, draft.at_ms)
    return _calls_over(draft, now) if over is None else draft.record(TurnInterrupted(draft.at_ms, over))


def _calls_over(draft: Draft, cfg: ChatConfig) -> Draft:
    """The draft with each model call failed whose seconds are over."""
    for each in () if cfg.limits.request_s is None else tuple(open_requests(draft.past)):
        deadline = call_deadline(each, cfg)
        if deadline is not None and draft.at_ms >= deadline:
            draft = _call_failed(draft, each.request_id, call_over(each, cfg), cfg, 0.5).act(Cancel(each.request_id))
    return draft


def _call_failed(draft: Draft, request_id: RequestId, problem: Problem, cfg: ChatConfig, chance: float) -> Draft:
    if request_id.slot == GUARD:
        return fail_check(draft, request_id, problem, cfg, chance)
    return fail_call(draft, request_id, problem, cfg, chance)


def absorb(draft: Draft, input: Input, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The draft with ``input`` taken in, and nothing more."""
    match input:
        case ChunkArrived(request_id, data):
            return chunk_arrived(draft, request_id, data, tools, cfg)
        case Answered():
            return _answered(draft, input, tools, cfg)
        case Failed(request_id, problem, chance=chance):
            return _failed(draft, request_id, problem, cfg, chance)
        case UserSaid(text=text, context=context):
            message = user_message(text, context, tools, cfg, draft.past)
            return draft.record(MessageAdded(message, draft.at_ms) if draft.past.turn is None else MessageQueued(message, draft.at_ms))
        case CommandGiven(command):
            now = effective(cfg, draft.past)
            return command_given(draft, command, at_hand(tools, now), now)
        case Decided():
            return decided(draft, input, tools, cfg)
        case SettingsChanged(change):
            return _settings_changed(draft, change, cfg)
        case Interrupted():
            turn = draft.past.turn
            return draft if turn is None or turn.interrupted else draft.record(TurnInterrupted(draft.at_ms))
        case TimePassed():
            return _time_passed(draft, cfg)
        case Resumed(children=children):
            return _resumed(draft, children)
        case _:
            assert_never(input)


def _answered(draft: Draft, input: Answered, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    found = find_open(draft.past, input.request_id)
    if found is None or found.status is Status.ASKED:
        return draft
    if not answers(found.request, input.answer):
        message = f"The shell answered {type(found.request).__name__} with {type(input.answer).__name__}."
        problem = Problem(code="mismatched-answer", message=message, blame=Blame.WORLD)
        return _failed(draft, input.request_id, problem, cfg, input.chance)
    if not isinstance(found.request, CallModel):
        return draft.record(RequestClosed(input.request_id, input.answer, draft.at_ms))
    if input.request_id.slot == GUARD:
        return close_check(draft, input.request_id, effective(cfg, draft.past), input.chance)
    reply = draft.state.live.reply
    if reply is None or reply.request_id != input.request_id:
        return draft.record(RequestClosed(input.request_id, Unanswered(Why.LOST), draft.at_ms))
    now = effective(cfg, draft.past)
    return close_reply(draft, reply, at_hand(tools, now), now, input.chance)


def _failed(draft: Draft, request_id: RequestId, problem: Problem, cfg: ChatConfig, chance: float) -> Draft:
    found = find_open(draft.past, request_id)
    if found is None or found.status is Status.ASKED:
        return draft
    if request_id.slot >= 0:
        return draft.record(RequestClosed(request_id, problem, draft.at_ms))
    return _call_failed(draft, request_id, problem, effective(cfg, draft.past), chance)


def _settings_changed(draft: Draft, change: Overrides, cfg: ChatConfig) -> Draft:
    """The draft with ``change`` over all settings, and questions that it answers with yes; refused where it names no known model."""
    now = effective(cfg, draft.past)
    found = find_provider(evolve(now, overrides=(change, *now.overrides))) if isinstance(change.own_model, str) else None
    return draft.act(Publish(found)) if isinstance(found, Problem) else reconfigured(draft, change, now)


def _time_passed(draft: Draft, cfg: ChatConfig) -> Draft:
    now = effective(cfg, draft.past)
    for each in open_requests(draft.past):
        if each.status is Status.CANCELLING and draft.at_ms >= grace_deadline(each, now):
            draft = draft.record(RequestClosed(each.request_id, Unanswered(Why.UNKNOWN), draft.at_ms))
    return draft


def _resumed(draft: Draft, children: tuple[ChildEnded, ...]) -> Draft:
    draft = draft.with_live(evolve(draft.state.live, reply=None, checks=()))
    known = {child.conversation: child for child in children}
    for each in open_requests(draft.past):
        if each.status is Status.ASKED:
            continue
        ended = known.get(child_id(draft.past.conversation, each.request_id)) if isinstance(each.request, StartChild) else None
        if ended is not None:
            draft = draft.record(RequestClosed(each.request_id, ended, draft.at_ms))
            continue
        why = Why.LOST if repeatable(each.request) else Why.UNKNOWN
        draft = draft.record(RequestClosed(each.request_id, Unanswered(why), draft.at_ms))
        if why is Why.UNKNOWN:
            draft = draft.act(Publish(world_problem("unknown-outcome", _unknown(each, draft.past.conversation))))
    return draft


def _unknown(opened: Opened, conversation: str) -> str:
    """What a person is told of a request that was under way when turnfold was stopped; a child's own journal says how far it came.

    >>> from turnfold.core.world.requests import RunProcess
    >>> make = RunProcess(script="make all", cwd="/w", environment=(), timeout_s=1.0, output_bytes=9)
    >>> _unknown(Opened(request_id=RequestId(1, 1, 0, 0), request=make, status=Status.RUNNING), "c").partition(":")[0]
    'turnfold was stopped in the middle of an act (run make all)'
    """
    about = described(opened.request)
    act = f"{about.kind} {clipped(' '.join(about.subject.split()))}"
    if isinstance(opened.request, StartChild):
        child = child_id(conversation, opened.request_id)
        return f"turnfold was stopped in the middle of an act ({act}): what was done of it is in conversation {child}; turnfold --resume {child}  goes on with it."
    return f"turnfold was stopped in the middle of an act ({act}): whether it took effect is unknown, so look before it is done again."
