"""What a person says to a question of a tool, checked against the question's fields: an answer that does not fit closes nothing."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from turnfold.core.json import JsonObject, JsonValue, scalar_text
from turnfold.core.problem import Problem, caller_problem, near_misses
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import HumanSaid
from turnfold.core.world.requests import AskHuman, FormField

SHOWN_CHARS = 60
MAX_FAULTS = 10


def said_untrusted(request: AskHuman, said: JsonObject) -> Result[HumanSaid, Problem]:
    """What was ``said`` to ``request``, in the order of its fields; one Problem with every fault where it does not fit.

    A field takes text, one in which ``several`` may be said a tuple of texts, or a text alone; a blank text is as good as none. What
    was left blank and is not required is left out.

    >>> colour = FormField(name="colour", choices=("red", "green"))
    >>> said_untrusted(AskHuman(question="Which?", fields=(colour,)), JsonObject.of(colour="red")).unwrap()
    HumanSaid(values=JsonObject.of(colour='red'))
    >>> said_untrusted(AskHuman(question="Which?", fields=(colour,)), JsonObject.of(colour="blue")).failure().message
    "The question is still open: colour takes one of 'red', 'green', not 'blue'."
    """
    read = tuple((field.name, read_field_untrusted(field, said.get(field.name))) for field in request.fields)
    names = tuple(name for name, _ in read)
    unknown = tuple(_unknown(name, names) for name in said if name not in names)
    faults = (*(value.failure() for _, value in read if isinstance(value, Failure)), *unknown)[:MAX_FAULTS]
    if faults:
        return Failure(caller_problem("bad-answer", f"The question is still open: {'; '.join(faults)}."))
    members = {name: value.unwrap() for name, value in read}
    return Success(HumanSaid(JsonObject(tuple((name, value) for name, value in members.items() if value is not None))))


def read_field_untrusted(field: FormField, value: JsonValue) -> Result[JsonValue, str]:
    """The value of one field, None where it is left blank and may be; or, in a few words, what is wrong with it.

    >>> read_field_untrusted(FormField(name="why", several=True), ("a", " ", "a")).unwrap()
    ('a',)
    >>> read_field_untrusted(FormField(name="why"), "").failure()
    'why is missing'
    """
    said = value if isinstance(value, tuple) else () if value is None else (value,)
    texts = tuple(scalar_text(each) for each in said if isinstance(each, str))
    if len(texts) < len(said) or (isinstance(value, tuple) and not field.several):
        return Failure(f"{field.name} takes {'texts' if field.several else 'one text'}")
    kept = tuple(dict.fromkeys(text for text in texts if text.strip()))
    wrong = tuple(text for text in kept if field.choices and text not in field.choices)
    if wrong:
        return Failure(f"{field.name} takes {'some' if field.several else 'one'} of {_listed(field.choices)}, not {_shown(wrong[0])}")
    if kept:
        return Success(kept if field.several else kept[0])
    return Failure(f"{field.name} is missing") if field.required else Success(None)


def _unknown(name: str, names: tuple[str, ...]) -> str:
    near = near_misses(name, names)
    return f"there is no field {_shown(name)}{f' (perhaps {near[0]}?)' if near else ''}"


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(map(_shown, choices))


def _shown(text: str) -> str:
    return repr(clipped(text, SHOWN_CHARS))
