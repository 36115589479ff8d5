"""Where a model call is sent, and how its key is shown, in each wire format: facts, as a table."""

from __future__ import annotations

from typing import final
from urllib.parse import quote

from attrs import field, frozen

from turnfold.core.config.values import Provider, Wire


@final
@frozen(kw_only=True)
class Endpoint:
    """``path`` comes behind the provider's base URL, ``{model}`` being the model's name; the key's header is ``key_header``.

    ``headers`` are sent with every call, unless the settings name others.
    """

    path: str
    key_header: str = "authorization"
    key_prefix: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())


BEARER = "Bearer "

ENDPOINTS: tuple[tuple[Wire, Endpoint], ...] = (
    (Wire.CHAT, Endpoint(path="/chat/completions", key_prefix=BEARER)),
    (Wire.RESPONSES, Endpoint(path="/responses", key_prefix=BEARER)),
    (Wire.MESSAGES, Endpoint(path="/messages", key_header="x-api-key", headers=(("anthropic-version", "2023-06-01"),))),
    (Wire.GEMINI, Endpoint(path="/models/{model}:streamGenerateContent?alt=sse", key_header="x-goog-api-key")),
)


def endpoint(wire: Wire) -> Endpoint:
    """The endpoint of ``wire``.

    >>> endpoint(Wire.MESSAGES).key_header
    'x-api-key'
    """
    return next(each for name, each in ENDPOINTS if name is wire)


def address_of(provider: Provider, model: str) -> str:
    """Where a call of ``model`` is posted.

    >>> address_of(Provider(name="gemini", base_url="https://g.example/v1beta/", wire=Wire.GEMINI), "gemini-3 flash")
    'https://g.example/v1beta/models/gemini-3%20flash:streamGenerateContent?alt=sse'
    """
    return provider.base_url.rstrip("/") + endpoint(provider.wire).path.replace("{model}", quote(model, safe="/"))
