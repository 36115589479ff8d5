"""Which proxy the environment names for an address, as other programs read it: ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.request import proxy_bypass_environment


def proxy_for(scheme: str, host: str, variables: Mapping[str, str]) -> str:
    """The URL of the proxy for ``host``; empty where it is reached without one.

    >>> proxy_for("https", "a.example", {"https_proxy": "http://p:8080", "NO_PROXY": "b.example"})
    'http://p:8080'
    """
    named = {name.lower().removesuffix("_proxy"): value for name, value in variables.items() if name.lower().endswith("_proxy") and value}
    if "REQUEST_METHOD" in variables:  # a CGI script: a header of the request, Proxy, becomes HTTP_PROXY
        named.pop("http", None)
    if host == "localhost" or host.startswith("127.") or host in {"::1", "[::1]"}:
        return ""
    if "no" in named and proxy_bypass_environment(host, named):
        return ""
    found = named.get(scheme, named.get("all", ""))
    return found if not found or "://" in found else f"http://{found}"
