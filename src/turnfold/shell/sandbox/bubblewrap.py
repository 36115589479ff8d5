"""Bubblewrap: a confinement as arguments of ``bwrap``, which makes namespaces: a view of files, processes and network of its own.

Everything is there to be read and nothing to be written; then, from the top of the tree downwards, come the folders that may be
written and what is hidden, so that the deeper one counts. /dev, /dev/shm and /proc are the sandbox's own: no process outside can be seen
or signalled, and when its first process ends, the kernel ends all (it stays in our process group; --die-with-parent would end it with
the thread that started it). Capabilities go even from root, who could mount / anew with them.

A view of files does not keep a program from a Unix socket that it can see (Docker's, D-Bus', an ssh-agent's), and who answers there is
not confined. So a filter of system calls refuses such sockets, and io_uring, by which they could be had without one.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from turnfold.shell.sandbox.grounds import Grounds

# What <linux/filter.h>, <linux/seccomp.h> and <linux/audit.h> call these.
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
ALLOWED, ERRNO = 0x7FFF0000, 0x00050000
EPERM, ENOSYS, AF_UNIX = 1, 38, 1
OTHER_ABI = 0x40000000  # x32: calls of x86-64 by other numbers
IO_URING_SETUP = 425
ARCHITECTURES = (("x86_64", 0xC000003E, 41), ("aarch64", 0xC00000B7, 198))  # machine, its audit number, the number of socket(2)


def bubblewrap_arguments(grounds: Grounds, cwd: str, environment: Mapping[str, str], filter_descriptor: int) -> tuple[str, ...]:
    """The arguments of ``bwrap`` before the program's own; ``filter_descriptor``: what :func:`system_call_filter` gave is read there.

    >>> place = Grounds(
    ...     writable=("/w",),
    ...     hidden_folders=("/root/.ssh",),
    ...     hidden_files=("/w/key",),
    ...     network=False,
    ...     hosts=(),
    ...     memory_bytes=None,
    ...     processes=None,
    ...     temporary="/tmp/t",
    ... )
    >>> " ".join(bubblewrap_arguments(place, "/w", {}, 9)[6:])
    '--dev /dev --tmpfs /dev/shm --remount-ro /dev --proc /proc --tmpfs /root/.ssh --bind /tmp/t /tmp/t --bind /w /w --ro-bind /dev/null /w/key
     --remount-ro /root/.ssh --clearenv --seccomp 9 --chdir /w'
    """
    places = (
        *((path, ("--bind", path, path)) for path in (*grounds.writable, grounds.temporary)),
        *((path, ("--tmpfs", path)) for path in grounds.hidden_folders),
        *((path, ("--ro-bind", "/dev/null", path)) for path in grounds.hidden_files),
    )
    return (
        *("--unshare-all", *(("--share-net",) if grounds.network else ()), "--cap-drop", "ALL"),
        *("--ro-bind", "/", "/", "--dev", "/dev"),
        *(() if grounds.memory_bytes is None else ("--size", str(grounds.memory_bytes))),  # else memory could be had as files
        *("--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--proc", "/proc"),  # noqa: S108 - the sandbox's own
        *(word for _, words in sorted(places) for word in words),
        *(word for path in grounds.hidden_folders for word in ("--remount-ro", path)),
        "--clearenv",
        *(word for name, value in environment.items() for word in ("--setenv", name, value)),
        *("--seccomp", str(filter_descriptor), "--chdir", cwd),
    )


def system_call_filter(machine: str) -> bytes | None:
    """The seccomp program that refuses Unix sockets and io_uring; None for a machine whose numbers are not known here.

    >>> len(system_call_filter("x86_64")), system_call_filter("riscv64")
    (88, None)
    """
    known = next(((audit, socket) for name, audit, socket in ARCHITECTURES if name == machine), None)
    if known is None:
        return None
    audit, socket = known
    program = (  # (code, steps to go on by where it is so, where it is not, value)
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (EQUAL, 0, 7, audit),  # programs of 32 bits number their calls otherwise: they can make none
        (LOAD, 0, 0, NUMBER_AT),
        (AT_LEAST, 6, 0, OTHER_ABI),
        (EQUAL, 5, 0, IO_URING_SETUP),
        (EQUAL, 0, 2, socket),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (EQUAL, 1, 0, AF_UNIX),
        (RETURN, 0, 0, ALLOWED),
        (RETURN, 0, 0, ERRNO | EPERM),
        (RETURN, 0, 0, ERRNO | ENOSYS),
    )
    return b"".join(struct.pack("=HBBI", *step) for step in program)
