"""Landlock and seccomp, by the package ``sandlock``: a confinement as what its ``Sandbox`` is made with.

No namespaces, so that it works where they are forbidden (in many containers): the kernel refuses the process itself. Signals, sockets
and /proc of processes outside are out of reach. Two things it does not hold: a Unix socket in a folder that may be written can be used,
and modes, owners and times of the person's files outside can be changed (their content can't; Landlock has no rule for it).
"""

from __future__ import annotations

from collections.abc import Mapping

from turnfold.core.json import JsonObject, JsonValue
from turnfold.shell.sandbox.grounds import Grounds

DEVICES = ("/dev/null", "/dev/zero", "/dev/full")  # may be written: nothing is kept there


def sandlock_policy(grounds: Grounds, cwd: str, environment: Mapping[str, str]) -> JsonObject:
    """What the launcher makes its ``Sandbox`` with, and starts it in.

    >>> place = Grounds(
    ...     writable=("/w",),
    ...     hidden_folders=(),
    ...     hidden_files=("/w/key",),
    ...     network=True,
    ...     hosts=("pypi.org",),
    ...     memory_bytes=None,
    ...     processes=9,
    ...     temporary="/tmp/t",
    ... )
    >>> sandlock_policy(place, "/w", {}).get("sandbox").get("net_allow")
    ('pypi.org:*',)
    """
    reached = tuple(f"{host}:*" for host in grounds.hosts) or ("*:*", "icmp://*")
    members: tuple[tuple[str, JsonValue], ...] = (
        ("fs_readable", ("/",)),
        ("fs_writable", (*grounds.writable, grounds.temporary, *DEVICES)),
        ("fs_denied", (*grounds.hidden_folders, *grounds.hidden_files)),
        ("net_allow", reached if grounds.network else ()),
        ("net_allow_bind", ("*",) if grounds.network else ()),
        ("max_memory", grounds.memory_bytes),
        ("max_processes", grounds.processes),
        ("cwd", cwd),
    )
    variables: tuple[tuple[str, JsonValue], ...] = tuple(environment.items())
    return JsonObject.of(sandbox=JsonObject(tuple(each for each in members if each[1] is not None)), environment=JsonObject(variables))
