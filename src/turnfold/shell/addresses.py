"""Which addresses may be reached for a page, and which are the person's own network.

A model that has read a hostile page may be told to fetch what only this machine can see: a router's page, a database, the keys that a
cloud hands out at 169.254.169.254. A name says nothing of where it leads, and may lead elsewhere a moment later. So a name is looked up
once, every address that it has is judged, and the connection is made to one of just these.

``private_hosts`` are the globs of those that may be reached all the same. One of digits, dots, colons and ``*`` speaks of hosts that are
written as addresses, any other of names (``*`` alone: of both): ``10.*`` must not allow ``10.evil.example``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TypeAlias

from turnfold.core.problem import Problem, model_problem, world_problem

Resolve: TypeAlias = Callable[[str, int], tuple[str, ...]]
IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)  # what inet_aton takes for a part of an address
OF_ADDRESSES = re.compile(r"(?=.*[0-9])[0-9.*?]+\Z|[0-9a-f.*?]*:[0-9a-f:.*?]*\Z")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
TRANSITION = tuple(ipaddress.ip_network(each) for each in ("2002::/16", "2001::/32", "::/96", "64:ff9b:1::/48", "fec0::/10"))
PLATFORM = ipaddress.ip_address("168.63.129.16")  # Azure's own services answer here, to every machine in it
INNER = (".localhost", ".local", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa", ".private")
MOST_ADDRESSES = 8


def system_resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of ``host`` as this machine finds them; ``OSError`` where it finds none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def literal(host: str) -> IPAddress | None:
    """``host`` as the address that it is written as; None for a name.

    >>> literal("127.0.0.1"), literal("[::1]"), literal("example.com")
    (IPv4Address('127.0.0.1'), IPv6Address('::1'), None)
    """
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def is_public(address: str) -> bool:
    """Whether ``address`` is one that all of the internet may reach: not private, loopback, link-local, multicast, reserved or a tunnel's.

    >>> is_public("93.184.216.34"), is_public("::ffff:127.0.0.1"), is_public("169.254.169.254"), is_public("64:ff9b::a00:1")
    (True, False, False, False)
    """
    found = literal(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return False
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in NAT64:  # a name of an IPv4 address, where the network has only IPv6
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        elif found.is_reserved or any(found in network for network in TRANSITION):
            return False
    if found is None or found == PLATFORM:
        return False
    return found.is_global and not found.is_multicast


def allowed(host: str, private_hosts: tuple[str, ...]) -> bool:
    """Whether one of ``private_hosts`` speaks of ``host``.

    >>> allowed("localhost", ("localhost",)), allowed("10.0.0.1", ("10.*",)), allowed("10.evil.example", ("10.*",))
    (True, True, False)
    """
    found = literal(host)
    name = host.lower().rstrip(".") if found is None else str(found)
    patterns = tuple(pattern.lower() for pattern in private_hosts)
    speaking = (each for each in patterns if each == "*" or of_addresses(each) == (found is not None))
    return any(fnmatchcase(name, pattern) for pattern in speaking)


def of_addresses(pattern: str) -> bool:
    """Whether a glob of ``private_hosts`` speaks of hosts that are written as addresses.

    >>> of_addresses("192.168.*"), of_addresses("::1"), of_addresses("*.lan"), of_addresses("db1")
    (True, True, False, False)
    """
    return OF_ADDRESSES.match(pattern) is not None


def checked_addresses(host: str, port: int, private_hosts: tuple[str, ...], resolve: Resolve) -> tuple[str, ...] | Problem:
    """The addresses of ``host`` that may be connected to; a Problem where one of them may not: a name that mixes them is no honest one."""
    if (wrong := name_problem(host)) is not None:
        return wrong
    found = literal(host)
    if found is not None:
        addresses: tuple[str, ...] = (str(found),)
    else:
        try:
            addresses = resolve(host, port)[:MOST_ADDRESSES]
        except (OSError, UnicodeError):
            addresses = ()
    if not addresses:
        return world_problem("no-host", f"The address of {host} was not found: check the name, or the network.")
    private = next((each for each in addresses if not is_public(each)), None)
    if private is not None and not allowed(host, private_hosts):
        return refused(host, private)
    return addresses


def name_problem(host: str) -> Problem | None:
    """The Problem of a host that is an address in disguise: decimal, octal, hexadecimal or short.

    >>> name_problem("2130706433").code, name_problem("0x7f.1").code, name_problem("127.0.0.1"), name_problem("example.com")
    ('bad-host', 'bad-host', None, None)
    """
    last = host.rstrip(".").rpartition(".")[2]
    if not host.strip(".") or (literal(host) is None and NUMERIC.match(last)):
        return model_problem(
            "bad-host", f"{host or 'Nothing'} is no name of a host: write a name, or an address such as 93.184.216.34.", "$.url"
        )
    return None


def looks_inner(host: str) -> bool:
    """Whether ``host`` is a name that only a private network knows, by how it is written.

    >>> looks_inner("intranet"), looks_inner("metadata.google.internal"), looks_inner("example.com")
    (True, True, False)
    """
    name = host.lower().rstrip(".")
    return literal(host) is None and ("." not in name or name.endswith(INNER))


def refused(host: str, address: str) -> Problem:
    """The Problem of a host on a private network.

    >>> refused("a.example", "127.0.0.1").message
    'a.example is 127.0.0.1, an address of a private network: go on without it. The user can allow it in the setting web.private_hosts.'
    """
    said = f"{host} is {address}," if host != address else f"{host} is"
    message = f"{said} an address of a private network: go on without it. The user can allow it in the setting web.private_hosts."
    return model_problem("private-address", message, "$.url")
