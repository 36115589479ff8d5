"""The tool ``todo``: what each line does to the list; and that a list belongs to its conversation."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import TinyWorld, config, play
from turnfold.core.agent.inputs import CommandGiven
from turnfold.core.agent.state import ChatState, memory_of
from turnfold.core.agent.step import step
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.builtin.todo import MAX_CHARS, MAX_ITEMS, TODO, Item, State, items_of
from turnfold.core.tools.builtin.todo import memory_of as remembered
from turnfold.core.tools.spec import Done, Memory, Refuse

TWO = remembered((Item("read", State.DONE), Item("write")))


def changed(changes: str, memory: Memory = TWO) -> Done | Refuse:
    played = play(TODO, JsonObject.of(changes=changes) if changes else JsonObject(), config(), TinyWorld(), memory=memory)
    assert not played.exchanges
    return played.end


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ("", "1. [x] read\n2. [ ] write"),
        ("add test it", "1. [x] read\n2. [ ] write\n3. [ ] test it"),
        ("doing 2\nopen #1", "1. [ ] read\n2. [>] write"),
        ("remove 1\nremove 2\nadd test", "1. [ ] test"),  # numbers are those that were shown
        ("add test\n\n  done 3  ", "1. [x] read\n2. [ ] write\n3. [x] test"),
        ("clear", "The list is empty."),
        ("clear\nadd a", "1. [ ] a"),
        ("[ ] a\n- [x] b\n* [X] c\n4. [>] d", "1. [ ] a\n2. [x] b\n3. [x] c\n4. [>] d"),
        ("add a\n[ ] b\nadd c", "1. [ ] b\n2. [ ] c"),
    ],
)
def test_lines_change_the_list(changes: str, text: str) -> None:
    end = changed(changes)
    assert isinstance(end, Done)
    assert (end.text, end.ok) == (text, True)
    assert end.memory is not None
    assert changed("", end.memory) == end


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ("add a\ndone 3\nfinish", "bad-change"),
        ("add", "bad-change"),
        ("done", "bad-change"),
        ("done 0", "no-such-item"),
        ("remove 1\ndone 1", "no-such-item"),
        ("add a\n" * MAX_ITEMS, "too-many"),
    ],
)
def test_a_line_that_cannot_be_followed_changes_nothing(changes: str, code: str) -> None:
    end = changed(changes)
    assert isinstance(end, Refuse)
    assert end.problem.code == code


def test_a_long_item_is_clipped() -> None:
    end = changed("add " + "a" * 1000)
    assert isinstance(end, Done)
    assert end.memory is not None
    assert len(items_of(end.memory)[2].text) == MAX_CHARS + 1


@given(st.lists(st.builds(Item, st.text(min_size=1, max_size=9), st.sampled_from(State)), max_size=5).map(tuple))
def test_what_is_remembered_is_read_again(items: tuple[Item, ...]) -> None:
    assert items_of(remembered(items)) == items


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(("add x", "done 1", "clear", "add y", ""))), max_size=8))
def test_a_list_is_its_conversation_s_own(lines: list[tuple[str, str]]) -> None:
    """G6: two conversations in any order equal the same two alone."""
    base = ProjectConfig(Config(model="scripted/m"))

    def given_line(states: dict[str, ChatState], line: tuple[str, str]) -> dict[str, ChatState]:
        name, changes = line
        cfg = ChatConfig(base, workspace="/w", conversation=name)
        return {**states, name: step(states[name], CommandGiven(f"/todo {changes}"), BUILTIN_TOOLS, cfg).state}

    fresh = {"a": ChatState(), "b": ChatState()}
    together = reduce(given_line, lines, fresh)
    for name in "ab":
        alone = reduce(given_line, [line for line in lines if line[0] == name], fresh)[name]
        assert together[name].past == alone.past
        assert memory_of(together[name].past, "todo") == memory_of(alone.past, "todo")
