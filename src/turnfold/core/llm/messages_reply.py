"""Anthropic Messages, the way in: a streamed reply folded chunk by chunk.

A stream is events of JSON objects that say their ``type``: ``message_start`` (with what was read), ``content_block_start``,
``content_block_delta`` and ``content_block_stop`` for each block (:mod:`messages_blocks`), ``message_delta`` (why it stopped, and the
tokens so far), ``message_stop``; ``ping`` and ``error`` at any place; what else there is tomorrow is passed over. What is borne besides:

* a block is opened before the one before it is closed (llama.cpp), an index is used again, a delta names a block that nobody opened;
* arguments are "", which stands for ``{}``, or come whole when the call is opened; tokens are told at the beginning, the end, or both;
* ``stream`` is ignored, and the body is one JSON object, the message: read by ``finish``.

Nothing that JSON parsing gave is kept but strings, numbers and frozen JSON.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.conversation.log import Log
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
from turnfold.core.llm.messages_blocks import (
    CALL,
    MAX_BLOCKS,
    TEXT,
    THINKING,
    Block,
    calls_begun,
    grown_block,
    opened_block,
    raw_calls,
    verbatim,
)
from turnfold.core.llm.messages_end import NO_TOKENS, Tokens, counted, stop_of, usage_of
from turnfold.core.llm.protocol import Decoded
from turnfold.core.llm.reply import CallSoFar, Reply, Stop
from turnfold.core.llm.sse import NO_EVENT, NO_LINE
from turnfold.core.problem import Problem, model_problem

NO_TEXT: Log[str] = Log()


@final
@frozen(eq=False, repr=False, kw_only=True)
class Rest:
    """What of a reply changes rarely.

    ``held_text``, ``held_reasoning``: the first half of a character that a server cut into two escapes. ``mixed``: thinking came by
    turns for several blocks, so that none of them can be told apart.
    """

    tokens: Tokens = NO_TOKENS
    stop: Stop | None = None
    done: bool = False
    problem: Problem | None = None
    held_text: str = ""
    held_reasoning: str = ""
    mixed: bool = False


NO_REST: Rest = Rest()


@final
@frozen(eq=False, repr=False)
class MessagesFold:
    """A reply so far."""

    intake: Intake
    text: Log[str] = NO_TEXT
    reasoning: Log[str] = NO_TEXT
    blocks: tuple[Block, ...] = ()
    rest: Rest = NO_REST


def begin() -> MessagesFold:
    """The fold of a reply of which nothing has come."""
    return MessagesFold(begun())


def decode(fold: MessagesFold, chunk: bytes) -> Decoded[MessagesFold]:
    r"""The fold after ``chunk``, with the text and reasoning it added; linear in the chunk, whatever came before.

    >>> delta = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}'
    >>> decode(begin(), b"event: content_block_delta\ndata: " + delta + b"\n\n").text
    'Hi'
    """
    plainly = _plain_chunk_taken(fold, chunk)
    if plainly is not None:
        return plainly
    taken = take(fold.intake, chunk)
    if taken.intake is not fold.intake:
        fold = MessagesFold(taken.intake, fold.text, fold.reasoning, fold.blocks, fold.rest)
    return _all_taken(fold, taken.texts)


def _plain_chunk_taken(fold: MessagesFold, chunk: bytes) -> Decoded[MessagesFold] | None:
    """``fold`` with a chunk of one event that says nothing but a delta, as nearly all are; None for any other."""
    splitter = fold.intake.splitter
    if (
        chunk[:34] != b"event: content_block_delta\ndata: {"
        or chunk[-3:] != b"}\n\n"
        or splitter.line is not NO_LINE
        or splitter.event is not NO_EVENT
        or not fold.intake.seen
        or len(chunk) > splitter.limit_bytes
        or chunk.count(b"\n") != 3
        or b"\r" in chunk
    ):
        return None
    value = loaded(chunk[33:-2].decode("utf-8", "replace"))
    return None if value is None or value.get("type") != "content_block_delta" else _plain_grown(fold, value)


def _all_taken(fold: MessagesFold, texts: tuple[str, ...]) -> Decoded[MessagesFold]:
    text: list[str] = []
    reasoning: list[str] = []
    for each in texts:
        decoded = _taken(fold, each)
        fold = decoded.fold
        text.append(decoded.text)
        reasoning.append(decoded.reasoning)
    return Decoded(fold=fold, text="".join(text), reasoning="".join(reasoning))


def finish(fold: MessagesFold) -> Reply:
    r"""The reply that the chunks make; what is wrong with it is its ``problem``.

    >>> body = b'{"type":"message","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}'
    >>> reply = finish(decode(begin(), body).fold)
    >>> reply.text, reply.stop, reply.problem
    ('Hi', <Stop.END: 'end'>, None)
    >>> finish(decode(begin(), b"<html>").fold).problem.message
    'The server answered with what is no reply of a model ("<html>"): check the base URL of the provider.'
    """
    left = rest(fold.intake)
    fold = _all_taken(fold, left.texts).fold
    if left.problem is not None:
        fold = _with_rest(fold, evolve(fold.rest, problem=fold.rest.problem or left.problem))
    if left.body:
        fold = _whole(fold, left.body)
    return _reply(fold)


def calls_so_far(fold: MessagesFold) -> tuple[CallSoFar, ...]:
    """The calls that have begun; each is complete when its block is closed, or when the model has said why it stopped."""
    return calls_begun(fold.blocks, ended=fold.rest.stop is not None or fold.rest.done)


def _reply(fold: MessagesFold) -> Reply:
    told = fold.rest
    calls = raw_calls(fold.blocks)
    stop = told.stop or (Stop.END if told.done and told.problem is None else Stop.CUT)
    if stop in (Stop.END, Stop.CALLS):
        stop = Stop.CALLS if calls else Stop.END
    return Reply(
        text="".join(fold.text),
        reasoning="".join(fold.reasoning),
        calls=calls,
        usage=usage_of(told.tokens),
        stop=stop,
        problem=cut_off() if stop is Stop.CUT and told.problem is None else told.problem,
        verbatim=None if told.mixed else verbatim(fold.blocks, fold.text, fold.reasoning),
    )


def _taken(fold: MessagesFold, data: str) -> Decoded[MessagesFold]:
    """``fold`` with one event; nearly all are deltas of the last block, which add to text, reasoning or arguments and change nothing else."""
    value = loaded(data)
    if value is None:
        return _ended(fold) if data == "[DONE]" else _failed(fold, garbage(data))
    if value.get("type") == "content_block_delta":
        return _plain_grown(fold, value) or _grown(fold, value)
    return _other_taken(fold, value)


def _plain_grown(fold: MessagesFold, value: Object) -> Decoded[MessagesFold] | None:
    """``fold`` with a delta of its last block, where that is plain text, thinking or arguments; None for any other."""
    delta: object = value.get("delta")
    if not fold.blocks or not isinstance(delta, dict):
        return None
    block = fold.blocks[-1]
    if value.get("index") != block.index:
        return None
    kind: object = delta.get("type")
    if kind == "text_delta" and block.kind == TEXT and not fold.rest.held_text:
        text: object = delta.get("text")
        if isinstance(text, str) and text and (text.isascii() or is_scalar(text)):
            return Decoded(MessagesFold(fold.intake, fold.text.append(text), fold.reasoning, fold.blocks, fold.rest), text)
    elif kind == "thinking_delta" and block.kind == THINKING and not fold.rest.held_reasoning:
        text = delta.get("thinking")
        if isinstance(text, str) and text and is_scalar(text):
            after = MessagesFold(fold.intake, fold.text, fold.reasoning.append(text), fold.blocks, fold.rest)
            return Decoded(after, "", text)
    elif kind == "input_json_delta" and block.kind == CALL:
        return Decoded(fold=_with_block(fold, len(fold.blocks) - 1, grown_block(block, kind, delta)))
    return None


def _grown(fold: MessagesFold, value: Object) -> Decoded[MessagesFold]:
    """``fold`` with a delta of any block; one of text or thinking opens the block that it names, where nobody did."""
    delta: object = value.get("delta")
    if not isinstance(delta, dict):
        return Decoded(fold=fold)
    kind = words(delta.get("type"))
    place = _place(fold.blocks, value)
    opens = TEXT if kind == "text_delta" else THINKING if kind == "thinking_delta" else ""
    if not opens:
        return Decoded(fold=fold if place is None else _with_block(fold, place, grown_block(fold.blocks[place], kind, delta)))
    if place is None or fold.blocks[place].kind != opens:
        fold = _with_opened(fold, opened_block(_index(value), {"type": opens}, len(fold.text), len(fold.reasoning)))
    elif opens == THINKING and any(block.kind == THINKING for block in fold.blocks[place + 1 :]):
        fold = _with_rest(fold, evolve(fold.rest, mixed=True))
    return _said(fold, delta.get("text") if opens == TEXT else None, delta.get("thinking") if opens == THINKING else None)


def _said(fold: MessagesFold, text: object, reasoning: object) -> Decoded[MessagesFold]:
    """``fold`` with more text and reasoning, either of which may be nothing."""
    told = scalars(fold.rest.held_text, text)
    thought = scalars(fold.rest.held_reasoning, reasoning)
    after = MessagesFold(
        fold.intake,
        fold.text.append(told.whole) if told.whole else fold.text,
        fold.reasoning.append(thought.whole) if thought.whole else fold.reasoning,
        fold.blocks,
        evolve(fold.rest, held_text=told.held, held_reasoning=thought.held),
    )
    return Decoded(fold=after, text=told.whole, reasoning=thought.whole)


def _index(value: Object) -> int:
    index = value.get("index")
    return index if isinstance(index, int) else -1


def _place(blocks: tuple[Block, ...], value: Object) -> int | None:
    """Which block an event is about: the last one that was opened with its index."""
    index = _index(value)
    return next((place for place in range(len(blocks) - 1, -1, -1) if blocks[place].index == index), None)


def _other_taken(fold: MessagesFold, value: Object) -> Decoded[MessagesFold]:
    """``fold`` with an event that is no delta of a block; one that we do not know is passed over."""
    match value.get("type"):
        case "content_block_start":
            return _opened(fold, _index(value), value.get("content_block"))
        case "content_block_stop":
            place = _place(fold.blocks, value)
            return Decoded(fold=fold if place is None else _with_block(fold, place, evolve(fold.blocks[place], closed=True)))
        case "message_start":
            return Decoded(fold=_told(fold, value.get("message")))
        case "message_delta":
            return _stopped(_told(fold, value), value.get("delta"))
        case "message_stop":
            return _ended(fold)
        case _:
            error = value.get("error")
            return _failed(fold, error_told(error)) if error else Decoded(fold=fold)


def _opened(fold: MessagesFold, index: int, value: object) -> Decoded[MessagesFold]:
    """``fold`` with one more block, and the text or thinking that it brings already."""
    if not isinstance(value, dict):
        return Decoded(fold=fold)
    block = opened_block(index, value, len(fold.text), len(fold.reasoning))
    after = _with_opened(fold, block)
    return _said(after, value.get("text") if block.kind == TEXT else None, value.get("thinking") if block.kind == THINKING else None)


def _with_opened(fold: MessagesFold, block: Block) -> MessagesFold:
    if len(fold.blocks) < MAX_BLOCKS:
        return MessagesFold(fold.intake, fold.text, fold.reasoning, (*fold.blocks, block), fold.rest)
    said = f"A reply may hold {MAX_BLOCKS} parts: those beyond were left out; make fewer calls at once."
    return _with_rest(fold, evolve(fold.rest, problem=fold.rest.problem or model_problem("too-many-calls", said)))


def _told(fold: MessagesFold, value: object) -> MessagesFold:
    """``fold`` with the tokens that a message, or the change of one, tells of."""
    usage: object = value.get("usage") if isinstance(value, dict) else None
    if not isinstance(usage, dict):
        return fold
    return _with_rest(fold, evolve(fold.rest, tokens=counted(fold.rest.tokens, usage)))


def _stopped(fold: MessagesFold, value: object) -> Decoded[MessagesFold]:
    """``fold`` with why the model stopped; where it declined and said nothing, the provider's explanation are its words."""
    reason: object = value.get("stop_reason") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(reason, str) or not reason:
        return Decoded(fold=fold)
    stop = stop_of(reason)
    details: object = value.get("stop_details")
    fold = _with_rest(fold, evolve(fold.rest, stop=stop))
    if stop is Stop.REFUSED and not fold.text.size and isinstance(details, dict):
        return _said(fold, words(details.get("explanation")), None)
    return Decoded(fold=fold)


