"""Where to connect to for a host of the web: one of its addresses, or the proxy that the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from attrs import field, frozen

from turnfold.core.problem import Problem
from turnfold.shell.addresses import Resolve, allowed, checked_addresses, looks_inner, name_problem, refused
from turnfold.shell.proxies import proxy_for


@final
@frozen
class Way:
    """Addresses, to be tried in turn; or one empty one and the proxy that finds it."""

    addresses: tuple[str, ...]
    proxy: str = field(default="", repr=False)  # it may hold a password


def find_way(
    scheme: str, host: str, port: int, private_hosts: tuple[str, ...], resolve: Resolve, variables: Mapping[str, str]
) -> Way | Problem:
    """The way to ``host``, judged; a Problem where it leads into a private network that ``private_hosts`` does not speak of.

    A proxy looks the name up itself: then a name that this machine can't find may go to it, but none that looks like an inner one.
    """
    proxy = proxy_for(scheme, host, variables)
    addresses = checked_addresses(host, port, private_hosts, resolve)
    if not proxy:
        return addresses if isinstance(addresses, Problem) else Way(addresses)
    if isinstance(addresses, Problem) and addresses.code != "no-host":
        return addresses
    if looks_inner(host) and not allowed(host, private_hosts):
        return refused(host, host)
    return name_problem(host) or Way(("",), proxy)
