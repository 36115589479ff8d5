"""Reasoning in parts, as OpenRouter streams it (``reasoning_details``) and wants it back: text with its signature, summaries, what is sealed.

A part comes in fragments, which belong together while their type and index are the same: their texts are joined, and of anything else
the last word counts. The parts go back as they are, in their order: a provider behind it refuses calls whose signatures are missing.
"""

from __future__ import annotations

from turnfold.core.config.values import Wire
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.intake import frozen_or_none

JOINED = ("text", "summary", "data")  # the members that come in pieces
NO_DETAILS: Log[JsonObject] = Log()


def details_taken(details: Log[JsonObject], told: object) -> Log[JsonObject]:
    """``details`` with the fragments of one event, as JSON parsing gave them; what is none is passed over."""
    for each in told if isinstance(told, list) else ():
        kept = frozen_or_none(each)
        details = details.append(kept) if isinstance(kept, JsonObject) else details
    return details


def verbatim(details: Log[JsonObject]) -> Verbatim | None:
    """The parts that the fragments make; None where there are none.

    >>> one, two = JsonObject.of(type="t", text="a"), JsonObject.of(type="t", text="b", signature="s")
    >>> verbatim(Log.of(one, two)).items
    (JsonObject.of(type='t', text='ab', signature='s'),)
    """
    runs: list[list[JsonObject]] = []
    for each in details:
        if runs and _key(runs[-1][0]) == _key(each):
            runs[-1].append(each)
        else:
            runs.append([each])
    return Verbatim(Wire.CHAT, tuple(_part(run) for run in runs)) if runs else None


def _key(fragment: JsonObject) -> tuple[JsonValue, JsonValue]:
    return (fragment.get("type"), fragment.get("index"))


def _part(run: list[JsonObject]) -> JsonObject:
    members: dict[str, JsonValue] = {}
    for fragment in run:
        members |= {name: value for name, value in fragment.members if value is not None or name not in members}
    for name in JOINED:
        if name in members:
            members[name] = "".join(piece for each in run if isinstance(piece := each.get(name), str))
    return JsonObject(tuple(members.items()))
