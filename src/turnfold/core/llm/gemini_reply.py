"""Gemini (``streamGenerateContent?alt=sse``), the way in: a streamed reply folded chunk by chunk.

A stream is events of JSON objects that all have one shape: ``candidates[0].content.parts`` adds parts (:mod:`gemini_parts`),
``finishReason`` says why the model stopped, ``usageMetadata`` the tokens so far, ``promptFeedback.blockReason`` that there will be no
reply. There is no event that ends it. What is borne besides: a call without arguments, arguments that are no object, an ``error`` in place
of the rest, a candidate without content, parts of kinds that we do not know, and a body that is no stream: one such object, or a list
of them, as the server sends without ``alt=sse``.

Nothing that JSON parsing gave is kept but strings, numbers and frozen JSON.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.llm.gemini_end import UNREADABLE, counted, stop_of
from turnfold.core.llm.gemini_parts import (
    MAX_PARTS,
    TEXT,
    THOUGHT,
    Part,
    calls_begun,
    goes_on,
    raw_calls,
    read_part,
    verbatim,
)
from turnfold.core.llm.intake import (
    Intake,
    Object,
    begun,
    cut_off,
    error_told,
    garbage,
    is_scalar,
    loaded,
    parsed,
    rest,
    scalars,
    take,
    words,
)
from turnfold.core.llm.protocol import Decoded
from turnfold.core.llm.reply import CallSoFar, Reply, Stop
from turnfold.core.llm.sse import NO_EVENT, NO_LINE
from turnfold.core.problem import Problem, model_problem
from turnfold.core.world.usage import Usage

NO_TEXT: Log[str] = Log()
NO_USAGE: Usage = Usage()


@final
@frozen(eq=False, repr=False, kw_only=True)
class Told:
    """What of a reply is not its parts. ``held_text``, ``held_reasoning``: the first half of a character that was cut into two escapes."""

    stop: Stop | None = None
    problem: Problem | None = None
    held_text: str = ""
    held_reasoning: str = ""


NOTHING_TOLD: Told = Told()


@final
@frozen(eq=False, repr=False)
class GeminiFold:
    """A reply so far."""

    intake: Intake
    text: Log[str] = NO_TEXT
    reasoning: Log[str] = NO_TEXT
    parts: tuple[Part, ...] = ()
    usage: Usage = NO_USAGE
    told: Told = NOTHING_TOLD


def begin() -> GeminiFold:
    """The fold of a reply of which nothing has come."""
    return GeminiFold(begun())


def decode(fold: GeminiFold, chunk: bytes) -> Decoded[GeminiFold]:
    r"""The fold after ``chunk``, with the text and reasoning it added; linear in the chunk, whatever came before.

    >>> decode(begin(), b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\n\n').text
    'Hi'
    """
    plainly = _plain_chunk_taken(fold, chunk)
    if plainly is not None:
        return plainly
    taken = take(fold.intake, chunk)
    if taken.intake is not fold.intake:
        fold = GeminiFold(taken.intake, fold.text, fold.reasoning, fold.parts, fold.usage, fold.told)
    return _all_taken(fold, taken.texts)


def _plain_chunk_taken(fold: GeminiFold, chunk: bytes) -> Decoded[GeminiFold] | None:
    """``fold`` with a chunk of one event that says nothing but more text, as most are; None for any other."""
    splitter = fold.intake.splitter
    crlf = chunk[-4:] == b"\r\n\r\n"
    if (
        chunk[:7] != b"data: {"
        or not (crlf or chunk[-2:] == b"\n\n")
        or splitter.line is not NO_LINE
        or splitter.event is not NO_EVENT
        or not fold.intake.seen
        or len(chunk) > splitter.limit_bytes
        or chunk.count(b"\n") != 2
        or chunk.count(b"\r") != 2 * crlf
    ):
        return None
    value = loaded(chunk[6 : -4 if crlf else -2].decode("utf-8", "replace"))
    return None if value is None else _plain_taken(fold, value)


def _all_taken(fold: GeminiFold, texts: tuple[str, ...]) -> Decoded[GeminiFold]:
    text: list[str] = []
    reasoning: list[str] = []
    for each in texts:
        decoded = _taken(fold, each)
        fold = decoded.fold
        text.append(decoded.text)
        reasoning.append(decoded.reasoning)
    return Decoded(fold=fold, text="".join(text), reasoning="".join(reasoning))


def finish(fold: GeminiFold) -> Reply:
    r"""The reply that the chunks make; what is wrong with it is its ``problem``.

    >>> reply = finish(decode(begin(), b'[{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}]').fold)
    >>> reply.text, reply.stop, reply.problem
    ('Hi', <Stop.END: 'end'>, None)
    >>> finish(decode(begin(), b"<html>").fold).problem.message
    'The server answered with what is no reply of a model ("<html>"): check the base URL of the provider.'
    """
    left = rest(fold.intake)
    fold = _all_taken(fold, left.texts).fold
    if left.problem is not None:
        fold = _failed(fold, left.problem)
    if left.body:
        fold = _whole(fold, left.body)
    return _reply(fold)


def calls_so_far(fold: GeminiFold) -> tuple[CallSoFar, ...]:
    """The calls that have come; each comes whole."""
    return calls_begun(fold.parts)


def _reply(fold: GeminiFold) -> Reply:
    told = fold.told
    calls = raw_calls(fold.parts)
    stop = told.stop or Stop.CUT
    if stop is Stop.END and calls:
        stop = Stop.CALLS
    return Reply(
        text="".join(fold.text),
        reasoning="".join(fold.reasoning),
        calls=calls,
        usage=fold.usage,
        stop=stop,
        problem=cut_off() if stop is Stop.CUT and told.problem is None else told.problem,
        verbatim=verbatim(fold.parts, fold.text, fold.reasoning),
    )


def _taken(fold: GeminiFold, data: str) -> Decoded[GeminiFold]:
    """``fold`` with one event."""
    value = loaded(data)
    if value is None:
        return Decoded(fold=fold if data == "[DONE]" else _failed(fold, garbage(data)))
    return _plain_taken(fold, value) or _object_taken(fold, value)


def _plain_taken(fold: GeminiFold, value: Object) -> Decoded[GeminiFold] | None:
    """``fold`` with an event that says nothing but more of the text, or the thought, that the reply ends in, as most do; None for any other."""
    candidates: object = value.get("candidates")
    if not fold.parts or not isinstance(candidates, list) or len(candidates) != 1 or "error" in value or "promptFeedback" in value:
        return None
    first: object = candidates[0]
    content: object = first.get("content") if isinstance(first, dict) and "finishReason" not in first and not first.get("index") else None
    parts: object = content.get("parts") if isinstance(content, dict) else None
    part: object = parts[0] if isinstance(parts, list) and len(parts) == 1 else None
    if not isinstance(part, dict) or fold.told.held_text or fold.told.held_reasoning:
        return None
    text: object = part.get("text")
    last = fold.parts[-1]
    thought = part.get("thought") is True
    if len(part) != 1 + thought or last.kind != (THOUGHT if thought else TEXT) or last.signature:
        return None
    if not isinstance(text, str) or not text or not is_scalar(text):
        return None
    told: object = value.get("usageMetadata")
    usage = counted(told, fold.usage) if isinstance(told, dict) else fold.usage
    if thought:
        return Decoded(GeminiFold(fold.intake, fold.text, fold.reasoning.append(text), fold.parts, usage, fold.told), "", text)
    return Decoded(GeminiFold(fold.intake, fold.text.append(text), fold.reasoning, fold.parts, usage, fold.told), text)


def _object_taken(fold: GeminiFold, value: Object) -> Decoded[GeminiFold]:
    error = value.get("error")
    if error:
        fold = _failed(fold, error_told(error))
    usage: object = value.get("usageMetadata")
    if isinstance(usage, dict):
        fold = GeminiFold(fold.intake, fold.text, fold.reasoning, fold.parts, counted(usage, fold.usage), fold.told)
    feedback: object = value.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        fold = _with_told(fold, evolve(fold.told, stop=Stop.FILTER))
    candidates: object = value.get("candidates")
    first: object = candidates[0] if isinstance(candidates, list) and candidates else None
    if not isinstance(first, dict) or first.get("index"):
        return Decoded(fold=fold)
    content: object = first.get("content")
    parts: object = content.get("parts") if isinstance(content, dict) else None
    decoded = _parts_taken(fold, parts) if isinstance(parts, list) else Decoded(fold=fold)
    reason = words(first.get("finishReason"))
    if not reason:
        return decoded
    return Decoded(fold=_stopped(decoded.fold, reason, first), text=decoded.text, reasoning=decoded.reasoning)


def _parts_taken(fold: GeminiFold, values: list[object]) -> Decoded[GeminiFold]:
    """``fold`` with the parts of one event, of which most have one: more text."""
    texts: list[str] = []
    thoughts: list[str] = []
    for value in values:
        if isinstance(value, dict):
            decoded = _part_taken(fold, value)
            fold = decoded.fold
            texts.append(decoded.text)
            thoughts.append(decoded.reasoning)
    return Decoded(fold=fold, text="".join(texts), reasoning="".join(thoughts))


def _part_taken(fold: GeminiFold, value: Object) -> Decoded[GeminiFold]:
    part = read_part(value, len(fold.text), len(fold.reasoning))
    if part is None or (part.kind in (TEXT, THOUGHT) and not (value.get("text") or part.signature)):
        return Decoded(fold=fold)
    parts, told = fold.parts, fold.told
    if not goes_on(parts, part):
        if len(parts) < MAX_PARTS:
            parts = (*parts, part)
        else:
            said = f"A reply may hold {MAX_PARTS} parts: those beyond were left out; make fewer calls at once."
            told = evolve(told, problem=told.problem or model_problem("too-many-calls", said))
    text = scalars(told.held_text, value.get("text") if part.kind == TEXT else None)
    thought = scalars(told.held_reasoning, value.get("text") if part.kind == THOUGHT else None)
    if (text.held, thought.held) != (told.held_text, told.held_reasoning):
        told = evolve(told, held_text=text.held, held_reasoning=thought.held)
    after = GeminiFold(
        fold.intake,
        fold.text.append(text.whole) if text.whole else fold.text,
        fold.reasoning.append(thought.whole) if thought.whole else fold.reasoning,
        parts,
        fold.usage,
        told,
    )
    return Decoded(fold=after, text=text.whole, reasoning=thought.whole)


def _stopped(fold: GeminiFold, reason: str, candidate: Object) -> GeminiFold:
    told = evolve(fold.told, stop=stop_of(reason))
    if reason in UNREADABLE and told.problem is None:
        why = words(candidate.get("finishMessage"))[:300] or reason
        said = f"The model wrote a call that its provider could not read ({why}): try again, or use another model."
        told = evolve(told, problem=model_problem("bad-reply", said))
    return _with_told(fold, told)


def _failed(fold: GeminiFold, problem: Problem) -> GeminiFold:
    return _with_told(fold, evolve(fold.told, problem=fold.told.problem or problem))


def _whole(fold: GeminiFold, body: str) -> GeminiFold:
    """``fold`` with its body read as what a server sends that does not stream events: one object, or a list of them."""
    value = parsed(body)
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and any(key in each for key in ("candidates", "promptFeedback", "error")):
            fold = _object_taken(fold, each).fold
    return fold if fold.text.size or fold.parts or fold.told is not NOTHING_TOLD else _failed(fold, garbage(body))


def _with_told(fold: GeminiFold, told: Told) -> GeminiFold:
    return GeminiFold(fold.intake, fold.text, fold.reasoning, fold.parts, fold.usage, told)
