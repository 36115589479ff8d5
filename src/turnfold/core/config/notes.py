"""What a setting means, said once: beside its type and default, where the value is defined.

The reader of files, the JSON Schema, the help of ``turnfold config`` and the document are all made from these notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import final

from attrs import Attribute, frozen

NOTE = "turnfold"


class Form(Enum):
    """What a text has to look like, beyond being text."""

    ANY = "any"
    SOME = "some"  # not empty
    URL = "url"
    MODEL = "model"  # provider/name, or an alias
    KIND = "kind"  # a kind of request that rules know
    NAME = "name"  # of a table's entry: what a key can be without quotes, and dots
    TOOL = "tool"  # names of tools, or +name and -name
    PATH = "path"  # a project's file may name one outside of its workspace only in a folder that the person trusts
    PATTERN = "pattern"  # a regular expression
    PARAMETERS = "parameters"  # an object of a model call's parameters, those apart that turnfold says itself
    PAIRS = "pairs"  # an object of texts, such as headers; in place of a text {secret = "NAME"}


@final
@frozen(kw_only=True)
class Note:
    """``about`` in one clause; bounds of a number (``over``: itself not); a text's ``form``; the noun of a named table's entries.

    ``granted``: a project's file may say it only in a folder that the person trusts. ``awaits``: what will use the setting;
    until then it is read, merged and explained, and nothing more.
    """

    about: str
    least: float | None = None
    most: float | None = None
    over: float | None = None
    form: Form = Form.ANY
    granted: bool = False
    awaits: str = ""


def note(
    about: str,
    *,
    least: float | None = None,
    most: float | None = None,
    over: float | None = None,
    form: Form = Form.ANY,
    granted: bool = False,
    awaits: str = "",
) -> Mapping[str, Note]:
    """The metadata of an attrs field that is a setting."""
    return {NOTE: Note(about=about, least=least, most=most, over=over, form=form, granted=granted, awaits=awaits)}


def note_of(field: Attribute[object]) -> Note | None:
    """The note of an attrs field; None for one that no file can set."""
    found = field.metadata.get(NOTE)
    return found if isinstance(found, Note) else None
