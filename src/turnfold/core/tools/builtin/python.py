"""The tool ``python``: code in a worker that keeps its variables; the memory counts the pieces that it has run (``cells``)."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import integer_argument, parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import counted, shown_output
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import PythonEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import RunPython


def _python(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Run the code, and say so when the variables of earlier pieces are lost."""
    cells = integer_argument(memory, "cells", 0)
    request = RunPython(
        code=text_argument(arguments, "code"),
        cwd=cfg.workspace,
        environment=cfg.environment,
        timeout_s=cfg.limits.command_s,
        output_bytes=cfg.limits.output_bytes,
        confinement=confinement_of(cfg),
    )
    ended = yield from asked(request, PythonEnded)
    if isinstance(ended, Problem):
        return Refuse(ended)
    # a worker that is gone was told of already: the next one is no surprise
    ran = 0 if ended.worker_died else 1 if ended.fresh else cells + 1
    ok = not (ended.failed or ended.timed_out or ended.worker_died)
    return Done(_said(ended, cells, cfg), JsonObject.of(cells=ran), ok=ok)


def _said(ended: PythonEnded, cells: int, cfg: ChatConfig) -> str:
    output = shown_output(ended.output, ended.cut_bytes, cfg.limits.output_bytes)
    notes = (
        (
            ended.cut_bytes > 0,
            f"{counted(ended.cut_bytes, 'byte')} {'was' if ended.cut_bytes == 1 else 'were'} left out in the middle of the output",
        ),
        (ended.fresh and cells > 0, "Python was started anew for this call: variables and imports of earlier calls are gone"),
        (ended.timed_out, f"timed out after {cfg.limits.command_s:g} s"),
        (ended.worker_died, "Python has ended: variables and imports are gone, the next call starts it anew"),
        (ended.failed and not ended.output.strip(), "the code failed"),
    )
    return "\n".join((output, *(f"({note})" for holds, note in notes if holds)))


PYTHON: ToolSpec = ToolSpec(
    name="python",
    description=(
        "Run Python code; what it prints and the value of its last expression are shown. Variables and imports are kept for the next call; "
        "figures of matplotlib are saved as files."
    ),
    parameters=parameters(("code",), code=text_parameter("The code; several lines are one piece.", least=1)),
    advance=from_generator(_python),
    serial=True,
    body="code",
    examples=(Example("What is the sum of the squares from 1 to 10?", JsonObject.of(code="sum(n * n for n in range(1, 11))")),),
)
