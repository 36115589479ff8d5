"""The tool ``append``: lines at the end of a file."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.files import file_text, find_target, left_out, not_written, write_text
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.tools.textlines import ended, line_count, line_ends, with_line_ends_of


def _append(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Add lines after the last one, or make the file."""
    target = find_target(arguments, cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    content = ended(text_argument(arguments, "content"))
    problem = left_out(content, "leave the line away")
    if problem is not None:
        return Refuse(problem)
    old = yield from file_text(target, cfg)
    lines = counted(line_count(content), "line")
    if isinstance(old, Problem):
        if old.code != "not-found":
            return Refuse(not_written(old))
        return (yield from write_text(target, content, "", f"Created {target.name} ({lines})."))
    if not content:
        return Done(f"There was nothing to append to {target.name}.")
    text = ended(old.text, line_ends(old.text)) + with_line_ends_of(old.text, content)
    said = f"Appended {lines} to {target.name} (now {counted(line_count(text), 'line')})."
    return (yield from write_text(target, text, old.digest, said))


APPEND: ToolSpec = ToolSpec(
    name="append",
    description="Add lines at the end of a file, keeping what it has; the file is created when there is none.",
    parameters=parameters(
        ("path", "content"),
        path=text_parameter("The file, relative to the workspace.", least=1),
        content=text_parameter("The lines to add."),
    ),
    advance=from_generator(_append),
    header=("path",),
    body="content",
    examples=(Example("Add milk to list.txt.", JsonObject.of(path="list.txt", content="milk\n")),),
)
