"""A tool's question on a terminal: what a line means; who answers with ``--yes``, and who without a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from tests.cli.support import Bench, says
from turnfold.cli.forms import field_prompt, line_untrusted
from turnfold.core.json import JsonValue
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.forms import read_field_untrusted
from turnfold.core.world.requests import FormField
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.strategies import values
from turnfold.testing.wire import chat_stream

COLOURS = FormField(name="colour", choices=("red", "green", "2"))
SEVERAL = FormField(name="colour", choices=("red", "green", "a, b"), several=True)


@pytest.mark.parametrize(
    ("field", "line", "value"),
    [
        (FormField(name="a"), " some text, with commas\n", "some text, with commas"),
        (COLOURS, "1\n", "red"),
        (COLOURS, "2", "2"),  # a choice's own text wins over its number
        (COLOURS, "GREEN", "green"),
        (SEVERAL, "2, red, 2", ("green", "red")),
        (SEVERAL, "a, b", ("a, b",)),
        (FormField(name="a", several=True), "x, y,", ("x", "y")),
        (FormField(name="a"), " \n", None),
    ],
)
def test_a_line_is_a_text_a_choice_or_its_number(field: FormField, line: str, value: JsonValue) -> None:
    assert line_untrusted(field, line).unwrap() == value


@pytest.mark.parametrize("line", ["blue", "9", "0", "-1", "1.0", "99999999"])
def test_what_is_no_choice_is_asked_again(line: str) -> None:
    assert "takes one of 'red', 'green', '2'" in line_untrusted(COLOURS, line).failure()


@given(field=values(FormField), line=st.text(max_size=20))
def test_whatever_is_typed_is_an_answer_that_fits_or_is_asked_again(field: FormField, line: str) -> None:
    said = line_untrusted(field, line)
    if is_successful(said) and said.unwrap() is not None:
        assert read_field_untrusted(field, said.unwrap()) == said
    assert "\x1b" not in field_prompt(field)


def asking(*fields: object, **more: object) -> ScriptedReply:
    said = json.dumps({"question": "What do you like?", **({"fields": fields} if fields else {}), **more})
    return ScriptedReply(chunks=(chat_stream("", (RawCall("ask", said),)),))


def test_a_person_fills_in_a_form_at_the_terminal(tmp_path: Path) -> None:
    form = asking(
        {"name": "who", "label": "Your name"}, {"name": "colour", "choices": ["red", "green"]}, {"name": "why", "required": False}
    )
    with ScriptedServer((form, says("Good."))) as server:
        person = Bench.at(tmp_path, server.base_url).on_terminal("ask me")
        assert "What do you like?" in person.until("Your name (empty to leave it unanswered): ")
        person.type("Ada\n")
        assert "2. green" in person.until("unanswered): ")
        person.type("blue\n")
        person.until("colour takes one of 'red', 'green', not 'blue'")
        person.until("unanswered): ")
        person.type("2\n")
        person.until("why (empty for none): ")
        person.type("\n")
        person.until("Good.")
        assert person.ended() == 0
        told = server.requests[1].body.decode()
    assert "who: Ada\\ncolour: green" in told


def test_an_empty_line_leaves_the_question_unanswered(tmp_path: Path) -> None:
    with ScriptedServer((asking(), says("I choose."))) as server:
        person = Bench.at(tmp_path, server.base_url).on_terminal("ask me")
        person.until("answer (empty to leave it unanswered): ")
        person.type("\n")
        person.until("I choose.")
        assert person.ended() == 0
        assert "left the question unanswered" in server.requests[1].body.decode()


def test_with_yes_no_answer_is_made_up(tmp_path: Path) -> None:
    with ScriptedServer((asking(choices=["red", "green"]), says("I choose."))) as server:
        done = Bench.at(tmp_path, server.base_url).run("ask me", "--yes")
        assert "Nobody is there to choose" in server.requests[1].body.decode()
    assert done.code == 0, done.err
    assert "What do you like?\n" in done.out


def test_without_a_terminal_it_stays_open_and_is_data(tmp_path: Path) -> None:
    with ScriptedServer((asking(choices=["red", "green"]), asking(), says("Well."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.run("ask me", "--json")
        shown = bench.run("show", done.conversation)
        dry = bench.run("ask me", "--dry-run")
    assert done.code == 3, done.err
    assert "Waits for your answer (1 question)" in done.err
    (opened,) = (line["event"] for line in map(json.loads, done.out.splitlines()) if line.get("event", {}).get("request", {}).get("fields"))
    assert opened["request"]["question"] == "What do you like?"
    assert opened["request"]["fields"][0]["choices"] == ["red", "green"]
    assert "it waits for your answer, 1 question" in shown.out
    assert "What do you like?" in dry.out
