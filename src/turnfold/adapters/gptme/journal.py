"""A conversation of gptme as a journal: the events that turnfold would have recorded, had it been held here.

What always holds, whatever the file says: the fold is idle; every request that is opened is closed in its turn; a call has one
result, and a result its call; the person's message begins a turn, a reply without calls ends it. A reply that nobody asked for (the
file begins with one, or two follow each other) is kept as spoken by the person in the model's place, and its usage is told as left.
A turn that no reply ended was interrupted: so nothing is called when the conversation goes on.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, field, frozen

from turnfold.adapters.gptme.left import Left
from turnfold.adapters.gptme.lines import Line, Moment, in_utc, read_lines_untrusted
from turnfold.adapters.gptme.turns import Heard, Spoken, turns_of
from turnfold.core.agent.events import (
    CallClosed,
    Event,
    Impersonated,
    MessageAdded,
    ModelReplied,
    Reason,
    RequestClosed,
    RequestOpened,
    RoundEnded,
    Started,
    TurnEnded,
    TurnInterrupted,
)
from turnfold.core.agent.ids import MODEL, RequestId, place
from turnfold.core.config.values import Provider
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, UserMessage
from turnfold.core.llm.reply import Stop
from turnfold.core.world.requests import CallModel
from turnfold.core.world.usage import Usage


@final
@frozen
class Imported:
    """A journal, empty where nobody spoke in the file, and what of the file is not in it."""

    events: tuple[Event, ...]
    left: tuple[Left, ...]


@final
@frozen(kw_only=True)
class _Draft:
    """A journal as far as it has come. ``generation`` is the one that the running turn is in; 0: no turn runs."""

    events: Log[Event] = field(factory=Log)
    turn: int = 0
    generation: int = 0
    at_ms: int = 0

    def record(self, *events: Event) -> _Draft:
        """The draft with ``events`` at its end."""
        log = self.events
        for event in events:
            log = log.append(event)
        return evolve(self, events=log, at_ms=events[-1].at_ms if events else self.at_ms)


def events_of_untrusted(data: bytes, started: Started, moment: Moment = in_utc, since_ms: int = 0) -> Imported:
    """The journal of the conversation in ``data``, gptme's JSON Lines; ``started`` is its first event. Pure, never raises.

    >>> said = b'{"role": "user", "content": "hi"}\\n{"role": "assistant", "content": "Hello."}\\n'
    >>> imported = events_of_untrusted(said, Started(conversation="c", cfg_digest="", tools_digest=""))
    >>> [type(event).__name__ for event in imported.events]
    ['Started', 'MessageAdded', 'RequestOpened', 'RequestClosed', 'MessageAdded', 'TurnEnded']
    """
    read = read_lines_untrusted(data, moment, since_ms)
    found = turns_of(read.lines)
    left = (*read.left, *found.left, *_uncounted(found.turns))
    if not found.turns:
        return Imported((), left)
    first = found.turns[0]
    draft = _Draft().record(evolve(started, at_ms=first.at_ms if isinstance(first, Heard) else first.line.at_ms))
    for turn in found.turns:
        draft = _heard(draft, turn) if isinstance(turn, Heard) else _spoken(draft, turn)
    return Imported(tuple(_interrupted(draft, draft.at_ms).events), left)


def _heard(draft: _Draft, heard: Heard) -> _Draft:
    ended = _interrupted(draft, heard.at_ms)
    message = UserMessage(heard.text, context=heard.context, pinned=heard.pinned)
    return evolve(ended.record(MessageAdded(message, heard.at_ms)), turn=draft.turn + 1, generation=1)


def _interrupted(draft: _Draft, at_ms: int) -> _Draft:
    """The draft without a running turn."""
    if not draft.generation:
        return draft
    return evolve(draft.record(TurnInterrupted(at_ms), TurnEnded(Reason.INTERRUPTED, None, at_ms)), generation=0)


def _spoken(draft: _Draft, spoken: Spoken) -> _Draft:
    at_ms = spoken.line.at_ms
    unasked = not draft.generation
    turn = draft.turn + 1 if unasked else draft.turn
    message = AssistantMessage(text=spoken.text, place=place(turn, draft.generation), calls=spoken.calls)
    said = draft.record(Impersonated(message, at_ms)) if unasked else _replied(draft, message, spoken.line)
    for slot, output in enumerate(spoken.outputs):
        said = said.record(CallClosed(slot=slot, text=output.text, ok=output.ok, at_ms=output.at_ms))
    said = said.record(RoundEnded(said.at_ms)) if spoken.outputs else said
    if spoken.outputs and not unasked:
        return evolve(said, generation=draft.generation + 1)
    return evolve(said.record(TurnEnded(Reason.COMPLETED, None, said.at_ms)), turn=turn, generation=0)


def _replied(draft: _Draft, message: AssistantMessage, line: Line) -> _Draft:
    provider, slash, name = line.model.partition("/")
    request_id = RequestId(draft.turn, draft.generation, MODEL, 0)
    asked = CallModel(provider=Provider(name=provider if slash else "gptme"), model=name if slash else line.model, upto=len(draft.events))
    replied = ModelReplied(usage=line.usage, stop=Stop.CALLS if message.calls else Stop.END)
    return draft.record(
        RequestOpened(request_id=request_id, request=asked, at_ms=draft.at_ms),
        RequestClosed(request_id, replied, line.at_ms),
        MessageAdded(message, line.at_ms),
    )


def _uncounted(turns: tuple[Heard | Spoken, ...]) -> tuple[Left, ...]:
    """What is told of the replies that nobody asked for."""
    told: list[Left] = []
    asked = False
    for turn in turns:
        if isinstance(turn, Spoken):
            if not asked and turn.line.usage != Usage():
                told.append(Left(f"line {turn.line.number}", "its tokens and cost are not counted: it is a reply that nobody asked for"))
            asked = asked and bool(turn.outputs)
        else:
            asked = True
    return tuple(told)
