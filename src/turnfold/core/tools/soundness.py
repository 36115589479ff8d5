"""Whether a value that outside code made is all that its type says: nothing has checked the code of a tool.

Judged by the annotations of the fields, as they are written; a field of another kind than those here never fits, which a test over
all requests would show.
"""

from __future__ import annotations

import math

from turnfold.core.config.values import Variable
from turnfold.core.json import JsonObject, freeze, scalar_text
from turnfold.core.world.confinement import Confinement
from turnfold.core.world.images import Image
from turnfold.core.world.requests import AskHuman, Browsing, ChangeFiles, DeleteFile, FormField, WorldRequest, WriteFile

Parts = Variable | Confinement | Image | FormField | DeleteFile | WorldRequest


def sound_request(value: object) -> bool:
    """Whether ``value`` is a request to the world with fields of the right kinds, so that it can be judged, kept and shown.

    >>> from turnfold.core.world.requests import ListFiles
    >>> sound_request(ListFiles(path="/w", limit=1)), sound_request(ListFiles(path="/w", limit="1")), sound_request("ls")
    (True, False, False)
    """
    return isinstance(value, WorldRequest) and _whole(value) and _says_something(value)


def sound_images(value: object) -> bool:
    """Whether ``value`` is a tuple of images.

    >>> sound_images((Image("image/png", ""),)), sound_images(())
    (True, True)
    """
    return isinstance(value, tuple) and all(isinstance(each, Image) and _whole(each) for each in value)


def _says_something(request: WorldRequest) -> bool:
    """Whether there is something to do, and to be shown: no change, or no field, is no request."""
    if isinstance(request, ChangeFiles):
        paths = tuple(each.path for each in request.changes)
        return bool(paths) and len(frozenset(paths)) == len(paths)
    return not isinstance(request, AskHuman) or bool(request.fields)


def _whole(value: Parts) -> bool:
    return all(_fits(kind, getattr(value, name)) for name, kind in type(value).__annotations__.items())


def _fits(kind: str, value: object) -> bool:
    if kind.endswith(" | None"):
        return value is None or _fits(kind.removesuffix(" | None"), value)
    if kind.startswith("tuple["):
        item = kind.removeprefix("tuple[").removesuffix(", ...]")
        return isinstance(value, tuple) and all(_fits(item, each) for each in value)
    match kind:
        case "str":
            return isinstance(value, str) and scalar_text(value) == value
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        case _:
            return _fits_part(kind, value)


def _fits_part(kind: str, value: object) -> bool:
    match kind:
        case "Environment":
            return isinstance(value, tuple) and all(isinstance(each, Variable) and _whole(each) for each in value)
        case "JsonObject":
            return isinstance(value, JsonObject) and _json(value)
        case "Browsing":
            return isinstance(value, Browsing)
        case "WriteFile | DeleteFile":
            return isinstance(value, (WriteFile, DeleteFile)) and _whole(value)
        case "Confinement":
            return isinstance(value, Confinement) and _whole(value)
        case _:
            return kind == "FormField" and isinstance(value, FormField) and _whole(value)


def _json(value: JsonObject) -> bool:
    try:
        return freeze(value) == value
    except ValueError:
        return False
