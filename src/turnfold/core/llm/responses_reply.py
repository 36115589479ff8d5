"""OpenAI Responses, the way in: a streamed reply folded chunk by chunk.

A stream is events of JSON objects that say their ``type``: ``response.created``, then for each item of the output
``response.output_item.added``, deltas, ``response.output_item.done`` (:mod:`responses_items`), and at last ``response.completed``,
``.incomplete`` or ``.failed`` with why it ended and the tokens; ``error`` at any place; what else there is tomorrow is passed over.
What is borne besides:

* llama.cpp tells neither ``output_index`` nor ``sequence_number``, so deltas belong to an item by its id; and it says ``completed``
  where the token limit cut the reply, so arguments at its end that are no JSON count as cut;
* an item that nobody opened, a text that comes whole with its item's end, items that only the last event tells of;
* ``stream`` is ignored, and the body is one JSON object, the response: read by ``finish``.

Nothing that JSON parsing gave is kept but strings, numbers and frozen JSON.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.llm.intake import (
    Intake,
    Object,
    arguments_text,
    begun,
    cut_off,
    error_told,
    garbage,
    is_scalar,
    loaded,
    number,
    parsed,
    rest,
    scalars,
    take,
    words,
)
from turnfold.core.llm.protocol import Decoded
from turnfold.core.llm.reply import CallSoFar, Reply, Stop
from turnfold.core.llm.responses_items import (
    CALL,
    MAX_ITEMS,
    MESSAGE,
    REASONING,
    Item,
    calls_begun,
    cut_in_call,
    done_item,
    opened_item,
    raw_calls,
    verbatim,
)
from turnfold.core.llm.sse import named_data
from turnfold.core.problem import Problem, model_problem
from turnfold.core.world.usage import Usage

NO_TEXT: Log[str] = Log()
PARAGRAPH = "\n\n"  # between two parts of a summary of reasoning


@final
@frozen(eq=False, repr=False, kw_only=True)
class Rest:
    """What of a reply changes rarely.

    ``held_text``, ``held_reasoning``: the first half of a character that a server cut into two escapes. ``mixed``: text came by turns
    for several items, so that it can't be told whose it is.
    """

    usage: Usage = Usage()
    stop: Stop | None = None
    refused: bool = False
    problem: Problem | None = None
    held_text: str = ""
    held_reasoning: str = ""
    mixed: bool = False


NO_REST: Rest = Rest()


@final
@frozen(eq=False, repr=False)
class ResponsesFold:
    """A reply so far."""

    intake: Intake
    text: Log[str] = NO_TEXT
    reasoning: Log[str] = NO_TEXT
    items: tuple[Item, ...] = ()
    rest: Rest = NO_REST


def begin() -> ResponsesFold:
    """The fold of a reply of which nothing has come."""
    return ResponsesFold(begun())


def decode(fold: ResponsesFold, chunk: bytes) -> Decoded[ResponsesFold]:
    r"""The fold after ``chunk``, with the text and reasoning it added; linear in the chunk, whatever came before.

    >>> decode(begin(), b'data: {"type":"response.output_text.delta","item_id":"m","delta":"Hi"}\n\n').text
    'Hi'
    """
    if fold.intake.seen:
        texts = named_data(fold.intake.splitter, chunk)
        if len(texts) == 1:
            return _taken(fold, texts[0])
    taken = take(fold.intake, chunk)
    if taken.intake is not fold.intake:
        fold = ResponsesFold(taken.intake, fold.text, fold.reasoning, fold.items, fold.rest)
    return _all_taken(fold, taken.texts)


def _all_taken(fold: ResponsesFold, texts: tuple[str, ...]) -> Decoded[ResponsesFold]:
    text: list[str] = []
    reasoning: list[str] = []
    for each in texts:
        decoded = _taken(fold, each)
        fold = decoded.fold
        text.append(decoded.text)
        reasoning.append(decoded.reasoning)
    return Decoded(fold=fold, text="".join(text), reasoning="".join(reasoning))


def finish(fold: ResponsesFold) -> Reply:
    r"""The reply that the chunks make; what is wrong with it is its ``problem``.

    >>> said = b'[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]'
    >>> reply = finish(decode(begin(), b'{"object":"response","status":"completed","output":' + said + b"}").fold)
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


