"""docs/streams.md says what is so: its code runs, its items are all there are."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from starlette.applications import Starlette

from tests.streaming.endpoints import Client, served
from tests.streaming.support import CFG, gated_world
from tests.test_docs import PROJECT, block
from turnfold import FunctionTool, Item, Leaving
from turnfold.testing.wire import chat_stream

STREAMS = (PROJECT / "docs" / "streams.md").read_text(encoding="utf-8")
HELLO = (chat_stream("Hello."),)


def names(of: str) -> dict[str, object]:
    found: dict[str, object] = {"cfg": CFG, "world": gated_world(HELLO), "__name__": "streams_md"}
    exec(compile(block(STREAMS, "python", of), "streams.md", "exec"), found)  # its annotations are read when it runs
    return found


def test_the_loop_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names("case ToolProgress")
    assert capsys.readouterr().out == "Hello."


def test_the_endpoint_streams() -> None:
    app = names("async def chat")["app"]
    assert isinstance(app, Starlette)
    with served(app) as port:
        answer = Client(port, "/chat?said=go").rest()
    assert '"text":"Hello."' in answer
    assert "event: RunEnded" in answer


def test_the_function_is_a_tool() -> None:
    assert isinstance(names("def fetch_all")["fetch_all"], FunctionTool)


def test_every_item_is_listed_with_its_fields() -> None:
    rows = re.findall(r"^\| (`.*`) \| .* \|$", STREAMS.partition("## Items")[2].partition("## Places")[0], re.MULTILINE)
    listed = {name: fields for cell in rows for name, fields in re.findall(r"`(\w+)(?:\(([\w, ]*)\))?`", cell)}
    kinds = {kind.__name__: kind for kind in get_args(Item)}
    assert listed.keys() == kinds.keys()
    for name, fields in listed.items():
        assert {each.strip() for each in fields.split(",") if each} <= {field.name for field in kinds[name].__attrs_attrs__}


def test_every_way_to_leave_is_listed() -> None:
    assert re.findall(r"^\| `Leaving\.(\w+)` \|", STREAMS, re.MULTILINE) == [each.name for each in Leaving]
