"""The tool ``ask``: a question to the person, answered by free text, a choice, or a form of several fields.

The question waits, for a year if need be, and is never answered by anybody else: whoever leaves it unanswered closes the call
(``rounds``), and the model is told to go on without.
"""

from __future__ import annotations

from returns.result import Failure, Result, Success

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter, texts_argument, texts_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import HumanSaid
from turnfold.core.world.requests import AskHuman, FormField

ANSWER = "answer"  # the field of a question that has no fields of its own
MOST_FIELDS = 20
MOST_CHOICES = 50


def _ask(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Ask, and tell what was said."""
    fields = fields_untrusted(arguments)
    if isinstance(fields, Failure):
        return Refuse(fields.failure())
    form = fields.unwrap()
    said = yield from asked(AskHuman(question=text_argument(arguments, "question"), fields=form), HumanSaid)
    if isinstance(said, Problem):
        return Refuse(said)
    return Done(limit_text(told(said.values), cfg.limits.output_bytes))


def fields_untrusted(arguments: JsonObject) -> Result[tuple[FormField, ...], Problem]:
    """The fields that a call asks for: those that it names, else one, with its choices where it gives some.

    >>> fields_untrusted(JsonObject.of(question="Which?", choices=("a", "b"))).unwrap()
    (FormField(name='answer', label='', choices=('a', 'b'), several=False, required=True),)
    """
    named = arguments.get("fields")
    forms = tuple(each for each in named if isinstance(each, JsonObject)) if isinstance(named, tuple) else ()
    if forms and arguments.get("choices"):
        return Failure(model_problem("bad-question", "Give choices to the fields, or to the question where it has no fields.", "$.choices"))
    fields = tuple(_field(each) for each in forms) or (
        FormField(name=ANSWER, choices=_choices(arguments), several=arguments.get("several") is True),
    )
    if len(frozenset(each.name for each in fields)) < len(fields):
        return Failure(model_problem("bad-question", "Each field needs a name of its own.", "$.fields"))
    if any(each.choices and not all(choice.strip() for choice in each.choices) for each in fields):
        return Failure(model_problem("bad-question", "A choice can't be empty: leave it away, and say required = false.", "$.fields"))
    return Success(fields)


def _field(said: JsonObject) -> FormField:
    return FormField(
        name=text_argument(said, "name"),
        label=text_argument(said, "label"),
        choices=_choices(said),
        several=said.get("several") is True,
        required=said.get("required") is not False,
    )


def _choices(said: JsonObject) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts_argument(said, "choices")))


def told(values: JsonObject) -> str:
    r"""What the model reads of an answer: the text alone, or a line a field.

    >>> told(JsonObject.of(answer="green")), told(JsonObject.of(name="Ada", colours=("red", "green")))
    ('green', 'name: Ada\ncolours: red, green')
    """
    if tuple(values) == (ANSWER,):
        return _text(values[ANSWER])
    return "\n".join(f"{name}: {_text(value)}" for name, value in values.items()) or "(everything was left blank)"


def _text(value: JsonValue) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


FIELD = JsonObject.of(
    type="object",
    properties=JsonObject.of(
        name=text_parameter("What it is called in the answer.", least=1),
        label=text_parameter("What the user reads; the name where it is missing."),
        choices=texts_parameter("What can be chosen; free text where there is none.", MOST_CHOICES),
        several=JsonObject.of(type="boolean", description="Whether several may be said."),
        required=JsonObject.of(type="boolean", description="Whether it must be said; true by default."),
    ),
    required=("name",),
    additionalProperties=False,
)

ASK: ToolSpec = ToolSpec(
    name="ask",
    description=(
        "Ask the user something that only they can know or decide, and wait for the answer. Give choices where there are some, or several "
        "fields for a form. Don't ask what you can find out."
    ),
    parameters=parameters(
        ("question",),
        question=text_parameter("The question.", least=1),
        choices=texts_parameter("What can be chosen; free text where there is none.", MOST_CHOICES),
        several=JsonObject.of(type="boolean", description="Whether several choices may be taken."),
        fields=JsonObject.of(type="array", description="The fields of a form.", items=FIELD, maxItems=MOST_FIELDS),
    ),
    advance=from_generator(_ask),
    body="question",
    examples=(
        Example("Write a poem for my friend.", JsonObject.of(question="What is your friend's name?")),
        Example("Set up the database.", JsonObject.of(question="Which database shall it be?", choices=("SQLite", "PostgreSQL"))),
    ),
)
