"""Laws that every built-in tool keeps."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from tests.core.tools.worlds import LIMITS, MAX_ROUNDS, PROBLEMS, TEXTS, VARIABLES, config, outcomes
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.builtin.browser import ACTIONS
from turnfold.core.tools.preview import preview
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec, find_tool
from turnfold.core.world.answers import Exchange
from turnfold.core.world.requests import ReadFile

PATCHES = st.lists(
    st.tuples(TEXTS, TEXTS).map(lambda halves: f"<<<<<<< ORIGINAL\n{halves[0]}\n=======\n{halves[1]}\n>>>>>>> UPDATED"),
    min_size=1,
    max_size=3,
).map("\n".join)
MEMORIES = st.sampled_from(
    (
        JsonObject(),
        JsonObject.of(cells=3),
        JsonObject.of(items=(JsonObject.of(text="a", state="done"), JsonObject.of(text="b", state=1), JsonObject(), 3)),
        JsonObject.of(items="a"),
        JsonObject.of(cells=True, cwd="relative", environment=1),
        JsonObject.of(cwd="/w/sub", environment=JsonObject.of(A="1", B=None, C=3)),
    )
)
CHANGES = st.lists(
    st.sampled_from(("add a", "done 1", "doing 2", "open 1", "remove 1", "clear", "[x] b", "- [ ] c", "2. [>] d", "", "done 0")) | TEXTS,
    max_size=4,
).map("\n".join)
LINES = st.none() | st.integers(min_value=1, max_value=20) | st.sampled_from((2.0, 10**400))


@st.composite
def fitting(draw: st.DrawFn, tool: ToolSpec) -> JsonObject:
    """Arguments that fit the tool's schema."""
    members: tuple[tuple[str, JsonValue], ...] = ()
    for name, schema in properties_of(tool).items():
        if name.endswith("_line"):
            line = draw(LINES)
            members += () if line is None else ((name, line),)
        elif name == "patch":
            members += ((name, draw(PATCHES | TEXTS.filter(bool))),)
        elif name == "do":
            members += ((name, draw(st.sampled_from(("", "list", "start x", "output a", "stop a", "stop")) | TEXTS)),)
        elif name == "url":
            members += ((name, draw(st.sampled_from(("https://a.example/x", "http://localhost:1", "ftp://a")) | TEXTS.filter(bool))),)
        elif name == "action":
            has_own = isinstance(schema, JsonObject) and "enum" in schema
            members += ((name, draw(json_fitting(schema) if has_own else st.sampled_from(ACTIONS))),)
        elif name == "target":
            members += ((name, draw(st.sampled_from(("https://a.example", "p.png", 'link "More"', "", "x\n.png")) | TEXTS)),)
        elif name == "changes":
            members += ((name, draw(CHANGES)),)
        elif name == "path":
            members += ((name, draw(st.sampled_from(("a.txt", ".", "/etc/x", "d/a", "../b")) | st.text(min_size=1, max_size=6))),)
        elif name in said_required(tool.parameters) or draw(st.booleans()):
            members += ((name, draw(json_fitting(schema))),)
    return JsonObject(members)


def properties_of(tool: ToolSpec) -> JsonObject:
    properties = tool.parameters["properties"]
    assert isinstance(properties, JsonObject)
    return properties


def said_required(schema: JsonValue) -> tuple[JsonValue, ...]:
    required = schema.get("required", ()) if isinstance(schema, JsonObject) else ()
    return required if isinstance(required, tuple) else ()


@st.composite
def json_fitting(draw: st.DrawFn, schema: JsonValue) -> JsonValue:
    """A value that fits ``schema``; what has no type is any object."""
    assert isinstance(schema, JsonObject)
    if isinstance(enum := schema.get("enum"), tuple):
        return draw(st.sampled_from(enum))
    match schema.get("type"):
        case "string":
            return draw(TEXTS.filter(bool) if schema.get("minLength") else TEXTS)
        case "boolean":
            return draw(st.booleans())
        case "integer":
            return draw(st.integers(min_value=int(str(schema.get("minimum", 0))), max_value=int(str(schema.get("maximum", 99)))))
        case "number":
            return draw(st.floats(0.01, 9.0))
        case "array":
            return tuple(draw(st.lists(json_fitting(schema["items"]), min_size=int(str(schema.get("minItems", 0))), max_size=3)))
        case _:
            properties = schema.get("properties", JsonObject())
            assert isinstance(properties, JsonObject)
            chosen = tuple(name for name in properties if name in said_required(schema) or draw(st.booleans()))
            return JsonObject(tuple((name, draw(json_fitting(properties[name]))) for name in chosen))


@pytest.mark.parametrize("tool", BUILTIN_TOOLS, ids=lambda tool: tool.name)
@given(data=st.data())
def test_every_call_ends_whatever_is_answered(tool: ToolSpec, data: st.DataObject) -> None:
    arguments = data.draw(fitting(tool))
    assert is_successful(check_untrusted(arguments, tool.parameters))
    cfg = config(limits=data.draw(LIMITS), environment=data.draw(VARIABLES))
    call = Call(arguments, (), data.draw(MEMORIES))
    for _ in range(MAX_ROUNDS + 1):
        said = tool.advance(call, cfg)
        assert said == tool.advance(call, cfg)
        if isinstance(said, (Done, Refuse)):
            break
        assert said.requests
        for request in said.requests:
            assert preview(request, call.exchanges, cfg)
            call = evolve(call, exchanges=(*call.exchanges, Exchange(request, data.draw(outcomes(request)))))
    else:
        raise AssertionError("it does not end")
    if isinstance(said, Done):
        said.text.encode()
        assert tool.serial is (said.memory is not None)
    more = Exchange(ReadFile(path="/x", limit_bytes=1), data.draw(PROBLEMS))
    again = tool.advance(evolve(call, exchanges=(*call.exchanges, more)), cfg)
    assert isinstance(again, Refuse)
    assert again.problem.code == "asked-differently"


@pytest.mark.parametrize("tool", BUILTIN_TOOLS, ids=lambda tool: tool.name)
@given(call=st.builds(Call, st.just(JsonObject.of(path=3, content=(), start_line="1")) | st.just(JsonObject())))
def test_arguments_that_do_not_fit_raise_nothing(tool: ToolSpec, call: Call) -> None:
    assert isinstance(tool.advance(call, config()), (Need, Refuse) if tool.parameters["required"] else (Done, Refuse, Need))


@pytest.mark.parametrize("tool", BUILTIN_TOOLS, ids=lambda tool: tool.name)
def test_a_tool_describes_itself_to_a_model(tool: ToolSpec) -> None:
    properties = tool.parameters["properties"]
    assert isinstance(properties, JsonObject)
    assert tool.parameters["additionalProperties"] is False
    assert set(tool.header) | {tool.body} - {""} <= set(properties)
    assert tool.description.endswith(".")
    assert tool.examples
    for example in tool.examples:
        assert is_successful(check_untrusted(example.arguments, tool.parameters))


def test_the_tools_are_in_this_order() -> None:
    names = "read save append patch patch_many grep find shell jobs python todo ask complete subagent chats fetch browser vision screenshot tmux rag gh"
    assert [tool.name for tool in BUILTIN_TOOLS] == names.split()
    assert find_tool(BUILTIN_TOOLS, "patch") is BUILTIN_TOOLS[3]
    assert find_tool(BUILTIN_TOOLS, "nope") is None
    assert hash(BUILTIN_TOOLS) == hash(BUILTIN_TOOLS)
