"""The tool ``grep``: lines of files that hold what a regular expression describes."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.searching import WHERE, find_scope, shown_path, told
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import FilesSearched
from turnfold.core.world.requests import SearchFiles

MAX_LINES = 200


def _grep(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Search once; that nothing is found is an answer, too."""
    pattern = text_argument(arguments, "pattern").strip("\r\n")
    if not pattern or "\n" in pattern:
        message = "The pattern must be one line: write `a|b` for lines with a or b."
        return Refuse(model_problem("bad-pattern", message, "$.pattern"))
    scope = find_scope(arguments, cfg)
    if isinstance(scope, Problem):
        return Refuse(scope)
    request = SearchFiles(
        root=scope.target.path,
        names=scope.names,
        pattern=pattern,
        ignore_case=arguments.get("ignore_case") is True,
        hidden=arguments.get("hidden") is True,
        limit=MAX_LINES,
    )
    searched = yield from asked(request, FilesSearched)
    if isinstance(searched, Problem):
        return Refuse(searched)
    lines = tuple(f"{shown_path(match.path, scope)}:{match.line}:{match.text}" for match in searched.found)
    text = told(lines, searched, "line", cfg)
    return Done(text if lines else f"No line matches `{clipped(pattern)}`.\n{text}".rstrip("\n"))


GREP: ToolSpec = ToolSpec(
    name="grep",
    description=(
        "Find lines by a regular expression (Python's re), as file:line:text. What .gitignore leaves out and hidden files are not searched."
    ),
    parameters=parameters(
        ("pattern",),
        path=text_parameter(WHERE),
        pattern=text_parameter("What a line must hold.", least=1),
        ignore_case=JsonObject.of(type="boolean", description="Upper and lower case are the same."),
        hidden=JsonObject.of(type="boolean", description="Search files and folders whose names begin with a dot, too."),
    ),
    advance=from_generator(_grep),
    header=("path",),
    body="pattern",
    examples=(
        Example("Where is load_config called in the Python files of src?", JsonObject.of(path="src/**/*.py", pattern=r"load_config\(")),
    ),
)
