"""The tool ``save``: a file with just this content."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.files import file_text, find_target, left_out, not_written, write_text
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.tools.textlines import ended, line_count, with_line_ends_of


def _save(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Make the file or replace it; the digest of what was read guards what somebody else wrote meanwhile."""
    target = find_target(arguments, cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    content = ended(text_argument(arguments, "content"))
    problem = left_out(content, "change a part of the file with patch")
    if problem is not None:
        return Refuse(problem)
    old = yield from file_text(target, cfg)
    lines = counted(line_count(content), "line")
    if isinstance(old, Problem):
        if old.code != "not-found":
            return Refuse(not_written(old))
        return (yield from write_text(target, content, "", f"Saved {target.name} ({lines}, new file){_not_run(target.name)}."))
    text = with_line_ends_of(old.text, content)
    if text == old.text:
        return Done(f"{target.name} already has this content ({lines}); nothing was written.")
    said = f"Saved {target.name} ({lines}; overwrote {counted(line_count(old.text), 'line')}){_not_run(target.name)}."
    return (yield from write_text(target, text, old.digest, said))


def _not_run(name: str) -> str:
    """What is said of a script that was only saved: small models claim its output otherwise."""
    return ", not run" if name.endswith((".py", ".sh")) else ""


SAVE: ToolSpec = ToolSpec(
    name="save",
    description="Write a whole file: it is created, or replaced when it exists. To change a part of a file use patch.",
    parameters=parameters(
        ("path", "content"),
        path=text_parameter("The file, relative to the workspace; folders are made as needed.", least=1),
        content=text_parameter("The whole content, nothing left out."),
    ),
    advance=from_generator(_save),
    header=("path",),
    body="content",
    examples=(Example("Create hello.py that prints hello.", JsonObject.of(path="hello.py", content='print("hello")\n')),),
)
