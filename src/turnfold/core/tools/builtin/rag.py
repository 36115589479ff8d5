"""The tool ``rag``: passages of files that fit some words best, by an index of them."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import integer_argument, parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import counted, limit_text
from turnfold.core.tools.searching import WHERE, Scope, find_scope, shown_path
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import IndexSearched, Passage
from turnfold.core.world.requests import SearchIndex

MOST = 20
USUAL = 5


def _rag(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Search once, and show the passages."""
    query = text_argument(arguments, "query")
    if not query.strip():
        return Refuse(model_problem("no-words", "Say in query which words to look for.", "$.query"))
    scope = find_scope(arguments, cfg)
    if isinstance(scope, Problem):
        return Refuse(scope)
    limit = min(max(integer_argument(arguments, "limit", USUAL), 1), MOST)
    found = yield from asked(SearchIndex(root=scope.target.path, query=query, names=scope.names, limit=limit), IndexSearched)
    if isinstance(found, Problem):
        return Refuse(found)
    if not found.passages:
        return Done(f"None of {counted(found.files, 'file')} says that: use other words, or grep for a part of one.")
    return Done(limit_text("\n\n".join(_shown(each, scope) for each in found.passages), cfg.limits.output_bytes))


def _shown(passage: Passage, scope: Scope) -> str:
    """A passage under its place, with the numbers that ``read`` and ``patch`` know its lines by."""
    lines = passage.text.split("\n")
    numbered = "\n".join(f"{number}\t{line.rstrip()}" for number, line in enumerate(lines, passage.first))
    return f"{shown_path(passage.path, scope)}, lines {passage.first}-{passage.last}:\n{numbered}"


RAG: ToolSpec = ToolSpec(
    name="rag",
    description=(
        "Find the passages of the workspace's text files that fit some words best, by an index. For questions about what files say; "
        "use grep for an exact text or a pattern."
    ),
    parameters=parameters(
        ("query",),
        query=text_parameter("The words to look for, the rarer the better.", least=1),
        path=text_parameter(WHERE),
        limit=JsonObject.of(type="integer", description=f"The most passages; {USUAL} by default.", minimum=1, maximum=MOST),
    ),
    advance=from_generator(_rag),
    body="query",
    examples=(Example("How are invoices numbered here?", JsonObject.of(query="invoice number sequence")),),
    optional=True,
)
