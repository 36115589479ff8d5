"""What a provider says went wrong, as a Problem: one sentence with its own words and what to do next.

Providers spell errors in few shapes: ``{"error": {"message": …}}`` (OpenAI and most), ``{"error": "…"}`` (Ollama),
``{"message": …}`` and ``{"detail": … or [{"msg": …}]}`` (vLLM, FastAPI), ``[{"error": …}]`` (Gemini), the upstream's
words under ``error.metadata.raw`` (OpenRouter), or a page of HTML from a proxy, which says less than the status does.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.problem import Blame, Problem

QUOTED_CHARS = 300  # of a provider's own words
DEEP = 4  # levels of wrapping under which its words are looked for

PHRASES: tuple[tuple[int, str], ...] = (
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (408, "Request Timeout"),
    (413, "Content Too Large"),
    (422, "Unprocessable Content"),
    (429, "Too Many Requests"),
    (500, "Internal Server Error"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (529, "Overloaded"),
)


@final
@frozen(kw_only=True)
class Advice:
    """What a status means and what to do: ``{provider}`` and ``{secret}`` are filled in."""

    code: str
    said: str
    keyless: str  # said instead, where the provider has no key
    blame: Blame = Blame.CALLER


def _same(code: str, said: str, blame: Blame = Blame.CALLER) -> Advice:
    return Advice(code=code, said=said, keyless=said, blame=blame)


UNAUTHORIZED: Advice = Advice(
    code="unauthorized",
    said="{provider} did not accept the key ({what}): check the value of {secret}.",
    keyless="{provider} wants a key ({what}): name its secret in the provider's settings.",
)
FORBIDDEN: Advice = Advice(
    code="unauthorized",
    said="{provider} does not let this key do that ({what}): check what {secret} may use.",
    keyless="{provider} does not let you do that ({what}): check its settings.",
)
TOO_LONG: Advice = _same(
    "refused", "The conversation is too long for the model ({what}): undo or shorten it, or choose a model with a longer context."
)
FAILED: Advice = _same("provider-failed", "{provider} failed ({what}): it is not your fault, try again in a while.", Blame.WORLD)
REFUSED: Advice = _same("refused", "{provider} refused the request ({what}): change what it names, or choose another model.")

BY_STATUS: tuple[tuple[int, Advice], ...] = (
    (401, UNAUTHORIZED),
    (402, _same("refused", "{provider} wants to be paid first ({what}): add credit there, or choose another provider.")),
    (403, FORBIDDEN),
    (404, _same("not-found", "{provider} has no such model or address ({what}): check the model's name and the provider's base URL.")),
    (408, FAILED),
    (413, TOO_LONG),
    (
        429,
        _same(
            "rate-limited", "{provider} takes no more requests for now ({what}): wait a little, or check your limits there.", Blame.WORLD
        ),
    ),
)

LENGTH_WORDS = ("context_length", "context length", "maximum context", "context size", "context window", "too many tokens")


def error_problem(status: int, body: bytes, provider: str, secret: str) -> Problem:
    """The Problem that a reply with an error status is; ``secret`` is the name of the key's variable, empty for none.

    >>> error_problem(401, b'{"error": {"message": "Incorrect API key provided."}}', "openai", "OPENAI_API_KEY").message
    'openai did not accept the key (401: Incorrect API key provided): check the value of OPENAI_API_KEY.'
    >>> error_problem(500, b"<html>oops</html>", "ollama", "").message
    'ollama failed (500 Internal Server Error): it is not your fault, try again in a while.'
    """
    words = error_words_untrusted(body)
    what = f"{status}: {words}" if words else f"{status} {phrase(status)}".strip()
    advice = _advice(status, words)
    text = advice.said if secret else advice.keyless
    filled = text.replace("{provider}", provider).replace("{secret}", secret).replace("{what}", what)
    return Problem(code=advice.code, message=filled, blame=advice.blame)


def phrase(status: int) -> str:
    """The status in words; empty for a rare one.

    >>> phrase(404)
    'Not Found'
    """
    return next((words for code, words in PHRASES if code == status), "")


def _advice(status: int, words: str) -> Advice:
    if status in (400, 422) and any(sign in words.lower() for sign in LENGTH_WORDS):
        return TOO_LONG
    for code, advice in BY_STATUS:
        if code == status:
            return advice
    return FAILED if status >= 500 else REFUSED


def error_words_untrusted(body: bytes) -> str:
    """The provider's own words in an error's body, on one line, without the full stop; empty where it is a page or nothing.

    >>> error_words_untrusted(b'{"error": "model not found, try pulling it first"}')
    'model not found, try pulling it first'
    """
    value = loads_untrusted(body).value_or(None)
    if value is not None:
        return error_words(value)
    text = body[: QUOTED_CHARS * 4].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else _one_line(text)


def error_words(value: JsonValue) -> str:
    """The provider's own words in an error that is JSON."""
    return _one_line(_words(value, 0))


def _words(value: JsonValue, depth: int) -> str:
    if depth > DEEP:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return next((words for item in value if (words := _words(item, depth + 1))), "")
    if not isinstance(value, JsonObject):
        return ""
    own = next((words for key in ("error", "message", "detail", "msg") if (words := _words(value.get(key), depth + 1))), "")
    metadata = value.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, JsonObject) else None
    if not isinstance(raw, str) or not raw:
        return own
    return f"{own}: {error_words_untrusted(raw.encode()) or raw}" if depth <= 1 else own


def _one_line(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= QUOTED_CHARS else line[:QUOTED_CHARS] + "…"
