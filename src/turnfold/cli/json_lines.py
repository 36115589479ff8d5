"""Effects as JSON Lines, for programs: events with their number, deltas, notices, documents and problems as they come."""

from __future__ import annotations

import json
from typing import assert_never

from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Cancel, Delta, Document, Effect, Leave, Notice, Perform, Progress, Publish, Recall, Record
from turnfold.core.agent.events import Event
from turnfold.core.codec.codec import EVENT, QUESTION, encode
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
        case Publish(what):
            return _published(what)
        case Perform() | Cancel() | Recall():
            return ""  # what comes of them is recorded or published
        case _:
            assert_never(effect)


def _published(what: Delta | Problem | Notice | Document | Leave | Progress) -> str:
    match what:
        case Delta(request_id=request_id, number=number, channel=channel, text=text):
            return _line("delta", {"request_id": str(request_id), "number": number, "channel": channel.value, "text": text})
        case Notice(text):
            return _line("notice", text)
        case Document(path, text):
            return _line("document", {"path": path, "text": text})
        case Leave():
            return _line("leave", {})
        case Progress(request_id, text):
            return _line("progress", {"request_id": str(request_id), "text": text})
        case Problem():
            return problem_line(what)
        case _:
            assert_never(what)


def question_line(question: Question) -> str:
    """One question that waits for a person as a line: ``{"question": {…}}``; ``/decide ID …`` answers it."""
    return f'{{"question":{encode(QUESTION, question)}}}\n'


def problem_line(problem: Problem) -> str:
    """A Problem as a line."""
    said = {"code": problem.code, "message": problem.message, "blame": problem.blame.value, "path": problem.path}
    return _line("problem", said)


def _line(kind: str, value: object) -> str:
    return scalar_text(json.dumps({kind: value}, ensure_ascii=False, separators=(",", ":"))) + "\n"
