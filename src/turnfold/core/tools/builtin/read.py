"""The tool ``read``: a file's lines with their numbers, or a folder's names."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import assert_never

from attrs import evolve

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem, model_problem, near_misses
from turnfold.core.tools.arguments import integer_argument, line_parameter, parameters, text_parameter
from turnfold.core.tools.files import CONTROL, Target, file_text, find_target
from turnfold.core.tools.generator import Asked, Script, Sent, asked, from_generator
from turnfold.core.tools.output import counted, limit_text
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.tools.textlines import BYTE_ORDER_MARK, line_end, line_ends, split_lines
from turnfold.core.world.answers import Entry, EntryKind, FilesListed
from turnfold.core.world.permission import relative
from turnfold.core.world.requests import ListFiles

MAX_ENTRIES = 100
MAX_NEIGHBOURS = 10  # names that are told when a file is missing and none is like it


def _read(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Read the file, or list the folder; for a missing one tell the names that are like it."""
    target = find_target(arguments, cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    answer = yield from file_text(target, cfg)
    if not isinstance(answer, Problem):
        return _shown(answer.text, arguments, target, cfg)
    if answer.code == "is-directory":
        listed = yield from asked(ListFiles(path=target.path, limit=MAX_ENTRIES), FilesListed)
        return Refuse(listed) if isinstance(listed, Problem) else Done(_listing(listed, target, cfg))
    if answer.code == "not-found":
        more = yield from _neighbours(target, cfg)
        return Refuse(evolve(answer, message=f"{answer.message} {more}".rstrip(), blame=Blame.MODEL))
    return Refuse(answer)


def _shown(text: str, arguments: JsonObject, target: Target, cfg: ChatConfig) -> Done | Refuse:
    lines = split_lines(text.removeprefix(BYTE_ORDER_MARK))
    if not lines:
        return Done(f"{target.name} is empty.")
    first = integer_argument(arguments, "start_line", 1)
    last = min(integer_argument(arguments, "end_line", len(lines)), len(lines))
    if not 1 <= first <= len(lines) or last < 1:
        return _outside(f"{target.name} has {counted(len(lines), 'line')}; ask for lines from 1 to {len(lines)}.")
    if first > last:
        return _outside(f"start_line ({first}) is greater than end_line ({last}).")
    whole = first == 1 and last == len(lines)
    span = counted(len(lines), "line") if whole else f"lines {first}-{last} of {len(lines)}"
    ends = ", ends of lines are CRLF" if line_ends(text) == "\r\n" else ""
    chosen = lines[first - 1 : last]
    body = "".join(f"{number}\t{line.removesuffix(line_end(line))}\n" for number, line in enumerate(chosen, start=first))
    shown = limit_text(body, cfg.limits.output_bytes, "see the rest with start_line and end_line")
    return Done(f"{target.name} ({span}{ends}):\n{shown}")


def _outside(message: str) -> Refuse:
    return Refuse(model_problem("bad-range", message, "$.start_line"))


def _listing(listed: FilesListed, target: Target, cfg: ChatConfig) -> str:
    count = len(listed.entries) + listed.omitted
    if not count:
        return f"{target.name} is an empty folder."
    body = "".join(_entry_line(entry) for entry in listed.entries)
    more = f"... and {listed.omitted:,} more; list them with shell (`ls`)\n" if listed.omitted else ""
    noun = "1 entry" if count == 1 else f"{count:,} entries"
    return f"{target.name} (folder, {noun}):\n{limit_text(body, cfg.limits.output_bytes)}{more}"


def _entry_line(entry: Entry) -> str:
    match entry.kind:
        case EntryKind.FILE:
            return f"{_name(entry)}\t{counted(entry.size_bytes, 'byte')}\n"
        case EntryKind.FOLDER:
            return f"{_name(entry)}/\n"
        case EntryKind.LINK:
            return f"{_name(entry)}\tlink\n"
        case EntryKind.OTHER:
            return f"{_name(entry)}\tno file\n"
        case _:
            assert_never(entry.kind)


def _name(entry: Entry) -> str:
    return ascii(entry.name) if CONTROL.search(entry.name) else entry.name


def _neighbours(target: Target, cfg: ChatConfig) -> Generator[Asked, Sent, str]:
    """What there is instead of the missing file; nothing outside the workspace, where listing would need permission."""
    folder, name = posixpath.split(target.path)
    if relative(folder, cfg.workspace).startswith("/"):
        return ""
    listed = yield from asked(ListFiles(path=folder, limit=MAX_ENTRIES), FilesListed)
    shown = relative(folder, cfg.workspace)
    if isinstance(listed, Problem):
        return f"There is no folder {shown} either." if listed.code == "not-found" else ""
    names = tuple(_name(entry) for entry in listed.entries)
    near = near_misses(name, names)
    if near:
        return f"Did you mean {' or '.join(relative(posixpath.join(folder, each), cfg.workspace) for each in near)}?"
    more = ", …" if len(names) + listed.omitted > MAX_NEIGHBOURS else ""
    return f"The folder {shown} has: {', '.join(names[:MAX_NEIGHBOURS])}{more}." if names else f"The folder {shown} is empty."


READ: ToolSpec = ToolSpec(
    name="read",
    description="Read a text file: its lines come with their numbers, which are not part of the file. A folder's path lists the folder.",
    parameters=parameters(
        ("path",),
        path=text_parameter("The file or folder, relative to the workspace.", least=1),
        start_line=line_parameter("The first line to read, from 1."),
        end_line=line_parameter("The last line to read."),
    ),
    advance=from_generator(_read),
    header=("path",),
    examples=(
        Example("What is in notes.txt?", JsonObject.of(path="notes.txt")),
        Example("Which files are here?", JsonObject.of(path=".")),
    ),
)
