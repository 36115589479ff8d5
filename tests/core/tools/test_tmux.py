"""tmux in a world that is only said: which requests, in which order, and what its ends are told as. A real one is in tests/shell."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.tools.worlds import config
from turnfold.core.config.tables import Sandbox, SandboxProfile
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.builtin.tmux import NO_SERVER, TMUX
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import Answer, Exchange, JobStarted, ProcessEnded
from turnfold.core.world.requests import Request, RunProcess, StartJob

CFG = evolve(config(), conversation="c1")


def ended(exit_code: int, output: str = "") -> ProcessEnded:
    return ProcessEnded(exit_code=exit_code, output=output, cwd="/w")


def played(arguments: JsonObject, *answers: Answer | Problem) -> tuple[tuple[Request, ...], Done | Refuse]:
    call, left = Call(arguments), list(answers)
    while isinstance(due := TMUX.advance(call, CFG), Need):
        (request,) = due.requests
        call = evolve(call, exchanges=(*call.exchanges, Exchange(request, left.pop(0))))
    assert not left
    return tuple(exchange.request for exchange in call.exchanges), due


def test_the_first_session_brings_its_server() -> None:
    requests, end = played(JsonObject.of(action="new"), ended(NO_SERVER), JobStarted("j"), ended(0))
    first, server, second = requests
    assert isinstance(first, RunProcess)
    assert isinstance(server, StartJob)
    assert isinstance(second, RunProcess)
    assert server.script == "exec tmux -L turnfold-c1 -f /dev/null -D"
    act = "tmux -L turnfold-c1 -N new-session -d -s main -x 160 -y 50 -c '/w'"
    assert first.script.splitlines()[-1] == second.script.splitlines()[-1] == act
    assert end == Done("Session main was started. tmux look main shows its screen.", JsonObject())


def test_the_next_one_finds_it() -> None:
    requests, end = played(JsonObject.of(action="new", session="s", text="top"), ended(0))
    assert len(requests) == 1
    assert isinstance(end, Done)


NO = world_problem("no-bash", "No.")


@pytest.mark.parametrize(
    ("arguments", "answers", "end"),
    [
        (JsonObject.of(action="look"), (ended(0, "$ ls\n\n\n"),), Done("$ ls", JsonObject())),
        (JsonObject.of(action="list"), (ended(NO_SERVER),), Done("There are no sessions: tmux new starts one.", JsonObject())),
        (
            JsonObject.of(action="type", text="ls"),
            (ended(0),),
            Done("Session main was given that. tmux look main shows its screen.", JsonObject()),
        ),
        (JsonObject.of(action="type"), (ended(0),), Done("Session main was given that. tmux look main shows its screen.", JsonObject())),
        (JsonObject.of(action="kill"), (ended(0),), Done("Session main has ended.", JsonObject())),
        (JsonObject.of(action="keys", text="C-c Up"), (NO,), Refuse(NO)),
        (JsonObject.of(action="new"), (ended(NO_SERVER), NO), Refuse(NO)),
    ],
)
def test_ends(arguments: JsonObject, answers: tuple[Answer | Problem, ...], end: Done | Refuse) -> None:
    assert played(arguments, *answers)[1] == end


@pytest.mark.parametrize(
    ("arguments", "answers", "code"),
    [
        (JsonObject.of(action="look"), (ended(NO_SERVER),), "no-session"),
        (JsonObject.of(action="new"), (ended(NO_SERVER), JobStarted("j"), ended(127)), "no-tmux"),
        (JsonObject.of(action="kill"), (ended(1, "can't find session: main"),), "tmux-failed"),
        (JsonObject.of(action="kill", session="a:b"), (), "bad-session"),
        (JsonObject.of(action="keys", text=""), (), "bad-keys"),
        (JsonObject.of(action="keys", text="Ünter"), (), "bad-keys"),
        (JsonObject.of(action="dance"), (), "bad-action"),
    ],
)
def test_refusals(arguments: JsonObject, answers: tuple[Answer, ...], code: str) -> None:
    end = played(arguments, *answers)[1]
    assert isinstance(end, Refuse)
    assert end.problem.code == code


def test_it_can_not_be_had_in_a_sandbox() -> None:
    confined = evolve(CFG, sandbox=Sandbox(profile=SandboxProfile.WORKSPACE))
    due = TMUX.advance(Call(JsonObject.of(action="new")), confined)
    assert isinstance(due, Refuse)
    assert due.problem.code == "not-confined"