def calls_so_far(fold: ResponsesFold) -> tuple[CallSoFar, ...]:
    """The calls that have begun; each is complete when its item is done, or when the model has said why it stopped."""
    return calls_begun(fold.items, ended=fold.rest.stop is not None)


def _reply(fold: ResponsesFold) -> Reply:
    told, calls = fold.rest, raw_calls(fold.items)
    stop = told.stop or Stop.CUT
    if stop is Stop.END:
        cut = cut_in_call(fold.items)
        stop = Stop.LENGTH if cut else Stop.CALLS if calls else Stop.REFUSED if told.refused else Stop.END
    return Reply(
        text="".join(fold.text),
        reasoning="".join(fold.reasoning),
        calls=calls,
        usage=told.usage,
        stop=stop,
        problem=cut_off() if stop is Stop.CUT and told.problem is None else told.problem,
        verbatim=None if told.mixed else verbatim(fold.items, fold.text),
    )


def _taken(fold: ResponsesFold, data: str) -> Decoded[ResponsesFold]:
    """``fold`` with one event; nearly all are deltas, which add to text, reasoning or arguments and change nothing else."""
    value = loaded(data)
    if value is None:
        return Decoded(fold=fold) if data == "[DONE]" else Decoded(fold=_failed(fold, garbage(data)))
    match value.get("type"):
        case "response.output_text.delta":
            return _said(_with_place(fold, value), value.get("delta"))
        case "response.refusal.delta":
            return _said(_refused(_with_place(fold, value)), value.get("delta"))
        case "response.function_call_arguments.delta":
            return Decoded(fold=_argued(fold, value))
        case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
            return _thought(fold, value.get("delta"))
        case kind:
            return _other_taken(fold, value, kind)


def _other_taken(fold: ResponsesFold, value: Object, kind: object) -> Decoded[ResponsesFold]:
    match kind:
        case "response.output_item.added":
            return Decoded(fold=_opened(fold, value.get("output_index"), value.get("item")))
        case "response.output_item.done":
            return _done(fold, value.get("output_index"), value.get("item"))
        case "response.function_call_arguments.done":
            return Decoded(fold=_argued_whole(fold, value))
        case "response.reasoning_summary_part.added":
            return _thought(fold, PARAGRAPH if value.get("summary_index") else "")
        case "response.completed" | "response.incomplete" | "response.failed":
            return _ended(fold, value.get("response"))
        case "response.created" | "response.in_progress" | "response.queued":
            return Decoded(fold=fold)
        case "error":
            return Decoded(fold=_failed(fold, error_told(value.get("error") or value)))
        case _:
            error = value.get("error")
            return Decoded(fold=_failed(fold, error_told(error)) if error else fold)


def _said(fold: ResponsesFold, piece: object) -> Decoded[ResponsesFold]:
    """``fold`` with more text."""
    if isinstance(piece, str) and not fold.rest.held_text and is_scalar(piece):
        text, told = piece, fold.rest
    else:
        whole = scalars(fold.rest.held_text, piece)
        text, told = whole.whole, evolve(fold.rest, held_text=whole.held)
    if not text:
        return Decoded(fold=_with_rest(fold, told))
    return Decoded(fold=ResponsesFold(fold.intake, fold.text.append(text), fold.reasoning, fold.items, told), text=text)


