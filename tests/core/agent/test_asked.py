"""Questions as plain data: all that waits, what it would do, what may be decided; stored, shown and decided elsewhere (O16)."""

from __future__ import annotations

from hypothesis import given

from tests.core.agent.scripted import after, call, config, reply, sim
from tests.laws.examples import examples
from turnfold.core.agent.asked import Question, questions_of
from turnfold.core.agent.inputs import Decided
from turnfold.core.agent.state import questions
from turnfold.core.agent.step import step
from turnfold.core.codec.codec import PAST, QUESTION, decode_untrusted, encode
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.json import JsonObject
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Command, Decide, Finish, Move, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, walked


def asked() -> Sim:
    calls = (call("shell", command="make"), call("careful", path="d.txt"), call("ask", question="Which?"))
    return after(sim(reply("", *calls), cfg=config()), Say("go"), Finish())


def test_all_that_waits_is_told_in_the_order_of_the_calls() -> None:
    begun = asked()
    run, first, second, ask = questions_of(begun.state, begun.cfg, ALL_TOOLS)
    assert (run.tool, run.arguments, run.preview, run.always) == (
        "shell",
        JsonObject.of(command="make"),
        "Run a command in /w\nmake",
        (Rule(Verdict.ALLOW, "run", "make *"),),
    )
    assert run.parameters is not None
    assert (str(first.request_id), str(second.request_id), first.tool) == ("1.1.1.0", "1.1.1.1", "careful")
    assert (ask.arguments, ask.parameters, ask.always) == (None, None, ())


def test_without_the_tools_nothing_is_said_of_their_parameters() -> None:
    begun = asked()
    assert [each.parameters for each in questions_of(begun.state, begun.cfg)] == [None] * 4


def test_a_call_of_which_a_part_was_done_can_not_be_given_other_arguments() -> None:
    begun = after(asked(), Decide(pick=1), Finish())
    told = {str(each.request_id): each.arguments for each in questions_of(begun.state, begun.cfg)}
    assert told == {"1.1.0.0": JsonObject.of(command="make"), "1.1.1.1": None, "1.1.2.0": None}


def test_a_command_of_a_person_asks_for_nothing_but_answers() -> None:
    begun = after(sim(cfg=config()), Command("/ask Which?"))
    (question,) = questions_of(begun.state, begun.cfg)
    assert (question.tool, question.arguments) == ("ask", None)


def through_the_codec(question: Question) -> Question:
    return decode_untrusted(QUESTION, encode(QUESTION, question)).unwrap()


@given(sims(), lives())
@examples(25)
def test_questions_are_those_of_the_state_and_survive_being_stored(begun: Sim, life: tuple[Move, ...]) -> None:
    """What a person decides on a stored question does the same to the stored conversation."""
    done = walked(begun, life)
    told = questions_of(done.state, done.cfg)
    assert [each.request_id for each in told] == [each.request_id for each in questions(done.state.past)]
    stored = decode_untrusted(PAST, encode(PAST, done.state.past)).unwrap()
    assert stored == done.state.past
    for question in told:
        assert through_the_codec(question) == question
        for decided in (
            Decided(question.request_id, True, rules=question.always),
            Decided(question.request_id, False, "no"),
            Decided(question.request_id, True, arguments=question.arguments),
        ):
            assert step(type(done.state)(stored), decided, done.tools, done.cfg) == step(done.state, decided, done.tools, done.cfg)