def _ended(fold: MessagesFold) -> Decoded[MessagesFold]:
    return Decoded(fold=_with_rest(fold, evolve(fold.rest, done=True)))


def _failed(fold: MessagesFold, problem: Problem) -> Decoded[MessagesFold]:
    return Decoded(fold=_with_rest(fold, evolve(fold.rest, problem=fold.rest.problem or problem)))


def _whole(fold: MessagesFold, body: str) -> MessagesFold:
    """``fold`` with its body read as one message, as a server sends that ignores ``stream``."""
    value = parsed(body)
    if not isinstance(value, dict) or not (isinstance(value.get("content"), list) or value.get("error")):
        return _failed(fold, garbage(body)).fold
    if value.get("error"):
        return _failed(fold, error_told(value.get("error"))).fold
    for index, block in enumerate(value["content"]):
        fold = _opened(fold, index, block).fold
    return _ended(_stopped(_told(fold, value), value).fold).fold


def _with_block(fold: MessagesFold, place: int, block: Block) -> MessagesFold:
    blocks = fold.blocks
    changed = (*blocks[:-1], block) if place == len(blocks) - 1 else (*blocks[:place], block, *blocks[place + 1 :])
    return MessagesFold(fold.intake, fold.text, fold.reasoning, changed, fold.rest)


def _with_rest(fold: MessagesFold, rest: Rest) -> MessagesFold:
    return MessagesFold(fold.intake, fold.text, fold.reasoning, fold.blocks, rest)
