"""Small tools for tests, each with one habit that a conversation has to cope with.

>>> [tool.name for tool in SAMPLE_TOOLS]
['pair', 'careful', 'count', 'tally', 'twice', 'raises', 'rubbish', 'nothing']
"""

from __future__ import annotations

from typing import cast

from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import integer_argument, parameters, text_argument, text_parameter
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.paths import resolve
from turnfold.core.tools.spec import Call, Done, Memory, Need, Next, Refuse, ToolSpec
from turnfold.core.world.answers import FileRead
from turnfold.core.world.requests import ListFiles, ReadFile, WriteFile

PATH = parameters((), path=text_parameter("A file."), text=text_parameter("What for."))


def _path(call: Call, cfg: ChatConfig, default: str) -> str:
    return resolve(text_argument(call.arguments, "path") or default, cfg)


def _told(call: Call) -> str:
    """All that came of a call's requests, so that a wrong order is seen."""
    return "; ".join(str(exchange.outcome) for exchange in call.exchanges)


def pair(call: Call, cfg: ChatConfig) -> Next:
    """Ask for two things at once, neither of which changes anything."""
    if call.exchanges:
        return Done(_told(call))
    path = _path(call, cfg, "a.txt")
    return Need((ReadFile(path=path, limit_bytes=100), ListFiles(path=cfg.workspace, limit=10)))


def careful(call: Call, cfg: ChatConfig) -> Next:
    """Ask for two things at once that a person may have to allow."""
    if call.exchanges:
        return Done(_told(call))
    path = _path(call, cfg, "new.txt")
    return Need(tuple(WriteFile(path=f"{path}.{n}", text=str(n), expected_digest="") for n in range(2)))


def _counted(call: Call, cfg: ChatConfig) -> Next:
    count = integer_argument(call.memory, "count", 0) + 1
    if not call.exchanges:
        return Need((ReadFile(path=_path(call, cfg, "a.txt"), limit_bytes=100),))
    return Done(f"{count}: {_told(call)}", JsonObject.of(count=count))


def twice(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Read, then write what was read, to another place."""
    path = resolve(text_argument(arguments, "path") or "a.txt", cfg)
    found = yield ReadFile(path=path, limit_bytes=100)
    if not isinstance(found, FileRead):
        return Refuse(found) if isinstance(found, Problem) else Done("it was no file", ok=False)
    written = yield WriteFile(path=f"{path}.copy", text=found.text, expected_digest="")
    return Done(str(written))


def raises(call: Call, cfg: ChatConfig) -> Next:
    """Raise."""
    raise ValueError(text_argument(call.arguments, "text") or "on purpose")


class _UnprintableError(Exception):
    @override
    def __str__(self) -> str:
        raise ValueError("no text")


def rubbish(call: Call, cfg: ChatConfig) -> Next:
    """Return what no tool may, one kind a number (``text``)."""
    kinds: tuple[object, ...] = (
        None,
        Need(cast(tuple[ReadFile, ...], 5)),
        Need(cast(tuple[ReadFile, ...], ("a",))),
        Need((ReadFile(path=cast(str, None), limit_bytes=1),)),
        Need((WriteFile(path="/w/x", text="", expected_digest=cast(str, b"")),)),
        Done(cast(str, b"bytes")),
        Done("nan", JsonObject.of(a=float("nan"))),
        Done("list", JsonObject.of(a=cast(JsonValue, [1]))),
        Done("deep", JsonObject.of(a=_deep(150))),
        Refuse(cast(Problem, "a text")),
        ReadFile(path="/w/a.txt", limit_bytes=1),
    )
    number = text_argument(call.arguments, "text")
    if number == "unprintable":
        raise _UnprintableError
    return cast(Next, kinds[int(number) % len(kinds)] if number.isdecimal() and number.isascii() else None)


def _deep(levels: int) -> JsonValue:
    value: JsonValue = ()
    for _ in range(levels):
        value = (value,)
    return value


def nothing(call: Call, cfg: ChatConfig) -> Next:
    """Need something, and say nothing of what."""
    return Need(())


SAMPLE_TOOLS: tuple[ToolSpec, ...] = (
    ToolSpec(name="pair", description="Two at once.", parameters=PATH, advance=pair, header=("path",)),
    ToolSpec(name="careful", description="Two at once, to be asked for.", parameters=PATH, advance=careful, header=("path",)),
    ToolSpec(name="count", description="Count its calls.", parameters=PATH, advance=_counted, serial=True, body="text"),
    ToolSpec(name="tally", description="Count its calls, too.", parameters=PATH, advance=_counted, serial=True, body="text"),
    ToolSpec(name="twice", description="Copy a file.", parameters=PATH, advance=from_generator(twice), header=("path",)),
    ToolSpec(name="raises", description="Raise.", parameters=PATH, advance=raises, body="text"),
    ToolSpec(name="rubbish", description="Return rubbish.", parameters=PATH, advance=rubbish, body="text"),
    ToolSpec(name="nothing", description="Ask for nothing.", parameters=PATH, advance=nothing, body="text"),
)

ALL_TOOLS: tuple[ToolSpec, ...] = BUILTIN_TOOLS + SAMPLE_TOOLS


def call_text(**arguments: JsonValue) -> str:
    """The arguments of a native call, as a model writes them.

    >>> call_text(path="a.txt")
    '{"path":"a.txt"}'
    """
    return dumps(JsonObject.of(**arguments))
