"""A trace as one page of HTML: its turns as waterfalls, to be opened years later on a machine without a network.

The page has no script, loads nothing and says so (its content policy); every text in it is escaped, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from turnfold.core.tools.output import counted
from turnfold.core.tools.preview import visible
from turnfold.core.tools.textlines import clipped
from turnfold.core.trace.attributes import told
from turnfold.core.trace.spans import Span, Status, Trace, TurnFacts
from turnfold.core.trace.text import label_of, spent

TEXT_CHARS = 4_000  # of each text in the details of a span
LEAST = 0.15  # per cent: a span of no length can be seen, too

STYLE = """
:root { color-scheme: light dark; --line: #8884; --ok: #3a7; --failed: #c33; --denied: #b70; --unfinished: #888; --wait: #88c }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.2rem } h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; overflow-wrap: anywhere }
details { border-top: 1px solid var(--line) } summary { display: grid; grid-template-columns: 45% 5.5rem 1fr; gap: .5rem; cursor: pointer }
summary:hover { background: #8881 } .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.took { text-align: right; font-variant-numeric: tabular-nums } .lane { position: relative; min-height: 1.2em }
.bar { position: absolute; min-width: 2px; top: .2em; height: .8em; border-radius: 2px; background: var(--ok) }
.failed .bar, .unknown .bar, .lost .bar { background: var(--failed) } .denied .bar, .interrupted .bar { background: var(--denied) }
.unfinished .bar { background: repeating-linear-gradient(45deg, var(--unfinished) 0 4px, transparent 4px 8px) }
.permission .bar { background: var(--wait) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .3rem 0 .6rem 1.5rem }
dt { opacity: .7 } dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(trace: Trace) -> str:
    """``trace`` as a page; linear in its spans.

    >>> "<title>turnfold trace &lt;c&gt;</title>" in html_page(Trace(conversation="<c>"))
    True
    """
    return "".join(_page(trace))


def _page(trace: Trace) -> Iterator[str]:
    title = f"turnfold trace {trace.conversation}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{_text(title)}</h1>\n"
    yield f"<p>{_text(' · '.join((counted(len(trace.turns), 'turn'), *spent(trace.usage))))}</p>\n"
    for turn in trace.turns:
        said = clipped(turn.facts.said, TEXT_CHARS) if isinstance(turn.facts, TurnFacts) else ""
        yield f"<section>\n<h2>{_text(said)}</h2>\n"
        last_ms = _last_ms(turn, trace.last_ms)
        yield from _rows(turn, trace.conversation, turn.began_ms, max(last_ms - turn.began_ms, 1), last_ms, 0)
        yield "</section>\n"
    yield "</body>\n</html>\n"


def _last_ms(turn: Span, last_ms: int) -> int:
    return max(turn.began_ms, last_ms if turn.ended_ms is None else turn.ended_ms)


def _rows(span: Span, conversation: str, began_ms: int, took_ms: int, last_ms: int, depth: int) -> Iterator[str]:
    """``span`` and all within it, on a lane that begins at ``began_ms`` and is ``took_ms`` long."""
    exported = told(span, conversation, content=True)
    ended_ms = last_ms if span.ended_ms is None else span.ended_ms
    left = _share(span.began_ms - began_ms, took_ms)
    width = max(min(_share(ended_ms - span.began_ms, took_ms), 100 - left), LEAST)
    took = "unfinished" if span.ended_ms is None else f"{(span.ended_ms - span.began_ms) / 1000:,.2f} s"
    yield f'<details class="{span.status.value} {exported.kind}">\n<summary><span class="name" style="padding-left:{depth * 1.2:.1f}rem">'
    yield f'{_text(_one_line(label_of(span)))}</span><span class="took">{took}</span>'
    yield f'<span class="lane"><span class="bar" style="left:{min(left, 100 - LEAST):.3f}%;width:{width:.3f}%"></span></span></summary>\n<dl>\n'
    if span.status is not Status.OK:
        yield f"<dt>status</dt><dd>{span.status.value}</dd>\n"
    for name, value in exported.attributes:
        yield f"<dt>{_text(name)}</dt><dd>{_text(clipped(_value(value), TEXT_CHARS))}</dd>\n"
    yield "</dl>\n</details>\n"
    for child in span.children:
        yield from _rows(child, conversation, began_ms, took_ms, last_ms, depth + 1)
    if span.child is not None:
        for turn in span.child.turns:
            yield from _rows(turn, span.child.conversation, began_ms, took_ms, last_ms, depth + 1)


def _share(part_ms: int, whole_ms: int) -> float:
    return min(max(100 * part_ms / whole_ms, 0.0), 100.0)


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    """``text`` as text of the page, control characters and marks of direction made visible."""
    return escape(visible(text))
