"""Tool calls out of the fragments that a stream of Chat Completions brings.

A fragment belongs to the last call with its ``index``; without an index, to the last call with its ``id``; with neither,
to the last call, unless it names a tool, which begins a call. Two servers' habits are told from the rule: an index that
is used again with another id *and* a name begins a call (all calls at index 0), an id that changes without a name does not.
"""

from __future__ import annotations

import json
from typing import final

from attrs import frozen

from turnfold.core.conversation.log import Log
from turnfold.core.json import scalar_text
from turnfold.core.llm.reply import CallSoFar, RawCall
from turnfold.core.problem import Problem, model_problem

MAX_CALLS = 256  # in one reply; bounds the cost of a fragment


@final
@frozen(eq=False, repr=False, kw_only=True)
class CallParts:
    """A call so far."""

    index: int | None
    call_id: str
    name: str
    pieces: Log[str]


@final
@frozen(eq=False, repr=False)
class Taken:
    """The calls after some fragments."""

    calls: tuple[CallParts, ...]
    problem: Problem | None = None


def calls_taken(calls: tuple[CallParts, ...], fragments: object) -> Taken:
    """``calls`` with the fragments of one event, as JSON parsing gave them; what is no fragment is passed over."""
    problem = None
    for fragment in fragments if isinstance(fragments, list) else ():
        if not isinstance(fragment, dict):
            continue
        new = _parts(fragment)
        place = _place(calls, new)
        if place is not None:
            calls = (*calls[:place], _joined(calls[place], new), *calls[place + 1 :])
        elif len(calls) == MAX_CALLS:
            problem = model_problem(
                "too-many-calls", f"A reply may hold {MAX_CALLS} tool calls: those beyond were left out; make fewer at once."
            )
        elif new.name or new.call_id or new.index is not None:
            calls = (*calls, new)
    return Taken(calls, problem)


def continued(calls: tuple[CallParts, ...], fragments: object) -> tuple[CallParts, ...] | None:
    """The fast path of :func:`calls_taken`: more arguments of the last call, as nearly all fragments are; None for others."""
    if not calls or not isinstance(fragments, list) or len(fragments) != 1:
        return None
    fragment: object = fragments[0]
    call = calls[-1]
    if not isinstance(fragment, dict) or fragment.get("id") or fragment.get("index") != call.index:
        return None
    function: object = fragment.get("function")
    if not isinstance(function, dict) or function.get("name"):
        return None
    text: object = function.get("arguments")
    if not isinstance(text, str):
        return None
    return (*calls[:-1], CallParts(index=call.index, call_id=call.call_id, name=call.name, pieces=call.pieces.append(text)))


def raw_calls(calls: tuple[CallParts, ...]) -> tuple[RawCall, ...]:
    """The calls as the wire had them; arguments that are empty stand for ``{}``."""
    return tuple(RawCall(scalar_text(call.name), scalar_text("".join(call.pieces)).strip() or "{}") for call in calls)


def calls_begun(calls: tuple[CallParts, ...], *, ended: bool) -> tuple[CallSoFar, ...]:
    """The calls as far as they have come: since fragments of several may alternate, none is complete before the reply has ``ended``."""
    return tuple(CallSoFar(name=scalar_text(call.name), pieces=call.pieces, complete=ended) for call in calls)


def _parts(fragment: dict[object, object]) -> CallParts:
    function = fragment.get("function")
    about: dict[object, object] = function if isinstance(function, dict) else {}
    index, call_id, name, arguments = fragment.get("index"), fragment.get("id"), about.get("name"), about.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else ""
    return CallParts(
        index=index if isinstance(index, int) else None,
        call_id=call_id if isinstance(call_id, str) else "",
        name=name if isinstance(name, str) else "",
        pieces=Log.of(text) if text else Log(),
    )


def _place(calls: tuple[CallParts, ...], new: CallParts) -> int | None:
    """Which of ``calls`` the fragment goes on with; None for a call of its own."""
    for place in range(len(calls) - 1, -1, -1):
        call = calls[place]
        if new.index is not None:
            if call.index == new.index:
                other = new.call_id and call.call_id and new.call_id != call.call_id
                return None if other and new.name else place
        elif new.call_id:
            if call.call_id == new.call_id:
                return place
        else:
            return None if new.name else place
    return None


def _joined(call: CallParts, new: CallParts) -> CallParts:
    pieces = call.pieces
    for piece in new.pieces:
        pieces = pieces.append(piece)
    return CallParts(
        index=call.index,
        call_id=call.call_id or new.call_id,
        name=call.name if new.name == call.name else call.name + new.name,  # some servers name the tool in every fragment
        pieces=pieces,
    )
