"""The trace of a kept conversation: to read, as a page, or as an exporter would have had it."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from turnfold.cli.arguments import Tracing
from turnfold.cli.documents import kept_document
from turnfold.core.agent.effects import Document, Notice
from turnfold.core.agent.events import Event
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.preview import visible
from turnfold.core.trace.exported import exported_all
from turnfold.core.trace.fold import Resolve, trace_of
from turnfold.core.trace.html import html_page
from turnfold.core.trace.lines import span_line
from turnfold.core.trace.otlp import otlp_json
from turnfold.core.trace.text import trace_text
from turnfold.shell.files import LocalFiles

HERE = "-"  # the file that is standard output


def traced(plan: Tracing, events: tuple[Event, ...], cfg: ChatConfig, resolve: Resolve) -> tuple[str, ...] | Problem:
    """What happened in a conversation and in those that it started, in the form that was asked for; a page becomes a file, which is told."""
    whole = trace_of(events, resolve, cfg.agent)
    turns = tuple(each for each in whole.turns if plan.turn in {0, int(each.id)})
    if plan.turn and not turns:
        return caller_problem("no-such-turn", f"There is no turn {plan.turn} in it: there are {len(whole.turns)}.")
    trace = evolve(whole, turns=turns)
    spans = exported_all(trace, cfg.traceparent, content=plan.content)
    match plan.form:
        case "json":
            return tuple(map(span_line, spans))
        case "otlp-json":
            return (otlp_json(tuple(spans), (("service.name", "turnfold"),)).decode() + "\n",)
        case "html":
            return _page(html_page(trace), plan.file or f"trace-{whole.conversation}.html")
        case _:
            return (visible(trace_text(whole, plan.turn)),)


def _page(page: str, file: str) -> tuple[str, ...] | Problem:
    if file == HERE:
        return (page,)
    kept = kept_document(Document(file, page), Path(), LocalFiles())
    return (f"{kept.text}\n",) if isinstance(kept, Notice) else kept
