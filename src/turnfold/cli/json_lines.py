"""Effects as JSON Lines, for programs: events with their number, deltas, notices and problems as they come."""

from __future__ import annotations

import json

from turnfold.core.agent.effects import Delta, Effect, Notice, Publish, Record
from turnfold.core.agent.events import Event
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem


def event_line(number: int, event: Event) -> str:
    """One event as a line: ``{"number": …, "event": {…}}``."""
    return f'{{"number":{number},"event":{encode(EVENT, event)}}}\n'


def effect_line(effect: Effect) -> str:
    """One effect as a line; empty for what only the shell is told.

    >>> from turnfold.core.problem import Blame
    >>> effect_line(Publish(Notice("hi"))), effect_line(Publish(Problem(code="a", message="b", blame=Blame.WORLD)))
    ('{"notice":"hi"}\\n', '{"problem":{"code":"a","message":"b","blame":"world","path":""}}\\n')
    """
    match effect:
        case Record(number, event):
            return event_line(number, event)
        case Publish(what=Delta() as delta):
            return _line(
                "delta", {"request_id": str(delta.request_id), "number": delta.number, "channel": delta.channel.value, "text": delta.text}
            )
        case Publish(what=Notice(text)):
            return _line("notice", text)
        case Publish(what=Problem() as problem):
            return problem_line(problem)
        case _:
            return ""


def problem_line(problem: Problem) -> str:
    """A Problem as a line."""
    said = {"code": problem.code, "message": problem.message, "blame": problem.blame.value, "path": problem.path}
    return _line("problem", said)


def _line(kind: str, value: object) -> str:
    return scalar_text(json.dumps({kind: value}, ensure_ascii=False, separators=(",", ":"))) + "\n"
