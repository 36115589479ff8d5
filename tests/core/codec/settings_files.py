"""Config files at random, made from the table that the reader uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from hypothesis import strategies as st

from turnfold.core.codec.shapes import (
    SETTINGS,
    Anything,
    Choice,
    Named,
    Number,
    Pairs,
    Rules,
    Secret,
    Shape,
    Table,
    Text,
    Texts,
    Truth,
    Variables,
    names_to_put_back,
)
from turnfold.core.config.notes import Form
from turnfold.core.config.values import KINDS

WORDS = st.text("abcXYZ_ü /", min_size=1, max_size=8)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
VARIABLES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
JSON = st.recursive(
    st.booleans() | st.integers(-100, 100) | st.floats(0.1, 0.9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
ODD = st.sampled_from(
    [True, False, -1, 0, 1, 3, 0.5, "", "x", "native", "http://a", [], ["a"], ["+a"], ["a", "+b"], [1], {}, {"a": "b"}, {"x": 1}]
)


def texts(form: Form) -> st.SearchStrategy[str]:
    """Texts of this form."""
    if form is Form.URL:
        return st.from_regex(r"https?://[a-z]{1,5}(:[0-9]{2})?(/[a-z]{1,4})?", fullmatch=True)
    if form is Form.KIND:
        return st.sampled_from(KINDS)
    return NAMES if form is Form.TOOL else WORDS


def values(shape: Shape) -> st.SearchStrategy[object]:
    """Values that the reader takes."""
    match shape:
        case Text(form=form):
            return texts(form)
        case Number():
            return _numbers(shape)
        case Truth():
            return st.booleans()
        case Choice(members=members):
            return st.sampled_from([each.value for each in members])
        case Secret():
            return VARIABLES
        case Texts(form=Form.TOOL):
            return st.lists(NAMES, max_size=3) | st.lists(NAMES.map("+{}".format) | NAMES.map("-{}".format), max_size=3)
        case Texts(form=form):
            return st.lists(texts(form), max_size=3)
        case Anything() | Pairs() | Variables() | Rules() | Table() | Named():
            return _inner(shape)
        case _:
            assert_never(shape)


def _inner(shape: Anything | Pairs | Variables | Rules | Table | Named) -> st.SearchStrategy[object]:
    match shape:
        case Anything():
            return st.dictionaries(NAMES, JSON, max_size=3)
        case Pairs():
            return st.dictionaries(NAMES, WORDS | st.fixed_dictionaries({"secret": VARIABLES}), max_size=3)
        case Variables():
            return st.dictionaries(VARIABLES, WORDS | st.just(False), max_size=3)
        case Rules(table=table):
            return st.lists(tables(table), max_size=3)
        case Table():
            return tables(shape)
        case Named(table=table):
            return st.dictionaries(NAMES, tables(table), max_size=2)
        case _:
            assert_never(shape)


def _numbers(shape: Number) -> st.SearchStrategy[object]:
    least = shape.over + 0.5 if shape.over is not None else shape.least or 0
    most = least + 1000 if shape.most is None else shape.most
    return st.integers(int(least), int(most)) if shape.whole else st.floats(least, most)


def tables(table: Table) -> st.SearchStrategy[dict[str, object]]:
    """Some settings of a table, each as the reader takes it."""
    due: dict[str, st.SearchStrategy[object]] = {key.name: values(key.shape) for key in table.keys if key.due}
    rest: dict[str, st.SearchStrategy[object]] = {key.name: values(key.shape) for key in table.keys if not key.due}
    return st.fixed_dictionaries(due, optional=rest)


def _with_defaults(file: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    free = [name for name in names_to_put_back() if not _mentioned(file, name)]
    return st.lists(st.sampled_from(free), max_size=2).map(lambda names: {"defaults": names, **file} if names else file)


def _mentioned(file: Mapping[str, object], name: str) -> bool:
    head, _, inner = name.partition(".")
    table = file.get(head)
    return head in file and (not inner or not isinstance(table, dict) or inner in table)


FILES: st.SearchStrategy[dict[str, object]] = tables(SETTINGS).flatmap(_with_defaults)


@st.composite
def marred(draw: st.DrawFn) -> dict[str, object]:
    """A file with one odd value somewhere, which may be right by chance."""
    file = draw(tables(SETTINGS))
    key = draw(st.sampled_from(SETTINGS.keys))
    inner = draw(st.sampled_from(key.shape.keys)).name if isinstance(key.shape, Table) else draw(st.sampled_from(["x", "a b", "A"]))
    odd = draw(ODD)
    held = file.get(key.name)
    within = isinstance(held, dict) and draw(st.booleans())
    return {**file, key.name: {**held, inner: odd} if within and isinstance(held, dict) else odd}
