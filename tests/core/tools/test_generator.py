"""Tools written as generators."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.tools.worlds import config
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem, model_problem
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.spec import Call, Done, Memory, Need, Refuse
from turnfold.core.world.answers import Exchange, FileRead, FilesListed, FileWritten
from turnfold.core.world.requests import ListFiles, ReadFile

A = ReadFile(path="/a", limit_bytes=1)
B = ReadFile(path="/b", limit_bytes=1)
C = ListFiles(path="/", limit=1)
READ = FileRead(text="x", digest="d")


def both(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    found = yield (A, B)
    assert isinstance(found, tuple)
    nothing = yield ()
    assert nothing == ()
    last = yield C
    return Done(f"{len(found)} {type(last).__name__}")


ADVANCE = from_generator(both)


def test_several_requests_are_one_round() -> None:
    call = Call(JsonObject())
    assert ADVANCE(call, config()) == Need((A, B))
    call = evolve(call, exchanges=(Exchange(A, READ),))
    assert ADVANCE(call, config()) == Need((B,))  # a round that was cut short goes on
    call = evolve(call, exchanges=(*call.exchanges, Exchange(B, model_problem("x", "y"))))
    assert ADVANCE(call, config()) == Need((C,))
    call = evolve(call, exchanges=(*call.exchanges, Exchange(C, FilesListed(entries=()))))
    assert ADVANCE(call, config()) == Done("2 FilesListed")


@pytest.mark.parametrize(
    "exchanges",
    [
        (Exchange(B, READ),),
        (Exchange(A, READ), Exchange(A, READ)),
        (Exchange(A, READ), Exchange(B, READ), Exchange(C, READ), Exchange(C, READ)),
    ],
)
def test_one_that_asks_differently_than_recorded_is_refused(exchanges: tuple[Exchange, ...]) -> None:
    said = ADVANCE(Call(JsonObject(), exchanges), config())
    assert isinstance(said, Refuse)
    assert (said.problem.code, said.problem.blame) == ("asked-differently", Blame.TOOL)


def test_an_answer_of_another_kind_is_a_problem() -> None:
    def one(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
        found = yield from asked(A, FileRead)
        return Refuse(found) if isinstance(found, Problem) else Done(found.text)

    advance = from_generator(one)
    assert advance(Call(JsonObject(), (Exchange(A, READ),)), config()) == Done("x")
    said = advance(Call(JsonObject(), (Exchange(A, FileWritten("d")),)), config())
    assert isinstance(said, Refuse)
    assert said.problem.message == "ReadFile was answered by FileWritten, not FileRead."


def test_a_script_is_closed_at_every_round_and_when_it_raises() -> None:
    closed: list[str] = []

    def one(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
        try:
            yield A
            raise ZeroDivisionError
        finally:
            closed.append("closed")

    advance = from_generator(one)
    assert advance(Call(JsonObject()), config()) == Need((A,))
    with pytest.raises(ZeroDivisionError):
        advance(Call(JsonObject(), (Exchange(A, READ),)), config())
    assert closed == ["closed", "closed"]


def test_a_script_may_end_before_it_asks() -> None:
    def none(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
        if arguments == JsonObject():
            return Done("at once")
        yield A
        return Done("later")

    advance = from_generator(none)
    assert advance(Call(JsonObject()), config()) == Done("at once")
    assert isinstance(advance(Call(JsonObject(), (Exchange(A, READ),)), config()), Refuse)
    assert advance(Call(JsonObject.of(a=1), (Exchange(A, READ),)), config()) == Done("later")
