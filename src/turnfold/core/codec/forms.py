"""What a text of a config file has to look like, by the form that its note names."""

from __future__ import annotations

import re
from typing import assert_never

from returns.result import Failure, Success

from turnfold.core.codec.toml_values import Faults, Node, Read, gathered, no_choice
from turnfold.core.config.notes import Form
from turnfold.core.config.selection import signed
from turnfold.core.config.values import KINDS, SecretRef
from turnfold.core.json import JsonObject

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ENTRY = re.compile(r"[A-Za-z0-9_.-]{1,100}")
URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?", re.ASCII)
HEADER_NAME = re.compile(r"[!-9;-~]+")
HEADER_TEXT = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def text(node: Node, form: Form) -> Read[str]:
    """A text of this form."""
    if not isinstance(node.value, str):
        return node.unfit("text in quotes")
    value = node.value
    match form:
        case Form.ANY | Form.PAIRS | Form.PARAMETERS:
            return Success(value)
        case Form.KIND:
            return Success(value) if value in KINDS else no_choice(node, KINDS)
        case Form.PATTERN:
            return _pattern(node, value)
        case Form.SOME | Form.MODEL | Form.PATH | Form.TOOL | Form.URL | Form.NAME:
            return _shaped(node, value, form)
        case _:
            assert_never(form)


def _shaped(node: Node, value: str, form: Form) -> Read[str]:
    """A text that is not empty, of this form."""
    if not value:
        return node.refused(f"{node.name} is empty: write a value, or leave the line out.")
    if form is Form.URL:
        if URL.fullmatch(value) is None:
            return node.refused(f"{node.name} is an address such as http://127.0.0.1:8080/v1, without a user, a query or spaces.")
        return Success(value.rstrip("/"))
    if form is Form.NAME and ENTRY.fullmatch(value) is None:
        return node.refused(f"{value[:60]!r} can't be a name here: names are made of letters, digits, _, - and dots.")
    return Success(value)


def _pattern(node: Node, value: str) -> Read[str]:
    """A regular expression."""
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        return node.refused(f"{node.name} is no regular expression: {error}.")
    return Success(value)


def texts(node: Node, form: Form) -> Read[tuple[str, ...]]:
    """A list of texts of this form; all faults at once."""
    if not isinstance(node.value, tuple):
        return node.unfit("a list in brackets")
    read = gathered(tuple(text(item, form) for item in node.items))
    return read.bind(lambda names: _unmixed(node, names)) if form is Form.TOOL else read


def _unmixed(node: Node, names: tuple[str, ...]) -> Read[tuple[str, ...]]:
    """Names of tools, or changes of a list of them, never both."""
    for name in names:
        if name in ("+", "-"):
            return node.refused(f'{node.name} has "{name}" without a name: write "{name}NAME".')
    if any(signed((name,)) for name in names) and not signed(names):
        return node.refused(f"{node.name} either names all tools, or changes the list below with +NAME and -NAME; here are both.")
    return Success(names)


def secret(node: Node) -> Read[SecretRef]:
    """The name of a variable that holds a secret. A key itself is refused, and not said back."""
    if not isinstance(node.value, str):
        return node.unfit("text in quotes")
    if VARIABLE.fullmatch(node.value) is None:
        return node.refused(f"{node.name} is the name of an environment variable, such as OPENAI_API_KEY, never the key itself.")
    return Success(SecretRef(node.value))


def pairs(node: Node) -> Read[JsonObject]:
    """Texts by name, such as headers; a value that is secret is ``{secret = "NAME"}``."""
    if not isinstance(node.value, JsonObject):
        return node.unfit("a table")
    return gathered(tuple(_pair(name, each) for name, each in node.members)).map(JsonObject)


def _pair(name: str, node: Node) -> Read[tuple[str, str | JsonObject]]:
    if HEADER_NAME.fullmatch(name) is None:
        return node.refused(f"{name[:60]!r} can't be a name here: it has no spaces, no colon and only ASCII letters.")
    if isinstance(node.value, JsonObject) and tuple(node.value) == ("secret",):
        return secret(node.child("secret", node.value["secret"])).map(lambda found: (name, JsonObject.of(secret=found.name)))
    if not isinstance(node.value, str):
        return node.unfit('text in quotes, or {secret = "NAME"}')
    if HEADER_TEXT.fullmatch(node.value) is None:
        return node.refused(f"{node.name} has a line break or another control character, which can't be sent.")
    return Success((name, node.value))


def entry_name(node: Node, name: str, by: str) -> Failure[Faults] | None:
    """What is wrong with the name of an entry of a named table: ``by`` is the field that holds it."""
    if by == "pattern":
        good = bool(name) and len(name) <= 200 and name.isprintable()
        return None if good else node.refused(f"{name[:60]!r} is no pattern of a model: write provider/name, where * stands for any text.")
    read = text(Node(name, node.path, node.source), Form.NAME)
    return read if isinstance(read, Failure) else None
