"""OpenAI Chat Completions, the way in: a streamed reply folded chunk by chunk.

A stream is events of JSON objects. Of each, ``choices[0].delta`` adds text, reasoning and fragments of tool calls;
``finish_reason`` says why the model stopped; ``usage`` comes with any event, mostly a last one without choices; then
``[DONE]``. What servers that call themselves compatible do besides, and is borne here:

* the first content is null or "", content is a list of parts, reasoning is ``reasoning_content`` or ``reasoning``;
* a call's fragments have no ``index`` (told apart by id, or by naming a tool), or all have index 0 though their ids and
  names differ, or come whole at once, with arguments as an object, or with none;
* an ``error`` instead of ``choices``, or beside them, at any place; no ``[DONE]``; "stop" though there are calls;
* ``stream`` is ignored, and the body is one JSON object: kept until the first event, and read by ``finish``.

Nothing that JSON parsing gave is kept but strings and numbers.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.json import JsonObject, freeze
from turnfold.core.llm.chat_calls import CallParts, calls_begun, calls_taken, continued, raw_calls
from turnfold.core.llm.chat_details import NO_DETAILS, details_taken, verbatim
from turnfold.core.llm.chat_events import plain_delta
from turnfold.core.llm.intake import Object, garbage, is_scalar, loaded, number, scalars
from turnfold.core.llm.protocol import Decoded
from turnfold.core.llm.provider_errors import broken_off
from turnfold.core.llm.reply import CallSoFar, Reply, Stop
from turnfold.core.llm.sse import NO_EVENT, NO_LINE, NOTHING, Fed, ServerEvent, Splitter, feed, plain_data
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.usage import Usage

MAX_BYTES = 8_000_000  # of one event, and of a body that is no stream
NO_USAGE: Usage = Usage()
NO_TEXT: Log[str] = Log()

STOPS: tuple[tuple[str, Stop], ...] = (
    ("stop", Stop.END),
    ("tool_calls", Stop.CALLS),
    ("function_call", Stop.CALLS),
    ("length", Stop.LENGTH),
    ("max_tokens", Stop.LENGTH),
    ("model_length", Stop.LENGTH),
    ("content_filter", Stop.FILTER),
    ("refusal", Stop.REFUSED),
    ("error", Stop.CUT),
)  # any other reason is an end


@final
@frozen(eq=False, repr=False, kw_only=True)
class Rest:
    """What of a reply changes rarely. ``body``: its bytes, until an event has shown that it is a stream (``seen``).

    ``held_text``, ``held_reasoning``: the first half of a character that a server cut into two escapes (``\\ud83d``).
    """

    usage: Usage = NO_USAGE
    stop: Stop | None = None
    done: bool = False
    problem: Problem | None = None
    held_text: str = ""
    held_reasoning: str = ""
    refused: bool = False
    details: Log[JsonObject] = NO_DETAILS
    seen: bool = False
    body: Log[bytes] = NOTHING
    body_bytes: int = 0


NO_REST: Rest = Rest()


@final
@frozen(eq=False, repr=False)
class ChatFold:
    """A reply so far."""

    splitter: Splitter
    text: Log[str] = NO_TEXT
    reasoning: Log[str] = NO_TEXT
    calls: tuple[CallParts, ...] = ()
    rest: Rest = NO_REST


def begin() -> ChatFold:
    """The fold of a reply of which nothing has come."""
    return ChatFold(Splitter(MAX_BYTES))


def decode(fold: ChatFold, chunk: bytes) -> Decoded[ChatFold]:
    r"""The fold after ``chunk``, with the text and reasoning it added; linear in the chunk, whatever came before.

    >>> decode(begin(), b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n').text
    'Hi'
    """
    plainly = _plain_chunk_taken(fold, chunk)
    if plainly is not None:
        return plainly
    texts = plain_data(fold.splitter, chunk)
    if texts:
        return _all_events_taken(fold, tuple([ServerEvent(each) for each in texts]))
    fed = feed(fold.splitter, chunk)
    return _all_events_taken(fold if fed.splitter is fold.splitter else _noted(fold, fed, chunk), fed.events)


def _plain_chunk_taken(fold: ChatFold, chunk: bytes) -> Decoded[ChatFold] | None:
    """``fold`` with a chunk of one event that says nothing but a delta, as nearly all are; None for any other."""
    rest, splitter = fold.rest, fold.splitter
    if (
        not rest.seen
        or rest.held_text
        or rest.held_reasoning
        or splitter.line is not NO_LINE
        or splitter.event is not NO_EVENT
        or chunk[:7] != b"data: {"
        or chunk[-3:] != b"}\n\n"
        or len(chunk) > splitter.limit_bytes
        or chunk.count(b"\n") != 2
        or b"\r" in chunk
    ):
        return None
    value = loaded(chunk[6:-2].decode("utf-8", "replace"))
    delta = None if value is None else plain_delta(value)
    return None if delta is None else _plain_taken(fold, delta)


def _all_events_taken(fold: ChatFold, events: tuple[ServerEvent, ...]) -> Decoded[ChatFold]:
    text: list[str] = []
    reasoning: list[str] = []
    for event in events:
        decoded = _taken(fold, event.data, event.name)
        fold = decoded.fold
        text.append(decoded.text)
        reasoning.append(decoded.reasoning)
    return Decoded(fold=fold, text="".join(text), reasoning="".join(reasoning))


def finish(fold: ChatFold) -> Reply:
    r"""The reply that the chunks make; what is wrong with it is its ``problem``.

    >>> chunk = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    >>> reply = finish(decode(begin(), chunk).fold)
    >>> reply.text, reply.stop, reply.problem
    ('Hi', <Stop.END: 'end'>, None)
    >>> finish(decode(begin(), b"<html>").fold).problem.message
    'The server answered with what is no reply of a model ("<html>"): check the base URL of the provider.'
    """
    for event in feed(fold.splitter, b"\n\n").events:  # the last event, where its empty line never came
        if event.data == "[DONE]" or loaded(event.data) is not None:
            fold = _taken(fold, event.data, event.name).fold
    if not fold.rest.seen and fold.rest.problem is None:
        fold = _whole(fold)
    return _reply(fold)


def calls_so_far(fold: ChatFold) -> tuple[CallSoFar, ...]:
    """The calls that have begun; they are complete when the model has said why it stopped."""
    return calls_begun(fold.calls, ended=fold.rest.stop is not None or fold.rest.done)


def _reply(fold: ChatFold) -> Reply:
    rest = fold.rest
    calls = raw_calls(fold.calls)
    stop = rest.stop or (Stop.END if rest.done and rest.problem is None else Stop.CUT)
    if stop in (Stop.END, Stop.CALLS):
        stop = Stop.CALLS if calls else Stop.REFUSED if rest.refused else Stop.END
    lost = world_problem("cut-stream", "The model's reply was cut off before its end: the connection or the server failed, try again.")
    return Reply(
        text="".join(fold.text),
        reasoning="".join(fold.reasoning),
        calls=calls,
        usage=rest.usage,
        stop=stop,
        problem=lost if stop is Stop.CUT and rest.problem is None else rest.problem,
        verbatim=verbatim(rest.details),
    )


def _noted(fold: ChatFold, fed: Fed, chunk: bytes) -> ChatFold:
    """``fold`` with the splitter of ``fed``, its Problem, and, while no event has come, the chunk."""
    rest = fold.rest
    problem = rest.problem or fed.splitter.problem
    if rest.body_bytes + len(chunk) > MAX_BYTES and not rest.seen and not fed.events:
        problem = problem or world_problem("too-large", f"The server sent {MAX_BYTES} bytes without an event: the rest was left out.")
    if problem is not rest.problem:
        rest = evolve(rest, problem=problem, body=NOTHING, body_bytes=0)
    elif not rest.seen and problem is None:
        rest = evolve(rest, body=rest.body.append(chunk), body_bytes=rest.body_bytes + len(chunk))
    return ChatFold(fed.splitter, fold.text, fold.reasoning, fold.calls, rest)


def _taken(fold: ChatFold, data: str, name: str) -> Decoded[ChatFold]:
    """``fold`` with one event; nearly all are plain: they add to text, reasoning or calls, and change nothing else."""
    rest = fold.rest
    if data == "[DONE]":
        return Decoded(fold=_with_rest(fold, evolve(rest, done=True, seen=True, body=NOTHING)))
    value = loaded(data)
    if value is None:
        return Decoded(fold=_with_rest(fold, evolve(rest, problem=rest.problem or garbage(data), seen=True, body=NOTHING)))
    if rest.seen and not (rest.held_text or rest.held_reasoning or name):
        delta = plain_delta(value)
        plain = None if delta is None else _plain_taken(fold, delta)
        if plain is not None:
            return plain
    return _all_taken(fold, value, name)


def _plain_taken(fold: ChatFold, delta: Object) -> Decoded[ChatFold] | None:
    """``fold`` with a delta of plain strings and call fragments; None where it holds more."""
    text: object = delta.get("content") or ""
    reasoning: object = delta.get("reasoning_content") or delta.get("reasoning") or ""
    if (
        not isinstance(text, str)
        or not isinstance(reasoning, str)
        or delta.get("refusal")
        or delta.get("reasoning_details")
        or not (is_scalar(text) and is_scalar(reasoning))
    ):
        return None
    fragments: object = delta.get("tool_calls")
    calls = continued(fold.calls, fragments) if fragments else fold.calls
    if calls is None:
        return None
    after = ChatFold(
        fold.splitter,
        fold.text.append(text) if text else fold.text,
        fold.reasoning.append(reasoning) if reasoning else fold.reasoning,
        calls,
        fold.rest,
    )
    return Decoded(after, text, reasoning)


def _all_taken(fold: ChatFold, value: Object, name: str) -> Decoded[ChatFold]:
    """``fold`` with everything that an event's object says."""
    problem = fold.rest.problem or _error(value, name)
    calls, stop, delta = fold.calls, fold.rest.stop, Delta()
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("index") in (0, None):
            stop = _stop(choice.get("finish_reason")) or stop
            delta = _delta(choice.get("delta") or choice.get("message"))
            taken = calls_taken(calls, delta.calls)
            calls, problem = taken.calls, problem or taken.problem
    text = scalars(fold.rest.held_text, delta.text)
    reasoning = scalars(fold.rest.held_reasoning, delta.reasoning)
    after = ChatFold(
        fold.splitter,
        fold.text.append(text.whole) if text.whole else fold.text,
        fold.reasoning.append(reasoning.whole) if reasoning.whole else fold.reasoning,
        calls,
        Rest(
            usage=_usage(value, fold.rest.usage),
            stop=stop,
            done=fold.rest.done,
            problem=problem,
            held_text=text.held,
            held_reasoning=reasoning.held,
            refused=fold.rest.refused or delta.refused,
            details=details_taken(fold.rest.details, delta.details),
            seen=True,
        ),
    )
    return Decoded(fold=after, text=text.whole, reasoning=reasoning.whole)


@final
@frozen(kw_only=True, eq=False, repr=False)
class Delta:
    """What one event adds; ``calls`` and ``details`` are read, and never kept."""

    text: str = ""
    reasoning: str = ""
    calls: object = None
    refused: bool = False
    details: object = None


def _delta(value: object) -> Delta:
    if not isinstance(value, dict):
        return Delta()
    said = _parts(value.get("content"))
    refusal = _string(value.get("refusal"))  # the model's own words to the person, in place of the content
    reasoning = _string(value.get("reasoning_content")) or _string(value.get("reasoning"))
    return Delta(
        text=said.text + refusal,
        reasoning=reasoning + said.reasoning,
        calls=value.get("tool_calls"),
        refused=bool(refusal),
        details=value.get("reasoning_details"),
    )


def _parts(content: object) -> Delta:
    """Text and reasoning of a content: a string, or a list of ``text`` and ``thinking`` parts (Mistral)."""
    if not isinstance(content, list):
        return Delta(text=_string(content))
    parts = [part for part in content if isinstance(part, dict)]
    text = "".join(_string(part.get("text")) for part in parts)
    thinking = "".join(_parts(part.get("thinking")).text for part in parts)
    return Delta(text=text, reasoning=thinking)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _stop(reason: object) -> Stop | None:
    if not isinstance(reason, str) or not reason:
        return None
    return next((stop for name, stop in STOPS if name == reason), Stop.END)


def _usage(value: Object, before: Usage) -> Usage:
    usage = value.get("usage")
    if not isinstance(usage, dict) or not usage:
        return before
    read, written = _object(usage, "prompt_tokens_details"), _object(usage, "completion_tokens_details")
    cached = number(read, "cached_tokens") or number(usage, "prompt_cache_hit_tokens") or number(usage, "cached_tokens")
    return Usage(
        input_tokens=number(usage, "prompt_tokens"),
        output_tokens=number(usage, "completion_tokens"),
        cached_tokens=cached,  # OpenAI and most; DeepSeek; Moonshot
        cache_write_tokens=number(read, "cache_write_tokens"),
        reasoning_tokens=number(written, "reasoning_tokens"),
    )


def _object(value: Object, key: str) -> Object:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _error(value: Object, name: str) -> Problem | None:
    """The Problem that an event tells of: under ``error``, or, in an event of that name, as a whole."""
    error = value.get("error") or (value if name == "error" else None)
    if not error:
        return None
    try:
        return broken_off(freeze(error))
    except ValueError:  # JSON that we do not take: too deep, or not finite
        return broken_off(None)


def _whole(fold: ChatFold) -> ChatFold:
    """``fold`` with its body read as one JSON object, as a server sends that ignores ``stream``."""
    body = b"".join(fold.rest.body).removeprefix(b"\xef\xbb\xbf")
    value = loaded(body.decode("utf-8", "replace"))
    if value is not None and ("choices" in value or value.get("error")):
        taken = _all_taken(fold, value, "").fold
        return _with_rest(taken, evolve(taken.rest, done=True))
    return _with_rest(fold, evolve(fold.rest, problem=garbage(body.decode("utf-8", "replace"))))


def _with_rest(fold: ChatFold, rest: Rest) -> ChatFold:
    return ChatFold(fold.splitter, fold.text, fold.reasoning, fold.calls, rest)
