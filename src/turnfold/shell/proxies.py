"""Which proxy the environment names for an address, as other programs read it: ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``."""

from __future__ import annotations

from collections.abc import Mapping


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
    if excepted(host, named.get("no", "")):
        return ""
    found = named.get(scheme, named.get("all", ""))
    return found if not found or "://" in found else f"http://{found}"


def excepted(host: str, no_proxy: str) -> bool:
    """Whether ``no_proxy``, a list of names with commas between, speaks of ``host`` or of a domain above it.

    >>> excepted("a.b.example", "x, .b.example"), excepted("ab.example", "b.example"), excepted("a", "*")
    (True, False, True)
    """
    names = tuple(each.strip().lower().removeprefix("*").lstrip(".").partition(":")[0] for each in no_proxy.split(",") if each.strip())
    return no_proxy.strip() == "*" or any(host == name or host.endswith(f".{name}") for name in names if name)
