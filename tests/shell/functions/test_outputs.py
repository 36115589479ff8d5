"""A run's last reply as a value of a class: its schema, the reply decoded, and whatever is wrong with it, with its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, run
from turnfold.core.agent.events import Reason
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.json import JsonObject, JsonValue, freeze
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.schema import faults_of
from turnfold.shell.functions.outputs import decoded, output_of
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="c")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@frozen
class Circle:
    """A circle."""

    kind: Literal["circle"]
    radius: float


@dataclass(frozen=True)
class Square:
    kind: Literal["square"]
    side: float


@frozen
class Node:
    name: str
    below: tuple[Node, ...] = ()
    up: Node | None = None


@frozen
class Drawing:
    """What is drawn."""

    title: Annotated[str, "In a word."]
    shapes: list[Circle | Square]
    colour: Colour = Colour.RED
    tree: Node | None = None
    count: int = field(default=1)

    def __attrs_post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("a count is not negative")


DRAWING = output_of(Drawing)
WHOLE = {
    "title": "Both",
    "shapes": [{"kind": "circle", "radius": 2}, {"kind": "square", "side": 1.5}],
    "colour": "green",
    "tree": {"name": "a", "below": [{"name": "b"}], "up": {"name": "c", "up": None}},
}
MADE = Drawing("Both", [Circle("circle", 2.0), Square("square", 1.5)], Colour.GREEN, Node("a", (Node("b"),), Node("c")))


def value(said: object) -> JsonValue:
    return freeze(said)


def wrong(said: object, kind: Any = Drawing) -> str:
    wanted = output_of(kind)
    assert faults_of(value(said), wanted.schema) or kind is Drawing
    return str(wanted.decoded(value(said)).failure().message)


def test_unions_optional_members_lists_and_classes_that_hold_themselves_are_read() -> None:
    assert faults_of(value(WHOLE), DRAWING.schema) == ()
    assert DRAWING.decoded(value(WHOLE)).unwrap() == MADE
    assert DRAWING.decoded(value({"title": "None", "shapes": []})).unwrap() == Drawing("None", [])


def test_the_checks_of_the_schema_say_each_place_at_any_depth() -> None:
    tree = {"name": "a", "below": [{"name": 5}], "up": {"nam": "c"}}
    faults = faults_of(value({**WHOLE, "tree": tree, "shapes": [{"kind": "circle", "radius": "2"}]}), DRAWING.schema)
    told = "\n".join(faults)
    assert '$.shapes[0].radius must be a number, not the string "2"' in told
    assert "$.tree.below[0].name must be a string, not 5" in told
    assert "$.tree.up.nam is unknown; did you mean name?" in told


def test_what_a_class_checks_itself_is_told() -> None:
    assert wrong({**WHOLE, "count": -1}) == "The reply does not fit Drawing:\n- $ is refused: ValueError: a count is not negative"


@pytest.mark.parametrize(
    ("kind", "said", "made"),
    [
        (list[int], [1, 2], [1, 2]),
        (Circle | Square, {"kind": "square", "side": 1}, Square("square", 1.0)),
        (Colour, "red", Colour.RED),
        (str, "yes", "yes"),
        (bool | None, None, None),
        (list[Node], [{"name": "a", "below": [{"name": "b"}]}], [Node("a", (Node("b"),))]),
    ],
)
def test_what_is_no_object_is_the_value_of_one(kind: Any, said: object, made: object) -> None:
    wanted = output_of(kind)
    assert wanted.schema["type"] == "object", "providers want an object at the root"
    assert faults_of(value({"value": said}), wanted.schema) == ()
    assert wanted.decoded(value({"value": said})).unwrap() == made
    assert "$ is missing its member value" in wrong(said if isinstance(said, dict) else {"valu": said}, kind)


def test_a_type_that_no_model_could_write_is_refused_where_the_schema_is_made() -> None:
    with pytest.raises(TypeError, match="set can't be an output: set has no form in JSON"):
        output_of(set)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(tuple(WHOLE)), inner),
        max_leaves=8,
    )
)
def test_any_json_gives_a_value_or_a_problem(said: object) -> None:
    read = DRAWING.decoded(value(said))
    fits = faults_of(value(said), DRAWING.schema) == ()
    assert fits == isinstance(read.value_or(None), Drawing)


def under(kind: Any) -> ChatConfig:
    return evolve(CFG, output=output_of(kind).schema)


def test_a_run_gives_the_value_and_repairs_on_the_way() -> None:
    replies = (
        chat_stream("Here you are."),
        chat_stream(json.dumps({**WHOLE, "title": 3})),
        chat_stream(f"```json\n{json.dumps(WHOLE)}\n```"),
    )
    result = run("draw", BUILTIN_TOOLS, under(Drawing), fake_world(replies))
    assert decoded(result, Drawing).unwrap() == MADE
    assert decoded(result, DRAWING).unwrap() == MADE
    assert result.output == value(WHOLE)


def test_tools_are_called_before_the_value_is_said() -> None:
    replies = (chat_stream("", (RawCall("todo", '{"action": "list"}'),)), chat_stream('{"value": [1]}'))
    result = run("count", BUILTIN_TOOLS, under(list[int]), fake_world(replies))
    assert decoded(result, list[int]).unwrap() == [1]


def test_a_run_without_a_value_says_why() -> None:
    failed = run("draw", BUILTIN_TOOLS, under(Drawing), fake_world((chat_stream("No."),) * 3))
    assert failed.ended is not None
    assert failed.ended.reason is Reason.FAILED
    assert failed.output is None
    calls = [event for event in failed.state.past.log if isinstance(event, AssistantMessage)]
    assert len(calls) == 3, "two repairs by default"
    assert decoded(failed, Drawing).failure() == failed.problem
    paused = run("draw", BUILTIN_TOOLS, under(Drawing), fake_world((chat_stream("", (RawCall("shell", '{"command": "make"}'),)),)))
    assert decoded(paused, Drawing).failure().code == "no-output"
    free = run("draw", BUILTIN_TOOLS, CFG, fake_world((chat_stream("Hi."),)))
    assert free.output is None
    assert decoded(free, Drawing).failure().message.startswith("The reply is not JSON")
    cut = run("draw", BUILTIN_TOOLS, under(Drawing), fake_world((chat_stream('{"title": ', finish_reason="length"),)))
    assert decoded(cut, Drawing).failure().message == "The run has no output: it ended as cut."


def test_a_reply_that_happens_to_fit_is_a_value_too() -> None:
    free = run("draw", BUILTIN_TOOLS, CFG, fake_world((chat_stream('{"title": "None", "shapes": []}'),)))
    assert decoded(free, Drawing).unwrap() == Drawing("None", [])


def test_a_null_is_a_value_that_python_has_no_other_word_for() -> None:
    result = run("x", BUILTIN_TOOLS, evolve(CFG, output=JsonObject.of(type="null")), fake_world((chat_stream("null"),)))
    assert (result.output, result.ended is not None and result.ended.reason) == (None, Reason.COMPLETED)
