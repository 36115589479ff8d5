"""The HTTP headers of a provider's requests: what every request says, the key, and what the settings add.

A header's value is text, or ``{secret = "NAME"}``; the value of a secret is found here, and nowhere kept.
"""

from __future__ import annotations

import re
from typing import final

from attrs import field, frozen

from turnfold.core.config.values import Provider
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.endpoint import endpoint
from turnfold.core.problem import Problem, caller_problem
from turnfold.shell.masking import Secret
from turnfold.shell.ports import Secrets

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: what a header's name is made of
OWN = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")  # the connection's own
PLAIN = (("content-type", "application/json"), ("accept", "text/event-stream"), ("user-agent", "turnfold"))


@final
@frozen
class Sealed:
    """Headers that are ready to be sent, and the values of secrets among them, which nothing else may tell."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)
    secrets: tuple[Secret, ...] = field(repr=False)


def sealed_headers(provider: Provider, secrets: Secrets) -> Sealed | Problem:
    """All headers of a request to ``provider``, names in lower case; one that the settings name comes in place of ours."""
    key = _key(provider, secrets)
    if isinstance(key, Problem):
        return key
    place = endpoint(provider.wire)
    headers = dict((*PLAIN, *place.headers))
    if key:
        headers[place.key_header] = place.key_prefix + key
    hidden = [Secret(provider.secret.name, key)] if key and provider.secret else []
    for name, said in provider.headers.members:
        value = _value(provider, name, said, secrets)
        if isinstance(value, Problem):
            return value
        headers[name.lower()] = value
        if isinstance(said, JsonObject):
            hidden.append(Secret(str(said.get("secret")), value))
    return Sealed(tuple(headers.items()), tuple(hidden))


def _key(provider: Provider, secrets: Secrets) -> str | Problem:
    """The value of the provider's key; empty where it needs none."""
    if provider.secret is None:
        return ""
    name = provider.secret.name
    value = (secrets.value(name) or "").strip()
    if not value:
        return caller_problem("no-key", f"{provider.name} needs a key: set {name} to it, or choose another model.")
    if not value.isascii() or not value.isprintable() or " " in value:
        return caller_problem("no-key", f"{name} holds a character that no key has: set it to the key alone.")
    return value


def _value(provider: Provider, name: str, said: JsonValue, secrets: Secrets) -> str | Problem:
    where = f"$.providers.{provider.name}.headers"
    if TOKEN.fullmatch(name) is None or name.lower() in OWN:
        return caller_problem("bad-header", f"{provider.name} can't be sent a header {name[:60]!r}: take it out of the settings.", where)
    if isinstance(said, str):
        value, source = said, f"The header {name} of {provider.name}"
    else:
        secret = said.get("secret") if isinstance(said, JsonObject) and len(said) == 1 else None
        if not isinstance(secret, str):
            message = f'The header {name} of {provider.name} is neither text nor {{secret = "NAME"}}: write one of them.'
            return caller_problem("bad-header", message, where)
        value, source = (secrets.value(secret) or "").strip(), secret
        if not value:
            return caller_problem("no-key", f"{provider.name} needs {secret} for its header {name}: set it, or choose another model.")
    if not value.isascii() or not value.isprintable():
        return caller_problem(
            "bad-header", f"{source} holds a character that no header can have, such as the end of a line: mend it.", where
        )
    return value
