"""What a function gave back, or raised, as an answer that can be kept and shown to a model."""

from __future__ import annotations

from turnfold.core.json import dumps, freeze, scalar_text
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.soundness import sound_images
from turnfold.core.world.answers import Returned
from turnfold.core.world.images import MEDIA_TYPES, Image
from turnfold.shell.functions.encoding import UnfitError, encoded

SAID_CHARS = 2000  # of an exception's own text


def returned(name: str, result: object, limit_bytes: int) -> Returned | Problem:
    """The ``result`` of the function ``name``: text as it is, images as images, anything else as JSON; at most ``limit_bytes`` of text.

    A list or tuple may hold images beside what is told. A ``Returned`` is taken as it is, for one that says ``ok=False``.

    >>> returned("f", {"found": [1, 2]}, 100)
    Returned(text='{"found":[1,2]}', ok=True, images=())
    >>> returned("f", object(), 100).message
    'f returned what no model can be told (object has no form in JSON: make it text, numbers, lists or dicts): this is a fault of the tool.'
    """
    if isinstance(result, Returned):
        return _sound(name, result, limit_bytes)
    parts = result if isinstance(result, (list, tuple)) and any(isinstance(each, Image) for each in result) else (result,)
    images = tuple(each for each in parts if isinstance(each, Image))
    try:
        texts = tuple(_text(each) for each in parts if not isinstance(each, Image))
    except (UnfitError, ValueError) as error:
        return _fault(name, f"returned what no model can be told ({error})")
    return _sound(name, Returned(text="\n".join(texts), images=images), limit_bytes)


def _sound(name: str, result: Returned, limit_bytes: int) -> Returned | Problem:
    if not sound_images(result.images) or any(each.media_type not in MEDIA_TYPES for each in result.images):
        return _fault(name, f"returned an image that is none of {', '.join(MEDIA_TYPES)}, as base64 text")
    if not (_is(result.text, str) and _is(result.ok, bool)):
        return _fault(name, "returned a Returned without a text")
    return Returned(text=limit_text(result.text, limit_bytes), ok=result.ok, images=result.images)


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)  # nothing has checked the code that made it


def _text(result: object) -> str:
    if result is None:
        return ""
    return scalar_text(result) if isinstance(result, str) else dumps(freeze(encoded(result)))


def raised(name: str, error: BaseException) -> Problem:
    """The Problem of a function that raised: the error's type and text, for the model to read.

    >>> raised("f", ValueError("no such city")).message
    'f raised ValueError: no such city'
    """
    try:
        said = scalar_text(str(error))
    except Exception:  # noqa: BLE001 - an exception's own text is the tool's code, too
        said = ""
    text = said if len(said) <= SAID_CHARS else said[:SAID_CHARS] + "…"
    kind = type(error).__name__
    return Problem(code="function-failed", message=f"{name} raised {kind}: {text}" if text else f"{name} raised {kind}.", blame=Blame.TOOL)


def _fault(name: str, what: str) -> Problem:
    return Problem(code="function-failed", message=f"{name} {what}: this is a fault of the tool.", blame=Blame.TOOL)
