"""Answering a tool's question on a terminal, field by field: what is asked, what a typed line means (pure), and the asking itself."""

from __future__ import annotations

from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.cli.asking import Terminal
from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.tools.forms import read_field_untrusted
from turnfold.core.tools.preview import visible
from turnfold.core.world.requests import AskHuman, FormField
from turnfold.shell.scope import Scope

TRIES = 5


@final
@frozen
class Said:
    """What a person said to a field; None where they left it blank."""

    value: JsonValue


def filled(question: Question, request: AskHuman, terminal: Terminal, scope: Scope, at_ms: int) -> Decided | None:
    """What the person at ``terminal`` says to ``request``; None where they leave it open (end of input, Ctrl-C, no sense in some answers).

    A field that must be said and is left blank declines the whole question.
    """
    members: tuple[tuple[str, JsonValue], ...] = ()
    for field in request.fields:
        said = _asked(field, terminal, scope)
        if said is None:
            return None
        if said.value is None and field.required:
            return Decided(question.request_id, allowed=False, at_ms=at_ms)
        members += ((field.name, said.value),)
    return Decided(question.request_id, allowed=True, at_ms=at_ms, said=JsonObject(members))


def _asked(field: FormField, terminal: Terminal, scope: Scope) -> Said | None:
    for _ in range(TRIES):
        line = terminal.ask(field_prompt(field) + " ", scope)
        if line is None:
            return None
        said = line_untrusted(field, line)
        if not isinstance(said, Failure):
            return Said(said.unwrap())
        terminal.say(f"{visible(said.failure())}\n")
    return None


def field_prompt(field: FormField) -> str:
    """What the person reads before they answer ``field``: its choices, numbered, and how to answer.

    >>> print(field_prompt(FormField(name="colour", choices=("red", "green"))))
      1. red
      2. green
    colour (a number or the text; empty to leave it unanswered):
    """
    numbered = "".join(f"  {number}. {_line(choice)}\n" for number, choice in enumerate(field.choices, 1))
    how = (
        ("numbers or texts, with commas" if field.choices else "with commas")
        if field.several
        else "a number or the text"
        if field.choices
        else ""
    )
    empty = "empty to leave it unanswered" if field.required else "empty for none"
    return f"{numbered}{_line(field.label or field.name)} ({'; '.join(part for part in (how, empty) if part)}):"


def line_untrusted(field: FormField, line: str) -> Result[JsonValue, str]:
    """What ``line`` says to ``field``: a text, or texts where several may be said, None where it is empty; or what is wrong with it.

    A choice is its text, whatever its case, or else its number.

    >>> line_untrusted(FormField(name="colour", choices=("red", "green")), "2").unwrap()
    'green'
    >>> line_untrusted(FormField(name="colour", choices=("red", "green"), several=True), "2, Red").unwrap()
    ('green', 'red')
    """
    said = line.strip()
    if not said:
        return Success(None)
    parts = (said,) if not field.several or said in field.choices else tuple(part.strip() for part in said.split(",") if part.strip())
    chosen = tuple(_chosen(part, field.choices) for part in parts)
    return read_field_untrusted(field, chosen if field.several else "".join(chosen))


def _chosen(said: str, choices: tuple[str, ...]) -> str:
    """The choice that ``said`` names; itself where it names none."""
    alike = tuple(choice for choice in choices if choice.strip().casefold() == said.casefold())
    if said in choices or len(alike) == 1:
        return said if said in choices else alike[0]
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 0
    return choices[number - 1] if 0 < number <= len(choices) else said


def _line(text: str) -> str:
    return visible(" ".join(text.split()))
