"""The tool ``ask``: what it asks for, what of an answer closes the question, and what the model is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from tests.core.tools.worlds import config
from turnfold.core.agent.inputs import CommandGiven, Decided
from turnfold.core.agent.state import ChatState, questions
from turnfold.core.agent.step import step
from turnfold.core.conversation.messages import ToolCall, ToolMessage
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin.ask import ASK, fields_untrusted
from turnfold.core.tools.forms import said_untrusted
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import Exchange, HumanSaid
from turnfold.core.world.requests import AskHuman, FormField
from turnfold.testing.simulated_world import filled_form
from turnfold.testing.strategies import json_objects, values

FORM = (
    JsonObject.of(name="name", label="Your name"),
    JsonObject.of(name="colours", choices=("red", "green", "red"), several=True, required=False),
)


def asks(**arguments: JsonValue) -> AskHuman:
    due = ASK.advance(Call(JsonObject.of(**arguments)), config())
    assert isinstance(due, Need)
    (request,) = due.requests
    assert isinstance(request, AskHuman)
    return request


def test_free_text_a_choice_and_a_form() -> None:
    assert asks(question="Who?") == AskHuman(question="Who?", fields=(FormField(name="answer"),))
    assert asks(question="Which?", choices=("a", "b"), several=True).fields == (FormField(name="answer", choices=("a", "b"), several=True),)
    assert asks(question="Who?", fields=FORM).fields == (
        FormField(name="name", label="Your name"),
        FormField(name="colours", choices=("red", "green"), several=True, required=False),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        JsonObject.of(choices=("a",), fields=FORM),
        JsonObject.of(fields=(FORM[0], FORM[0])),
        JsonObject.of(choices=("a", " ")),
        JsonObject.of(fields=(JsonObject.of(name="a", choices=("",)),)),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(arguments: JsonObject) -> None:
    end = ASK.advance(Call(arguments.with_member("question", "?")), config())
    assert isinstance(end, Refuse)
    assert end.problem.code == "bad-question"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (JsonObject.of(answer="green"), "green"),
        (JsonObject.of(answer=("a", "b")), "a, b"),
        (JsonObject.of(name="Ada", colours=("red",)), "name: Ada\ncolours: red"),
        (JsonObject(), "(everything was left blank)"),
    ],
)
def test_the_model_reads_what_was_said(values: JsonObject, text: str) -> None:
    asked = asks(question="?")
    assert ASK.advance(Call(JsonObject.of(question="?"), (Exchange(asked, HumanSaid(values)),)), config()) == Done(text)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (JsonObject(), "name is missing"),
        (JsonObject.of(name=" \n"), "name is missing"),
        (JsonObject.of(name=3), "name takes one text"),
        (JsonObject.of(name=("Ada",)), "name takes one text"),
        (JsonObject.of(name="Ada", colours=("red", 3)), "colours takes texts"),
        (JsonObject.of(name="Ada", colours="blue"), "colours takes some of 'red', 'green', not 'blue'"),
        (JsonObject.of(name="Ada", colour="red"), "there is no field 'colour' (perhaps colours?)"),
        (JsonObject.of(name="Ada", zzz="red"), "there is no field 'zzz'."),
    ],
)
def test_an_answer_that_does_not_fit_leaves_the_question_open_and_says_why(said: JsonObject, words: str) -> None:
    begun = step(ChatState(), CommandGiven(ToolCall("ask", JsonObject.of(question="Who?", fields=FORM))), (ASK,), config())
    (asked,) = questions(begun.state.past)
    after = step(begun.state, Decided(asked.request_id, allowed=True, said=said), (ASK,), config())
    assert after.state.past == begun.state.past
    (published,) = after.effects
    assert isinstance(problem := getattr(published, "what", None), Problem)
    assert (problem.code, words in problem.message) == ("bad-answer", True)
    told = JsonObject.of(colours="red", name="Ada")
    good = step(after.state, Decided(asked.request_id, allowed=True, said=told), (ASK,), config())
    assert good.state.idle
    assert good.state.past.log[-1] == ToolMessage(call_id="1.0.0", tool="ask", text="name: Ada\ncolours: red", ok=True)


def test_who_leaves_it_unanswered_lets_the_model_decide() -> None:
    begun = step(ChatState(), CommandGiven("/ask Who?"), (ASK,), config())
    (asked,) = questions(begun.state.past)
    after = step(begun.state, Decided(asked.request_id, allowed=False, note="Busy."), (ASK,), config())
    last = after.state.past.log[-1]
    assert isinstance(last, ToolMessage)
    assert (last.ok, last.text.startswith("The user left the question unanswered"), last.text.endswith("They said: Busy.")) == (
        False,
        True,
        True,
    )


@given(request=values(AskHuman), said=json_objects())
def test_what_was_taken_as_an_answer_is_one_again_and_fits_every_field(request: AskHuman, said: JsonObject) -> None:
    first = said_untrusted(request, said)
    if not is_successful(first):
        assert first.failure().message.startswith("The question is still open: ")
        return
    kept = first.unwrap().values
    assert said_untrusted(request, kept) == first
    for field in request.fields:
        assert field.name in kept or not field.required
        texts = kept.get(field.name, ())
        for text in texts if isinstance(texts, tuple) else (texts,):
            assert isinstance(text, str)
            assert text.strip()
            assert not field.choices or text in field.choices


@given(fields=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(((), ("x",), ("x", "y"))), st.booleans()), max_size=3))
def test_what_fits_a_question_of_the_tool_answers_it(fields: list[tuple[str, tuple[str, ...], bool]]) -> None:
    forms = tuple(JsonObject.of(name=name, choices=choices, several=several) for name, choices, several in fields)
    read = fields_untrusted(JsonObject.of(question="?", fields=forms))
    assert is_successful(read) == (len({name for name, _, _ in fields}) == len(fields))
    if is_successful(read):
        asked = AskHuman(question="?", fields=read.unwrap())
        assert is_successful(said_untrusted(asked, filled_form(asked)))