def _thought(fold: ResponsesFold, piece: object) -> Decoded[ResponsesFold]:
    """``fold`` with more reasoning."""
    whole = scalars(fold.rest.held_reasoning, piece)
    text = whole.whole
    told = fold.rest if whole.held == fold.rest.held_reasoning else evolve(fold.rest, held_reasoning=whole.held)
    reasoning = fold.reasoning.append(text) if text else fold.reasoning
    return Decoded(fold=ResponsesFold(fold.intake, fold.text, reasoning, fold.items, told), reasoning=text)


def _place(fold: ResponsesFold, key: object, index: object) -> int | None:
    """Which of the items an event names, by its id, else by its index; the last of several."""
    named = isinstance(key, str) and bool(key)
    for place in range(len(fold.items) - 1, -1, -1):
        item = fold.items[place]
        if item.key == key if named else isinstance(index, int) and item.index == index:
            return place
    return None


def _with_place(fold: ResponsesFold, value: Object) -> ResponsesFold:
    """``fold`` with the message that a delta names, where nobody has opened it; told as mixed where it is not the last."""
    items, key = fold.items, value.get("item_id")
    if items and key and items[-1].key == key and items[-1].kind == MESSAGE:
        return fold
    place = _place(fold, key, value.get("output_index"))
    if place is None:
        return _opened(fold, value.get("output_index"), {"type": MESSAGE, "id": key})
    later = any(item.kind == MESSAGE for item in items[place + 1 :])
    return _with_rest(fold, evolve(fold.rest, mixed=True)) if later or items[place].kind != MESSAGE else fold


def _refused(fold: ResponsesFold) -> ResponsesFold:
    """``fold`` with its last message known as a refusal."""
    if fold.rest.refused:
        return fold
    marked = tuple(evolve(item, refusal=True) if item is fold.items[-1] else item for item in fold.items)
    return ResponsesFold(fold.intake, fold.text, fold.reasoning, marked, evolve(fold.rest, refused=True))


def _argued(fold: ResponsesFold, value: Object) -> ResponsesFold:
    """``fold`` with more of a call's arguments."""
    piece, place = value.get("delta"), _place(fold, value.get("item_id"), value.get("output_index"))
    if place is None or not isinstance(piece, str):
        return fold
    item = fold.items[place]
    grown = evolve(item, pieces=item.pieces.append(piece)) if item.kind == CALL and not item.done else item
    return _with_item(fold, place, grown)


def _argued_whole(fold: ResponsesFold, value: Object) -> ResponsesFold:
    """``fold`` with a call's arguments as they are in the end."""
    text, place = arguments_text(value.get("arguments")), _place(fold, value.get("item_id"), value.get("output_index"))
    if place is None or not text or fold.items[place].kind != CALL:
        return fold
    return _with_item(fold, place, evolve(fold.items[place], pieces=Log.of(text)))


def _opened(fold: ResponsesFold, index: object, value: object) -> ResponsesFold:
    """``fold`` with one more item."""
    if not isinstance(value, dict):
        return fold
    if len(fold.items) < MAX_ITEMS:
        item = opened_item(index, value, len(fold.text))
        return ResponsesFold(fold.intake, fold.text, fold.reasoning, (*fold.items, item), fold.rest)
    said = f"A reply may hold {MAX_ITEMS} parts: those beyond were left out; make fewer calls at once."
    return _failed(fold, model_problem("too-many-calls", said))


def _done(fold: ResponsesFold, index: object, value: object) -> Decoded[ResponsesFold]:
    """``fold`` with an item done, and the text and reasoning that only its end has brought."""
    if not isinstance(value, dict):
        return Decoded(fold=fold)
    place = _place(fold, value.get("id"), index)
    if place is None:
        fold, place = _opened(fold, index, value), len(fold.items)
    if place == len(fold.items):  # it was one too many
        return Decoded(fold=fold)
    item = done_item(fold.items[place], value)
    fold = _with_item(fold, place, item)
    if place < len(fold.items) - 1:
        return Decoded(fold=fold)
    if item.kind == MESSAGE and item.start == len(fold.text):
        return _content_said(fold, value.get("content"))
    if item.kind == REASONING and not fold.reasoning.size:
        return _thought(fold, _thoughts(value))
    return Decoded(fold=fold)


