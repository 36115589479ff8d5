"""Laws of laying layers over each other: the order of merging leaves no trace, and a merged layer reads as the stack does."""

from __future__ import annotations

from functools import reduce
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from tests.laws.layered import SETTINGS, layers, mentions
from turnfold.core.config.layer import laid_fields, laid_setting
from turnfold.core.config.layers import Config, Overrides
from turnfold.core.config.missing import DEFAULT, MISSING

BY_NAME = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.alias))
FEWER = bounded(max_examples=25)  # for each of the settings


def laid(over: Overrides, under: Overrides) -> Overrides:
    return Overrides(**laid_fields(over, under))  # type: ignore[arg-type]  # the keywords of a layer


@BY_NAME
@FEWER
@given(data=st.data())
def test_laying_is_associative(setting: attrs.Attribute[object], data: st.DataObject) -> None:
    said = mentions(setting) | st.just(MISSING)
    high, middle, low = data.draw(said), data.draw(said), data.draw(said)
    left = laid_setting(setting, laid_setting(setting, high, middle), low)
    assert left == laid_setting(setting, high, laid_setting(setting, middle, low))


@BY_NAME
@FEWER
@given(data=st.data())
def test_what_is_missing_is_the_identity(setting: attrs.Attribute[object], data: st.DataObject) -> None:
    said = data.draw(mentions(setting))
    assert laid_setting(setting, said, MISSING) == said
    assert laid_setting(setting, MISSING, said) == said
    assert laid_setting(setting, MISSING, MISSING) == MISSING


@BY_NAME
@FEWER
@given(data=st.data())
def test_laying_is_idempotent(setting: attrs.Attribute[object], data: st.DataObject) -> None:
    said = data.draw(mentions(setting))
    assert laid_setting(setting, said, said) == said


@BY_NAME
@FEWER
@given(data=st.data())
def test_a_stack_reads_as_the_layer_that_it_merges_into(setting: attrs.Attribute[object], data: st.DataObject) -> None:
    name = setting.alias or ""
    stack = tuple(data.draw(st.lists(layer_with(setting), max_size=4)))
    one = reduce(laid, stack, Overrides())
    assert getattr(Config(files=stack), name) == getattr(Config(files=(one,)), name)


def layer_with(setting: attrs.Attribute[object]) -> st.SearchStrategy[Overrides]:
    return st.builds(lambda said: keyword_layer(setting.alias or "", said), mentions(setting) | st.just(MISSING))


def keyword_layer(name: str, said: Any) -> Overrides:
    return Overrides(**{name: said})


@FEWER
@given(layers(), layers(), layers())
def test_whole_layers_are_laid_as_their_settings_are(high: Overrides, middle: Overrides, low: Overrides) -> None:
    assert laid(laid(high, middle), low) == laid(high, laid(middle, low))
    assert laid(high, Overrides()) == laid(Overrides(), high) == laid(high, high) == high


@FEWER
@given(st.lists(layers(), max_size=4).map(tuple))
def test_a_stack_of_whole_layers_reads_as_one(stack: tuple[Overrides, ...]) -> None:
    one = Config(files=(reduce(laid, stack, Overrides()),))
    assert [getattr(one, each.alias or "") for each in SETTINGS] == [getattr(Config(files=stack), each.alias or "") for each in SETTINGS]


def test_rules_are_never_put_back_lest_a_deny_is_lost() -> None:
    (rules,) = (each for each in SETTINGS if each.alias == "rules")
    assert laid_setting(rules, DEFAULT, ("deny",)) == laid_setting(rules, ("deny",), DEFAULT) == ("deny",)
