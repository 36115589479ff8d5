"""What a provider says went wrong, as a Problem: one sentence with its own words and what to do next.

Providers spell errors in few shapes: ``{"error": {"message": …}}`` (OpenAI and most), ``{"error": "…"}`` (Ollama),
``{"message": …}`` and ``{"detail": … or [{"msg": …}]}`` (vLLM, FastAPI), ``[{"error": …}]`` (Gemini), the upstream's
words under ``error.metadata.raw`` (OpenRouter), or a page of HTML from a proxy, which says less than the status does.

The Problem's code says what kind of failure it is, for whoever decides whether to ask again (``core/agent/failing.py``). It follows from
the status; and where that says too little (a conversation that is too long is 400, 413, 422 or 500; an empty account 402 or 429), or
where there is none (an error in the midst of a stream), from the names that the provider gives it under ``code``, ``type`` and ``status``.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.retry_after import retry_after_untrusted
from turnfold.core.problem import Blame, Problem, world_problem

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
NAMING = ("code", "type", "status")  # the keys under which an error says what kind it is


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
    "too-long", "The conversation is too long for the model ({what}): undo or shorten it, or choose a model with a longer context."
)
FAILED: Advice = _same("provider-failed", "{provider} failed ({what}): it is not your fault, try again in a while.", Blame.WORLD)
OVERLOADED: Advice = _same("overloaded", "{provider} is overloaded ({what}): it is not your fault, try again in a while.", Blame.WORLD)
LIMITED: Advice = _same(
    "rate-limited", "{provider} takes no more requests for now ({what}): wait a little, or check your limits there.", Blame.WORLD
)
UNPAID: Advice = _same("no-credit", "{provider} wants to be paid first ({what}): add credit there, or choose another provider.")
MISSING: Advice = _same(
    "not-found", "{provider} has no such model or address ({what}): check the model's name and the provider's base URL."
)
REFUSED: Advice = _same("refused", "{provider} refused the request ({what}): change what it names, or choose another model.")

BY_STATUS: tuple[tuple[int, Advice], ...] = (
    (401, UNAUTHORIZED),
    (402, UNPAID),
    (403, FORBIDDEN),
    (404, MISSING),
    (408, FAILED),
    (413, TOO_LONG),
    (429, LIMITED),
    (503, OVERLOADED),
    (529, OVERLOADED),
)
BY_NAME: tuple[tuple[str, Advice], ...] = (
    ("context_length_exceeded", TOO_LONG),
    ("request_too_large", TOO_LONG),
    ("insufficient_quota", UNPAID),
    ("billing_error", UNPAID),
    ("rate_limit", LIMITED),
    ("resource_exhausted", LIMITED),
    ("overloaded", OVERLOADED),
    ("unavailable", OVERLOADED),
    ("authentication_error", UNAUTHORIZED),
    ("invalid_api_key", UNAUTHORIZED),
    ("permission", FORBIDDEN),
    ("not_found", MISSING),
    ("invalid_", REFUSED),
    ("failed_precondition", REFUSED),
)  # what a provider's name for an error holds, lower case; the first that fits counts

LENGTH_WORDS = (
    "context_length", "context length", "maximum context", "context size", "context window", "too many tokens",
    "prompt is too long", "input is too long", "exceed context limit", "exceeds the maximum number of tokens", "maximum prompt length",
)  # fmt: skip


def error_problem(status: int, body: bytes, provider: str, secret: str, headers: tuple[tuple[str, str], ...] = ()) -> Problem:
    """The Problem that a reply with an error status is; ``secret`` is the name of the key's variable, empty for none.

    It says when the provider wants to be asked again, where the reply does.

    >>> error_problem(401, b'{"error": {"message": "Incorrect API key provided."}}', "openai", "OPENAI_API_KEY").message
    'openai did not accept the key (401: Incorrect API key provided): check the value of OPENAI_API_KEY.'
    >>> error_problem(500, b"<html>oops</html>", "ollama", "").message
    'ollama failed (500 Internal Server Error): it is not your fault, try again in a while.'
    """
    value = loads_untrusted(body).value_or(None)
    words = error_words_untrusted(body)
    what = f"{status}: {words}" if words else f"{status} {phrase(status)}".strip()
    advice = _advice(status, words, _names(value, 0))
    text = advice.said if secret else advice.keyless
    filled = text.replace("{provider}", provider).replace("{secret}", secret).replace("{what}", what)
    return Problem(code=advice.code, message=filled, blame=advice.blame, retry_after_s=retry_after_untrusted(headers, body))


def broken_off(error: JsonValue) -> Problem:
    """The Problem that an error in the midst of a stream is; one that does not say its kind is the provider's own.

    >>> broken_off(JsonObject.of(type="overloaded_error", message="Overloaded")).code
    'overloaded'
    """
    words = error_words(error)
    found = _named(_names(error, 0), words)
    if found is None or found is FAILED:
        why = words or "it does not say why"
        return world_problem("provider-failed", f"The provider broke off the reply ({why}): try again, or choose another model.")
    what = words or "it does not say why"
    filled = found.keyless.replace("{provider}", "The provider").replace("{what}", what)
    return Problem(code=found.code, message=filled, blame=found.blame)


def phrase(status: int) -> str:
    """The status in words; empty for a rare one.

    >>> phrase(404)
    'Not Found'
    """
    return next((words for code, words in PHRASES if code == status), "")


def _advice(status: int, words: str, names: tuple[str, ...]) -> Advice:
    if status in (400, 422, 500) and _tells_length(words):
        return TOO_LONG
    if status == 429 and any("insufficient_quota" in name for name in names):
        return UNPAID  # OpenAI: an empty account is told as a limit of requests
    for code, advice in BY_STATUS:
        if code == status:
            return advice
    return FAILED if status >= 500 else REFUSED


def _tells_length(words: str) -> bool:
    lowered = words.lower()
    return any(sign in lowered for sign in LENGTH_WORDS)


def _named(names: tuple[str, ...], words: str) -> Advice | None:
    """What an error's own names, a status among them, say it is; None where they say nothing."""
    if _tells_length(words):
        return TOO_LONG
    for sign, advice in BY_NAME:
        if any(sign in name for name in names):
            return advice
    status = next((int(name) for name in names if len(name) == 3 and name.isascii() and name.isdigit()), 0)
    return _advice(status, words, names) if status >= 400 else None


def _names(value: JsonValue, depth: int) -> tuple[str, ...]:
    """What an error calls itself, lower case, the innermost first."""
    if isinstance(value, tuple):
        return _names(value[0], depth + 1) if value and depth <= DEEP else ()
    if not isinstance(value, JsonObject) or depth > DEEP:
        return ()
    own = (value.get(key) for key in NAMING)
    told = tuple(str(each).lower()[:QUOTED_CHARS] for each in own if isinstance(each, str | int) and not isinstance(each, bool))
    return (*_names(value.get("error"), depth + 1), *told)


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