def _content_said(fold: ResponsesFold, content: object) -> Decoded[ResponsesFold]:
    """``fold`` with the parts of a message that came whole."""
    said: list[str] = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):
            refusal = part.get("refusal")
            decoded = _said(_refused(fold) if refusal else fold, refusal or part.get("text"))
            fold = decoded.fold
            said.append(decoded.text)
    return Decoded(fold=fold, text="".join(said))


def _thoughts(value: Object) -> str:
    """The text of reasoning that came whole: its summary, else its content."""
    for parts in (value.get("summary"), value.get("content")):
        told = [words(part.get("text")) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        if any(told):
            return PARAGRAPH.join(told)
    return ""


def _ended(fold: ResponsesFold, value: object) -> Decoded[ResponsesFold]:
    """``fold`` with why the reply ended and the tokens; with its items, where none has come."""
    if not isinstance(value, dict):
        return Decoded(fold=_with_rest(fold, evolve(fold.rest, stop=Stop.END)))
    decoded = _output_taken(fold, value.get("output")) if not fold.items else Decoded(fold=fold)
    told, status = decoded.fold.rest, value.get("status")
    reason = value.get("incomplete_details")
    filtered = isinstance(reason, dict) and reason.get("reason") == "content_filter"
    problem = told.problem
    if status in ("failed", "cancelled"):
        problem, stop = problem or error_told(value.get("error")), Stop.CUT
    else:
        stop = Stop.END if status != "incomplete" else Stop.FILTER if filtered else Stop.LENGTH
    ended = evolve(told, stop=stop, problem=problem, usage=_usage(value.get("usage")))
    return Decoded(fold=_with_rest(decoded.fold, ended), text=decoded.text, reasoning=decoded.reasoning)


def _output_taken(fold: ResponsesFold, output: object) -> Decoded[ResponsesFold]:
    """``fold`` with items that came whole."""
    text: list[str] = []
    reasoning: list[str] = []
    for index, item in enumerate(output if isinstance(output, list) else ()):
        decoded = _done(fold, index, item)
        fold = decoded.fold
        text.append(decoded.text)
        reasoning.append(decoded.reasoning)
    return Decoded(fold=fold, text="".join(text), reasoning="".join(reasoning))


def _usage(value: object) -> Usage:
    usage = _object(value)
    read, written = _object(usage.get("input_tokens_details")), _object(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=number(usage, "input_tokens"),
        output_tokens=number(usage, "output_tokens"),
        cached_tokens=number(read, "cached_tokens"),
        cache_write_tokens=number(read, "cache_write_tokens"),
        reasoning_tokens=number(written, "reasoning_tokens"),
    )


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _failed(fold: ResponsesFold, problem: Problem) -> ResponsesFold:
    return _with_rest(fold, evolve(fold.rest, problem=fold.rest.problem or problem))


def _whole(fold: ResponsesFold, body: str) -> ResponsesFold:
    """``fold`` with its body read as one response, as a server sends that ignores ``stream``."""
    value = parsed(body)
    if not isinstance(value, dict) or not (isinstance(value.get("output"), list) or value.get("error")):
        return _failed(fold, garbage(body))
    if value.get("error"):
        return _failed(fold, error_told(value.get("error")))
    return _ended(fold, value).fold


def _with_item(fold: ResponsesFold, place: int, item: Item) -> ResponsesFold:
    items = fold.items
    changed = (*items[:-1], item) if place == len(items) - 1 else (*items[:place], item, *items[place + 1 :])
    return ResponsesFold(fold.intake, fold.text, fold.reasoning, changed, fold.rest)


def _with_rest(fold: ResponsesFold, rest: Rest) -> ResponsesFold:
    return fold if rest is fold.rest else ResponsesFold(fold.intake, fold.text, fold.reasoning, fold.items, rest)
