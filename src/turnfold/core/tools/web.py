"""Addresses of the web as a model writes them, read by text alone; where a host leads is the shell's to find out."""

from __future__ import annotations

import re
from typing import final
from urllib.parse import urlsplit

from attrs import frozen

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.textlines import clipped

SCHEMES: tuple[str, ...] = ("http", "https")
PORTS: tuple[int, ...] = (80, 443)
MAX_CHARS = 8000
NOT_IN_URLS = re.compile("[\x00-\x20\x7f-\x9f\\\\\ud800-\udfff]")
PATH = "$.url"


@final
@frozen(kw_only=True)
class WebAddress:
    """The parts of a URL that say where it leads: ``host`` in small letters and without brackets."""

    scheme: str
    host: str
    port: int


def checked_url(url: str) -> WebAddress | Problem:
    """Where ``url`` leads; a Problem where it is no plain http or https address.

    >>> checked_url("https://A.example/x?y=1")
    WebAddress(scheme='https', host='a.example', port=443)
    >>> checked_url("file:///etc/passwd").message
    '"file:///etc/passwd" is no http or https address: write one such as https://example.com/page.'
    """
    shown = clipped(ascii(url)[1:-1], 200)
    if NOT_IN_URLS.search(url) or len(url) > MAX_CHARS:
        return model_problem("bad-url", f'"{shown}" holds what no address can hold, or is too long: write it with %20 and the like.', PATH)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in SCHEMES or not host:
        return model_problem("bad-url", f'"{shown}" is no http or https address: write one such as https://example.com/page.', PATH)
    if "@" in parts.netloc:
        return model_problem("bad-url", f'"{shown}" holds a user\'s name or a password before the host: write it without.', PATH)
    default = PORTS[SCHEMES.index(parts.scheme)]
    return WebAddress(scheme=parts.scheme, host=host.lower(), port=default if port is None else port)
