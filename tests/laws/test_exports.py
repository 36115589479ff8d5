"""Late, repeated and partial exports are the same bytes: what ends is exported once, and never changes."""

from __future__ import annotations

import os
import subprocess
import sys

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.core.agent.events import Event
from turnfold.core.trace.exported import Exported, exported, exported_all
from turnfold.core.trace.fold import advanced, begun, trace_of
from turnfold.core.trace.html import html_page
from turnfold.core.trace.lines import span_line
from turnfold.core.trace.otlp import otlp_json, otlp_protobuf
from turnfold.core.trace.spans import Span
from turnfold.core.trace.w3c import context_of
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Move
from turnfold.testing.simulated import Sim, walked

# A journal with calls, a question and a crash, exported in all forms by a process of its own.
PRINTED = """
import hashlib
from tests.core.agent.scripted import after, call, reply, sim
from turnfold.core.trace.exported import exported_all
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.html import html_page
from turnfold.core.trace.lines import span_line
from turnfold.core.trace.otlp import otlp_json, otlp_protobuf
from turnfold.testing.moves import Crash, Finish, Say
begun = sim(reply("I look.", call("read", path="a.txt"), call("shell", command="make")), reply("Done."))
trace = trace_of(after(begun, Say("go"), Finish(), Finish(), Crash()).events)
spans = tuple(exported_all(trace, content=True))
about = (("service.name", "turnfold"),)
whole = otlp_json(spans, about) + otlp_protobuf(spans, about) + "".join(map(span_line, spans)).encode() + html_page(trace).encode()
print(len(spans), hashlib.sha256(whole).hexdigest())
"""


def as_they_ended(events: tuple[Event, ...]) -> tuple[Span, ...]:
    """What an exporter of one run is given, event by event."""
    progress, found = begun(), tuple[Span, ...]()
    for event in events:
        done = advanced(progress, event)
        progress, found = done.progress, found + done.ended
    return found


def sent(spans: tuple[Span, ...], conversation: str) -> list[Exported]:
    return [exported(span, context_of(conversation), content=True) for span in spans]


@given(sims(), lives(wild=True), st.data())
@examples(60)
def test_what_a_run_exports_is_what_its_journal_tells_later_and_a_part_of_it_is_a_beginning(
    sim: Sim, life: tuple[Move, ...], data: st.DataObject
) -> None:
    whole = walked(sim, tuple(life))
    cut = evolve(whole, history=whole.history[: data.draw(st.integers(0, len(whole.history)))])
    conversation = whole.state.past.conversation
    early, late = sent(as_they_ended(cut.events), conversation), sent(as_they_ended(whole.events), conversation)
    assert late[: len(early)] == early
    assert len({each.span_id for each in late}) == len(late)
    told = tuple(exported_all(trace_of(whole.events), content=True))
    assert sorted(map(span_line, late)) == sorted(span_line(each) for each in told if each.finished)
    known = {each.span_id for each in told}
    assert all(each.parent_id in known or not each.parent_id for each in told)
    assert {each.trace_id for each in told} <= {context_of(conversation).trace_id}


@given(sims(), lives())
@examples(25)
def test_exporting_twice_gives_equal_bytes_in_every_form(sim: Sim, life: tuple[Move, ...]) -> None:
    events = walked(sim, life).events
    once, again = (tuple(exported_all(trace_of(events), content=True)) for _ in range(2))
    assert otlp_json(once, ()) == otlp_json(again, ())
    assert otlp_protobuf(once, ()) == otlp_protobuf(again, ())
    assert html_page(trace_of(events)) == html_page(trace_of(events))


def test_the_bytes_are_the_same_in_any_process() -> None:
    def printed(seed: str) -> str:
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", PRINTED], env=environ, capture_output=True, text=True, check=True).stdout

    first = printed("1")
    assert int(first.split()[0]) > 5
    assert first == printed("2")
