"""The tool ``chats``: what it asks for, and how it tells what was found."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import config
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import world_problem
from turnfold.core.tools.builtin.chats import CHATS
from turnfold.core.tools.moments import day
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import ChatFound, ChatsFound, Exchange
from turnfold.core.world.requests import SearchChats

FOUND = ChatsFound((ChatFound(conversation="c1", title="Database", changed_ms=1_700_000_000_000, text="We took SQLite."),))


def needed(**arguments: JsonValue) -> SearchChats:
    due = CHATS.advance(Call(JsonObject.of(**arguments)), config())
    assert isinstance(due, Need)
    (request,) = due.requests
    assert isinstance(request, SearchChats)
    return request


def ended(came: object, **arguments: JsonValue) -> object:
    return CHATS.advance(Call(JsonObject.of(**arguments), (Exchange(needed(**arguments), came),)), config())  # type: ignore[arg-type]


def test_what_is_asked_for() -> None:
    assert needed(query=" sqlite ") == SearchChats(query="sqlite", limit=5)
    assert needed(query="sqlite", limit=3).limit == 3
    assert needed(conversation="c1") == SearchChats(query="", limit=5, conversation="c1")
    assert isinstance(CHATS.advance(Call(JsonObject.of(query=" ")), config()), Refuse)


def test_what_the_model_reads() -> None:
    assert ended(FOUND, query="sqlite") == Done("c1 (2023-11-14, Database): We took SQLite.")
    assert ended(FOUND, conversation="c1") == Done("Database (2023-11-14)\n\nWe took SQLite.")
    assert ended(ChatsFound(()), query="sqlite") == Done("No past conversation says that.")
    assert ended(world_problem("gone", "It is gone."), query="sqlite") == Refuse(world_problem("gone", "It is gone."))


@given(st.dates(min_value=dt.date(1, 1, 1)), st.integers(0, 86_399_999))
def test_a_day_is_that_of_the_calendar(date: dt.date, ms: int) -> None:
    assert day((date.toordinal() - dt.date(1970, 1, 1).toordinal()) * 86_400_000 + ms) == date.isoformat()
