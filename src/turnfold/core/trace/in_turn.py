"""What an event says of the running turn: spans begun and ended, by the places that requests and calls have anyway."""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.events import (
    CallClosed,
    CancelAsked,
    Event,
    MessageAdded,
    ModelReplied,
    Outcome,
    Permitted,
    Reason,
    RequestClosed,
    RequestOpened,
    RoundEnded,
    TurnEnded,
    TurnInterrupted,
    Unanswered,
    Why,
)
from turnfold.core.agent.ids import GUARD, MODEL, child_id
from turnfold.core.agent.turn_events import CallEdited, GuardrailChecked, HandedOff
from turnfold.core.conversation.messages import AssistantMessage, Invocation, ToolCall
from turnfold.core.problem import Problem
from turnfold.core.trace.progress import BROKEN_OFF, GOOD, Advanced, End, Now, ended
from turnfold.core.trace.spans import (
    AgentFacts,
    CallFacts,
    ChildFacts,
    Facts,
    GuardrailFacts,
    HandoffFacts,
    ModelFacts,
    PermissionFacts,
    RequestFacts,
    RoundFacts,
    Span,
    Status,
    TurnFacts,
)
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.came import came_of
from turnfold.core.world.described import described
from turnfold.core.world.requests import AskHuman, CallModel, Purpose, StartChild


def in_turn(done: Advanced, event: Event) -> Advanced:
    """``done`` after ``event``, which is about the turn that runs."""
    if isinstance(event, MessageAdded) and isinstance(event.message, AssistantMessage):
        return _replied(done, event.message, event.at_ms)
    done = done.released()
    match event:
        case RequestOpened():
            return _opened(done, event)
        case Permitted(request_id, at_ms):
            return done.end(f"{request_id}.p", GOOD, at_ms)
        case RequestClosed():
            return _closed(done, event)
        case CallClosed():
            return _call_closed(done, event)
        case RoundEnded(at_ms):
            return _round_ended(done, at_ms)
        case TurnEnded():
            return _turn_ended(done, event)
        case _:
            return _rarer(done, event)


def _rarer(done: Advanced, event: Event) -> Advanced:
    now = done.now
    match event:
        case CancelAsked(request_id):
            return done.with_now(evolve(now, cancelling=(*now.cancelling, str(request_id))))
        case TurnInterrupted():
            return done.with_now(evolve(now, interrupted=True))
        case HandedOff():
            return _handed_off(done, event)
        case GuardrailChecked():
            return _checked(done, event)
        case CallEdited(slot, arguments):
            call = _call(now, slot)
            return done if call is None else done.change(call.id, CallFacts(_tool(call), arguments))
        case _:
            return done


def begin_agent(done: Advanced, at_ms: int) -> Advanced:
    """``done`` with the span of the agent that leads, where it has a name."""
    agent = done.progress.leading.agent
    return _marked(done, "a", AgentFacts(agent), at_ms) if agent else done


def begin_round(done: Advanced, place: str, calls: tuple[Invocation, ...], said: str, at_ms: int) -> Advanced:
    """``done`` with the round at ``place`` and its calls."""
    if not calls:
        return done
    done = done.begin(place, RoundFacts(len(calls)), at_ms, done.now.lead)
    for slot, call in enumerate(calls):
        done = done.begin(
            f"{place}.{slot}", CallFacts(call.name, call.arguments if isinstance(call, ToolCall) else call.text), at_ms, place
        )
    return done


def _marked(done: Advanced, kind: str, facts: Facts, at_ms: int) -> Advanced:
    """``done`` with a span begun in the turn that is no place of its own: it is counted."""
    marks = done.now.marks + 1
    counted = done.with_now(evolve(done.now, marks=marks))
    return counted.begin(f"{done.now.turn}.{kind}{marks}", facts, at_ms, done.now.turn)


def _replied(done: Advanced, message: AssistantMessage, at_ms: int) -> Advanced:
    done = done.released(message.text, tuple(call.name for call in message.calls))
    done = done.with_now(evolve(done.now, replied=message.text))
    return begin_round(done, message.place, message.calls, message.text, at_ms)


