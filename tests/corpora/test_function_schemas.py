"""The corpora of schemas as data: from signatures, and made strict; they mean the same, but for what differences.json lists."""

from __future__ import annotations

import enum
import inspect
import itertools
import json
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, final

import annotated_types
import attrs
import pytest
from returns.result import Failure

from tests.corpora.differences import differences
from turnfold.core.json import JsonObject, freeze, thaw
from turnfold.core.tools.strict import strict_schema
from turnfold.shell.functions.docs import read_doc
from turnfold.shell.functions.encoding import UnfitError
from turnfold.shell.functions.signature import Caller
from turnfold.shell.functions.tool import FunctionTool, tool

HERE = Path(__file__).parent
CORPORA = HERE.parents[1].parent / "shared" / "corpora"
TOPICS = ("function_schema", "strict_schema")
DIFFERENCES = {topic: differences(topic) for topic in TOPICS}

Case = dict[str, Any]  # JSON as the corpus has it


def cases(topic: str) -> list[Any]:
    path = CORPORA / f"{topic}.json"
    found: list[Case] = json.loads(path.read_text()) if path.is_file() else []
    return [pytest.param(case, id=case["id"]) for case in found]


class MyEnum(enum.Enum):
    FOO = "foo"
    BAR = "bar"
    BAZ = "baz"


@attrs.frozen
class InnerModel:
    a: int
    b: str


class Foo(TypedDict):
    a: int
    b: str


@attrs.frozen
class OuterModel:
    inner: InnerModel
    foo: Foo


@final
class FieldInfo:
    """What the reference's own kind of note says: as the notes of others do."""

    def __init__(self, **said: Any) -> None:
        self.metadata = said.get("metadata", ())
        self.description = said.get("description")
        self.default = said.get("default", inspect.Parameter.empty)


NAMES: dict[str, Any] = {
    **{name: getattr(annotated_types, name) for name in ("Ge", "Gt", "Le", "Lt", "MinLen", "MaxLen")},
    **{each.__name__: each for each in (MyEnum, OuterModel, FieldInfo)},
    "typing": typing,
    "Literal": typing.Literal,
    "NoneType": type(None),
}


def annotation_of(said: str) -> Any:
    return Caller if "RunContextWrapper" in said else eval(said, NAMES)


def default_of(param: Case, annotation: Any) -> Any:
    """The parameter's default; a note that holds it is read as the default that it stands for."""
    said = param.get("default", inspect.Parameter.empty)
    note = eval(said, NAMES) if isinstance(said, str) and said.startswith("FieldInfo(") else None
    notes = [note] if note else [each for each in typing.get_args(annotation)[1:] if isinstance(each, FieldInfo)]
    return notes[0].default if notes else said


def function_of(described: Case) -> Callable[..., None]:
    """A function with the name, the parameters and the docstring that a case describes."""

    def function(*args: Any, **kwargs: Any) -> None: ...

    annotations = {param["name"]: annotation_of(param["annotation"]) for param in described["params"]}
    parameters = [
        inspect.Parameter(param["name"], getattr(inspect.Parameter, param["kind"]), default=default_of(param, annotations[param["name"]]))
        for param in described["params"]
    ]
    # the reference takes what has no default after what has one; a signature does not
    required_after = any(b.default is b.empty and a.default is not a.empty for a, b in itertools.pairwise(parameters))
    if required_after and all(each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters):
        parameters = [each.replace(kind=each.KEYWORD_ONLY) for each in parameters]
    vars(function)["__signature__"] = inspect.Signature(parameters)
    function.__annotations__ = annotations
    function.__name__ = described["__fn__"]
    function.__doc__ = described["doc"]
    return function


def meaning(schema: Any, root: Any = None) -> Any:
    """A schema without titles, and with what it refers to in its place."""
    root = schema if root is None else root
    if isinstance(schema, list):
        return [meaning(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return meaning(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    return {
        name: {each: meaning(value, root) for each, value in part.items()} if name == "properties" else meaning(part, root)
        for name, part in schema.items()
        if name not in {"title", "$defs"} and not (name == "required" and part == [])
    }


def same_function(case: Case) -> bool:
    described = case["in"]["args"][0]
    function = function_of(described)
    if case["fn"].endswith("generate_func_documentation"):
        doc = read_doc(function)
        out = case["out"]
        return (doc.about or None, dict(doc.parameters)) == (out["description"], out["param_descriptions"])
    strict = case["in"]["kwargs"].get("strict_json_schema", True)
    try:
        made: FunctionTool[..., None] = tool(strict=strict)(function)
    except UnfitError:
        return case["out"].get("type") == "UserError" if "out" in case else "error" in case
    if "error" in case or "params_json_schema" not in case["out"]:
        return False
    wanted = meaning(case["out"]["params_json_schema"])
    wanted.setdefault("additionalProperties", False)  # where the reference leaves it open without strict, more is refused here
    said = (made.spec.description or None) if case["in"]["kwargs"].get("use_docstring_info", True) else None
    same = (made.spec.name, said, bool(made.signature.caller)) == (
        case["out"]["name"],
        case["out"]["description"],
        case["out"]["takes_context"],
    )
    return same and meaning(thaw(made.spec.parameters)) == wanted


def same_strict(case: Case) -> bool:
    schema = freeze(case["in"]["args"][0])
    assert isinstance(schema, JsonObject)
    made = strict_schema(schema)
    return "error" in case if isinstance(made, Failure) else thaw(made.unwrap()) == case.get("out", case.get("error"))


@pytest.mark.parametrize("case", cases("function_schema"))
def test_a_signature_gives_the_schema_that_is_recorded(case: Case) -> None:
    assert same_function(case) is (case["id"] not in DIFFERENCES["function_schema"])


@pytest.mark.parametrize("case", cases("strict_schema"))
def test_a_schema_is_made_strict_as_is_recorded(case: Case) -> None:
    assert same_strict(case) is (case["id"] not in DIFFERENCES["strict_schema"])


@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"the corpora of recorded cases are not at {CORPORA}")
@pytest.mark.parametrize("topic", TOPICS)
def test_every_difference_is_of_a_case(topic: str) -> None:
    assert set(DIFFERENCES[topic]) <= {param.values[0]["id"] for param in cases(topic)}
