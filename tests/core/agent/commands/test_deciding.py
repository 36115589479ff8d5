"""``/decide``: questions answered by their ids, by whoever is not asked where the run is."""

from __future__ import annotations

import pytest

from tests.core.agent.scripted import after, call, config, log, notices, problems, reply, results, sim
from turnfold.core.agent.events import Reconfigured
from turnfold.core.agent.state import questions
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.requests import RunProcess, WriteFile
from turnfold.testing.moves import Command, Finish, Say
from turnfold.testing.simulated import Sim, finished


def asked() -> Sim:
    """A conversation that waits for three decisions."""
    calls = (
        call("shell", command="make"),
        call("save", path="n.txt", content="n\n"),
        call("ask", question="Which?", choices=("red", "green")),
    )
    begun = after(sim(reply("", *calls), cfg=config()), Say("go"), Finish(), Finish())
    assert [str(each.request_id) for each in questions(begun.state.past)] == ["1.1.0.0", "1.1.1.1", "1.1.2.0"]
    return begun


def decide(*words: str) -> Sim:
    return after(asked(), *(Command(f"/decide {each}") for each in words))


def test_what_waits_is_listed() -> None:
    assert notices(decide(""))[0].splitlines() == ["1.1.0.0  run make", "1.1.1.1  write /w/n.txt", "1.1.2.0  ask Which?"]
    assert notices(after(sim(), Command("/decide"))) == ("Nothing waits for you.",)


def test_each_question_is_decided_alone_and_the_run_goes_on_with_what_it_may() -> None:
    one = decide("1.1.1.1 yes")
    assert [type(each.perform.request) for each in one.outstanding] == [WriteFile]
    assert len(questions(one.state.past)) == 2
    rest = after(one, Command('/decide 1.1.2.0 {"answer": "green"}'), Command("/decide 1.1.0.0 no Not now."))
    done = finished(rest)
    assert results(done)[0].endswith("They said: Not now.")
    assert results(done)[2] == "green"
    assert not questions(done.state.past)


def test_other_arguments_are_json() -> None:
    done = finished(decide('1.1.0.0 {"command": "make test"}'), allowed=False)
    assert [perform.request.script for perform in done.performs if isinstance(perform.request, RunProcess)] == ["make test"]
    assert "It was done with" in log(done)[2].text


def test_always_is_a_rule_from_now_on() -> None:
    done = decide("1.1.0.0 always")
    change = next(event.change for event in done.events if isinstance(event, Reconfigured))
    assert change.rules == (Rule(Verdict.ALLOW, "run", "make *"),)
    begun = after(sim(reply("", call("shell", command="eval $x")), cfg=config()), Say("go"), Finish(), Command("/decide 1.1.0.0 always"))
    assert problems(begun)[-1].code == "no-like"
    assert questions(begun.state.past)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("9.9.9.9 yes", "No question '9.9.9.9' is open: there are 1.1.0.0, 1.1.1.1, 1.1.2.0."),
        ("nonsense", "No question 'nonsense' is open"),
        ("1.1.0.0", "'' decides nothing: write  /decide ID yes"),
        ("1.1.0.0 perhaps", "'perhaps' decides nothing"),
        ("1.1.0.0 [1]", "'[1]' decides nothing"),
        ('1.1.0.0 {"comand": "ls"}', "$.comand is unknown; did you mean command?"),
        ('1.1.2.0 {"answer": "blue"}', "The question is still open: answer takes one of"),
    ],
)
def test_what_decides_nothing_says_so_and_leaves_the_question_open(said: str, why: str) -> None:
    done = decide(said)
    assert why in problems(done)[-1].message
    assert done.state.past == asked().state.past


def test_where_nothing_waits_there_is_nothing_to_name() -> None:
    assert problems(after(sim(), Command("/decide 1.1.0.0 yes")))[-1].message == "No question '1.1.0.0' is open."
