"""The tool ``rag``: what it asks for, and how passages are shown."""

from __future__ import annotations

from tests.core.tools.worlds import config
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import world_problem
from turnfold.core.tools.builtin.rag import RAG
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import Exchange, IndexSearched, Passage
from turnfold.core.world.requests import SearchIndex


def needed(**arguments: JsonValue) -> SearchIndex:
    due = RAG.advance(Call(JsonObject.of(**arguments)), config())
    assert isinstance(due, Need)
    (request,) = due.requests
    assert isinstance(request, SearchIndex)
    return request


def test_where_it_searches() -> None:
    assert needed(query="a b") == SearchIndex(root="/w", query="a b", limit=5)
    assert needed(query="a", path="src/*.py", limit=9) == SearchIndex(root="/w/src", query="a", names=("/*.py",), limit=9)
    assert isinstance(RAG.advance(Call(JsonObject.of(query=" ")), config()), Refuse)
    assert isinstance(RAG.advance(Call(JsonObject.of(query="a", path="a\0")), config()), Refuse)


def test_passages_stand_under_their_place_with_the_numbers_of_their_lines() -> None:
    found = IndexSearched(passages=(Passage(path="a.py", first=3, last=4, text="x = 1\r\ny = 2"),), files=2)
    call = Call(JsonObject.of(query="x", path="src"), (Exchange(needed(query="x", path="src"), found),))
    assert RAG.advance(call, config()) == Done("src/a.py, lines 3-4:\n3\tx = 1\n4\ty = 2")


def test_nothing_found_and_a_problem() -> None:
    none = Call(JsonObject.of(query="x"), (Exchange(needed(query="x"), IndexSearched(passages=(), files=1)),))
    assert RAG.advance(none, config()) == Done("None of 1 file says that: use other words, or grep for a part of one.")
    broken = world_problem("index-unusable", "It is broken.")
    assert RAG.advance(Call(JsonObject.of(query="x"), (Exchange(needed(query="x"), broken),)), config()) == Refuse(broken)