def _opened(done: Advanced, event: RequestOpened) -> Advanced:
    place, request, at_ms = str(event.request_id), event.request, event.at_ms
    match event.request_id.slot:
        case slot if slot == MODEL:
            parent = done.now.lead
        case slot if slot == GUARD:
            parent = f"{place}.c"
            check = event.check
            about = GuardrailFacts() if check is None else GuardrailFacts(name=check.name, on=check.on)
            done = done.begin(parent, about, at_ms, done.now.turn)
        case slot:
            call = _call(done.now, slot)
            parent = done.now.lead if call is None else call.id
    done = done.begin(place, _facts(done, event), at_ms, parent)
    if event.asked and not isinstance(request, AskHuman):
        done = done.begin(f"{place}.p", PermissionFacts(asked=event.asked), at_ms, place)
    return done


def _facts(done: Advanced, event: RequestOpened) -> Facts:
    request = event.request
    match request:
        case CallModel():
            return ModelFacts(model=f"{request.provider.name}/{request.model}", purpose=request.purpose)
        case StartChild(task=task, agent=agent):
            return ChildFacts(conversation=child_id(done.progress.conversation, event.request_id), task=task, agent=agent)
        case _:
            about = described(request)
            return RequestFacts(kind=about.kind, subject=about.subject)


def _closed(done: Advanced, event: RequestClosed) -> Advanced:
    place, outcome, at_ms = str(event.request_id), event.outcome, event.at_ms
    span = done.now.find(place)
    if span is None:
        return done
    end = _outcome_end(outcome, cancelling=place in done.now.cancelling)
    asked = done.now.find(f"{place}.p")
    if asked is not None and isinstance(asked.facts, PermissionFacts):
        note = outcome.note if isinstance(outcome, Unanswered) else ""
        done = done.end(asked.id, end, at_ms, evolve(asked.facts, note=note))
    done = _noted(_spent(done, event), event)
    if isinstance(outcome, ModelReplied) and isinstance(span.facts, ModelFacts):
        return _model_replied(done, span, span.facts, outcome, at_ms)
    done = done.end(place, end, at_ms, _answered(span.facts, event))
    return done.end(f"{place}.c", end, at_ms) if event.request_id.slot == GUARD else done


def _model_replied(done: Advanced, span: Span, facts: ModelFacts, outcome: ModelReplied, at_ms: int) -> Advanced:
    over = evolve(facts, usage=outcome.usage, stop=outcome.stop)
    if facts.purpose is not Purpose.REPLY:
        return done.end(span.id, GOOD, at_ms, over)
    rest = tuple(each for each in done.now.open if each is not span)
    return done.with_now(evolve(done.now, open=rest, held=ended(span, GOOD, at_ms, over)))


def _spent(done: Advanced, event: RequestClosed) -> Advanced:
    """``done`` with what the request used counted."""
    used = event.outcome.usage if isinstance(event.outcome, (ModelReplied, ChildEnded)) else event.spent
    if used is None:
        return done
    progress = done.progress
    return Advanced(evolve(progress, usage=progress.usage.plus(used)), done.begun, done.ended)


def _noted(done: Advanced, event: RequestClosed) -> Advanced:
    """``done`` with it known of the call that a request of it was denied, or is of unknown outcome."""
    outcome = event.outcome
    if not isinstance(outcome, Unanswered) or outcome.why not in {Why.DENIED, Why.UNKNOWN}:
        return done
    call = _call(done.now, event.request_id.slot)
    if call is None:
        return done
    return done.with_now(evolve(done.now, unanswered=(*done.now.unanswered, (call.id, outcome.why))))


def _answered(facts: Facts, event: RequestClosed) -> Facts:
    outcome = event.outcome
    if isinstance(facts, ModelFacts):
        return facts if event.spent is None else evolve(facts, usage=event.spent)
    if isinstance(outcome, (Problem, Unanswered, ModelReplied)):
        return facts
    if isinstance(facts, ChildFacts):
        return evolve(facts, usage=outcome.usage) if isinstance(outcome, ChildEnded) else facts
    return evolve(facts, outcome=came_of(outcome)) if isinstance(facts, RequestFacts) else facts


def _outcome_end(outcome: Outcome, *, cancelling: bool) -> End:
    match outcome:
        case Problem(code=code, message=message):
            return End(Status.INTERRUPTED if cancelling else Status.FAILED, code, message)
        case Unanswered(why, note):
            return End(Status(why.value), why.value, note)
        case ChildEnded(ok=False, text=text):
            return End(Status.FAILED, "child-failed", text)
        case _:
            return GOOD


