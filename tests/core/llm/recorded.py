"""The recorded exchanges, and how to look into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from turnfold.core.config.values import Wire
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Invocation, ToolCall
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm import wire as wires
from turnfold.core.llm.reply import Reply
from turnfold.core.problem import model_problem

SHARED = Path(__file__).resolve().parents[4] / "shared" / "wire"


def recordings(folder: str, chosen: Callable[[str], bool]) -> dict[str, JsonValue]:
    """The exchanges of a folder whose address is ``chosen``, by name; empty where there are none on this machine."""
    found = {path.stem: loads_untrusted(path.read_bytes()).unwrap() for path in sorted((SHARED / folder).glob("*.json"))}
    return {name: each for name, each in found.items() if chosen(text_of(member(each, "uri")))}


def member(value: JsonValue, *path: str | int) -> JsonValue:
    for step in path:
        if isinstance(value, JsonObject) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, tuple) and isinstance(step, int) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def items(value: JsonValue) -> tuple[JsonValue, ...]:
    return value if isinstance(value, tuple) else ()


def text_of(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def events_of(stream: str) -> tuple[JsonValue, ...]:
    """The objects of a stream's ``data:`` lines, read plainly."""
    return tuple(loads_untrusted(line[6:]).unwrap() for line in stream.splitlines() if line.startswith("data: "))


def folded(wire: Wire, *chunks: bytes) -> Reply:
    """The reply of these chunks; checks that the deltas are what the text and the reasoning begin with."""
    fold, text, reasoning = wires.begin(wire), "", ""
    for chunk in chunks:
        decoded = wires.decode(fold, chunk)
        fold, text, reasoning = decoded.fold, text + decoded.text, reasoning + decoded.reasoning
        wires.calls_so_far(fold)
    reply = wires.finish(fold)
    assert reply.text.startswith(text)
    assert reply.reasoning.startswith(reasoning)
    return reply


def said(reply: Reply, place: str = "1.1") -> AssistantMessage:
    """The message that a log keeps of ``reply``, where calls of any tool are read."""
    calls: tuple[Invocation, ...] = ()
    for call in reply.calls:
        arguments = loads_untrusted(call.text).value_or(0)
        broken = BrokenCall(call.name, call.text, model_problem("x", "x"))
        calls += (ToolCall(call.name, arguments) if isinstance(arguments, JsonObject) else broken,)
    return AssistantMessage(text=reply.text, place=place, calls=calls, reasoning=reply.reasoning, verbatim=reply.verbatim)
