"""What befalls model calls and what stops turns, for lives of conversations: failures of every kind, guardrails and their verdicts.

>>> rails().validate(), verdicts().validate()
(None, None)
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from turnfold.core.config.tables import Guarded, Guardrail, Then
from turnfold.core.config.values import Wire
from turnfold.core.problem import Problem, world_problem
from turnfold.testing.simulated import Stream
from turnfold.testing.wires import stream_in

PROBLEMS: tuple[Problem, ...] = (
    world_problem("offline", "No network."),
    world_problem("overloaded", "Busy."),
    evolve(world_problem("rate-limited", "Later."), retry_after_s=99.0),
    world_problem("unauthorized", "No key."),
    world_problem("too-long", "Too long."),
)
HOWS = (
    ("zzz", "", True, Then.STOP),
    ("a.txt|two|wonder", "", True, Then.REFUSE),
    ("", "Is it bad?", True, Then.STOP),
    ("", "Is it bad?", False, Then.REFUSE),
    ("", "Is it bad?", False, Then.STOP),
)
RAILS: tuple[Guardrail, ...] = tuple(
    Guardrail(name=f"{on.value}-{index}", on=on, pattern=pattern, question=question, blocking=blocking, then=then)
    for on in Guarded
    for index, (pattern, question, blocking, then) in enumerate(HOWS)
)
FALLBACKS: tuple[tuple[str, ...], ...] = ((), (), ("scripted/other",), ("no/such", "scripted/model", "scripted/third"))
SAID = ("No.", "No.", "No.", "No.", "Yes.", "Perhaps.")


def problems() -> SearchStrategy[Problem | None]:
    """How a reply's stream ends: mostly well."""
    return st.sampled_from((*((None,) * 14), *PROBLEMS))


def rails() -> SearchStrategy[tuple[Guardrail, ...]]:
    """The guardrails of a conversation: in half of them none."""
    return st.one_of(st.just(()), st.lists(st.sampled_from(RAILS), min_size=1, max_size=3, unique=True).map(tuple))


def verdicts(wire: Wire = Wire.CHAT) -> SearchStrategy[tuple[Stream, ...]]:
    """What guardrails are answered, one after another."""
    said = tuple(Stream(stream_in(wire, text)) for text in SAID)
    return st.lists(st.sampled_from((*said, Stream(b"", PROBLEMS[1]))), min_size=1, max_size=4).map(tuple)