def _call(now: Now, slot: int) -> Span | None:
    """The open call ``slot`` of the open round."""
    around = now.round()
    return None if around is None or slot < 0 else now.find(f"{around.id}.{slot}")


def _tool(call: Span) -> str:
    return call.facts.tool if isinstance(call.facts, CallFacts) else ""


def _call_closed(done: Advanced, event: CallClosed) -> Advanced:
    call = _call(done.now, event.slot)
    if call is None or not isinstance(call.facts, CallFacts):
        return done
    return done.end(call.id, _call_end(event, call, done.now), event.at_ms, evolve(call.facts, result=event.text))


def _call_end(event: CallClosed, call: Span, now: Now) -> End:
    if event.ok:
        return GOOD
    said = event.text.rstrip().rpartition("\n")[2]  # of an output or a traceback, the last line says what went wrong
    for cause, status in ((Why.UNKNOWN, Status.UNKNOWN), (Why.DENIED, Status.DENIED)):
        if (call.id, cause) in now.unanswered:
            return End(status, cause.value, said)
    return End(Status.INTERRUPTED, "interrupted", said) if now.interrupted else End(Status.FAILED, "tool-failed", said)


def _round_ended(done: Advanced, at_ms: int) -> Advanced:
    around = done.now.round()
    if around is None:
        return done
    done = done.end(around.id, BROKEN_OFF if done.now.interrupted else GOOD, at_ms)
    done = done.with_now(evolve(done.now, unanswered=()))
    return done if done.now.next is None else _led(done, at_ms)


def _handed_off(done: Advanced, event: HandedOff) -> Advanced:
    """``done`` with another agent in the lead: from the end of the round on, where one is open."""
    leading = done.progress.leading.by(event.change)
    done = Advanced(evolve(done.progress, leading=evolve(leading, agent=event.agent)), done.begun, done.ended)
    done = _marked(done, "h", HandoffFacts(event.agent), event.at_ms)
    done = done.end(done.now.open[-1].id, GOOD, event.at_ms)
    done = done.with_now(evolve(done.now, next=event.agent))
    return done if done.now.round() is not None else _led(done, event.at_ms)


def _led(done: Advanced, at_ms: int) -> Advanced:
    """``done`` with the span of the agent that leads from here on, in place of that of the one before."""
    now = done.now
    over = done.end(now.lead, GOOD, at_ms) if now.lead != now.turn else done
    begun = begin_agent(over.with_now(evolve(over.now, next=None)), at_ms)
    opened = begun.now.open  # the agent's span stands behind the turn's, where `lead` looks for it
    return begun.with_now(evolve(begun.now, open=(opened[0], *opened[-1:], *opened[1:-1]) if len(opened) > 1 else opened))


def _checked(done: Advanced, event: GuardrailChecked) -> Advanced:
    """``done`` with a verdict: of the check whose model has answered last, else of one that needed no model."""
    facts = GuardrailFacts(name=event.name, on=event.on, tripped=event.tripped, reason=event.reason)
    end = End(Status.DENIED, "guardrail", event.reason) if event.tripped else GOOD
    asking = {each.parent for each in done.now.open}
    judged = [each.id for each in done.now.open if isinstance(each.facts, GuardrailFacts) and each.id not in asking]
    if not judged:
        done = _marked(done, "g", facts, event.at_ms)
        judged = [done.now.open[-1].id]
    return done.end(judged[-1], end, event.at_ms, facts)


def _turn_ended(done: Advanced, event: TurnEnded) -> Advanced:
    end, turn = _turn_end(event), done.now.open[0]
    for span in reversed(done.now.open[1:]):
        done = done.end(span.id, end if isinstance(span.facts, AgentFacts) else BROKEN_OFF, event.at_ms)
    facts = (
        evolve(turn.facts, reason=event.reason, reply=event.text or done.now.replied) if isinstance(turn.facts, TurnFacts) else turn.facts
    )
    return done.end(turn.id, end, event.at_ms, facts).with_now(Now())


def _turn_end(event: TurnEnded) -> End:
    status = {Reason.COMPLETED: Status.OK, Reason.INTERRUPTED: Status.INTERRUPTED}.get(event.reason, Status.FAILED)
    if event.problem is not None:
        return End(status, event.problem.code, event.problem.message)
    return GOOD if status is Status.OK else End(status, event.reason.value)
