"""The tool ``find``: files by their names."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import parameters, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.searching import WHERE, find_scope, shown_path, told
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import FilesSearched
from turnfold.core.world.requests import SearchFiles

MAX_FILES = 500


def _find(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Search once; that nothing is found is an answer, too."""
    scope = find_scope(arguments, cfg)
    if isinstance(scope, Problem):
        return Refuse(scope)
    hidden = arguments.get("hidden") is True
    request = SearchFiles(root=scope.target.path, names=scope.names, hidden=hidden, limit=MAX_FILES)
    searched = yield from asked(request, FilesSearched)
    if isinstance(searched, Problem):
        return Refuse(searched)
    files = tuple(shown_path(match.path, scope) for match in searched.found)
    text = told(files, searched, "file", cfg)
    return Done(text if files else f"There is no such file.\n{text}".rstrip("\n"))


FIND: ToolSpec = ToolSpec(
    name="find",
    description="Find files by name, in all folders below. What .gitignore leaves out and hidden files are not found.",
    parameters=parameters(
        (),
        path=text_parameter(WHERE),
        hidden=JsonObject.of(type="boolean", description="Find files and folders whose names begin with a dot, too."),
    ),
    advance=from_generator(_find),
    header=("path",),
    examples=(Example("Which test files are there?", JsonObject.of(path="tests/**/test_*.py")),),
)
