"""Spans that have ended, as lines for a terminal, from what is exported of them alone: no content that the settings keep back."""

from __future__ import annotations

from collections.abc import Iterator

from turnfold.core.tools.output import counted
from turnfold.core.trace.exported import Exported

FIGURES = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


def console_text(spans: tuple[Exported, ...], dropped: int = 0) -> str:
    """``spans``, each of which comes after those within it, as trees; a parent that is not among them is left out.

    >>> console_text((), 2)
    'trace: 2 spans dropped\\n'
    """
    known = {each.span_id for each in spans}
    within: dict[str, list[Exported]] = {}
    for each in spans:
        within.setdefault(each.parent_id if each.parent_id in known else "", []).append(each)
    lines = tuple(line for each in within.get("", ()) for line in _lines(each, within, 0))
    lost = (f"{counted(dropped, 'span')} dropped",) if dropped else ()
    return "".join(f"trace: {line}\n" for line in (*lines, *lost))


def _lines(each: Exported, within: dict[str, list[Exported]], depth: int) -> Iterator[str]:
    found = dict(each.told.attributes)
    figures = tuple(found[name] for name in FIGURES if name in found)
    tokens = f"{figures[0]:,} tokens in, {figures[1]:,} out" if len(figures) == 2 else ""
    wrong = str(found.get("error.type", ""))
    took = f"{each.ended_ms - each.began_ms:,} ms" if each.finished else "unfinished"
    parts = (" ".join(each.told.name.split()), took, tokens, wrong)
    yield f"{'  ' * depth}{' · '.join(part for part in parts if part)}"
    for child in sorted(within.get(each.span_id, ()), key=lambda one: one.began_ms):
        yield from _lines(child, within, depth + 1)
