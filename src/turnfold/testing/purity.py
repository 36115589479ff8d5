"""A watch that sees effects: the law that core does nothing, as a context manager.

Two nets. An audit hook sees what CPython tells of: files, sockets, processes, imports, compiled code. It is blind to
clocks, chance, the environment and the working directory, so those are poisoned: while armed, calling them is an effect.
Only the thread that armed the watch is watched; the others go on as ever.

Blind spots: ``datetime.now`` and other methods of C types can't be poisoned; a function that somebody took beforehand
(``from time import time``) isn't; writing to an object that is shared isn't seen. The import rules cover those for core.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from threading import get_ident
from types import ModuleType
from typing import final
from unittest.mock import patch

from typing_extensions import override

# Events that tell of no act. `id` is asked by the repr of every attrs value, against endless recursion; that core itself
# doesn't ask for it is an AST net's concern.
HARMLESS = frozenset({"builtins.id", "sys.unraisablehook"})  # the second only tells of another, and telling of it would never end

CLOCKS = (
    "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns thread_time "
    "localtime gmtime ctime asctime strftime sleep"
)
CHANCES = (
    "random randint randrange randbytes getrandbits choice choices sample shuffle uniform gauss normalvariate expovariate "
    "seed getstate setstate"
)
POISONED: tuple[tuple[ModuleType, str], ...] = (
    (time, CLOCKS),
    (random, CHANCES),
    (secrets, "token_bytes token_hex token_urlsafe choice randbelow randbits"),
    (uuid, "uuid1 uuid3 uuid4 uuid5 getnode"),
    (os, "urandom getenv getcwd getcwdb getpid getppid cpu_count stat lstat access times uname"),
)


class EffectSeenError(AssertionError):
    """Something acted that was to be pure; the message names each act."""


@final
class EffectWatch:
    """Sees the effects of the code under :meth:`no_effects`.

    Its audit hook stays as long as the process (CPython takes none back), so make one watch and keep it: in pytest, a
    fixture of the session. A watch is for one thread at a time.

    >>> watch = EffectWatch()
    >>> with watch.no_effects():
    ...     sum((1, 2))
    3
    >>> with watch.no_effects():
    ...     open("/etc/hostname")
    Traceback (most recent call last):
    turnfold.testing.purity.EffectSeenError: it was to have no effect: open '/etc/hostname'
    """

    __slots__ = ("_seen", "_thread")

    def __init__(self) -> None:
        self._seen: tuple[str, ...] = ()
        self._thread = 0  # the armed thread; no thread has 0
        sys.addaudithook(self._hear)

    @contextmanager
    def no_effects(self) -> Iterator[None]:
        """Run the block; an effect in it raises ``EffectSeenError`` on the spot, and at the end if the block hid that."""
        with ExitStack() as poison:
            for module, names in POISONED:
                for name in names.split():
                    if hasattr(module, name):  # not every system has each
                        poison.enter_context(patch.object(module, name, self._poisoned(module, name)))
            poison.enter_context(patch.object(os, "environ", _Environment(os.environ, self._see_environment)))
            self._seen = ()
            self._thread = get_ident()
            try:
                yield
            finally:
                self._thread = 0
        if self._seen:
            raise EffectSeenError(_sentence(self._seen))

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._thread and event not in HARMLESS:
            self._see(f"{event} {arguments[0]!r}" if arguments and isinstance(arguments[0], str) else event)

    def _see(self, act: str) -> None:
        """Take note of ``act`` and stop it, when it is the armed thread's."""
        if self._thread == get_ident():
            self._seen = (*self._seen, act)
            raise EffectSeenError(_sentence((act,)))

    def _see_environment(self) -> None:
        self._see("os.environ")

    def _poisoned(self, module: ModuleType, name: str) -> Callable[..., object]:
        real: Callable[..., object] = getattr(module, name)
        label = f"{module.__name__}.{name}"

        def poisoned(*arguments: object, **named: object) -> object:
            self._see(label)
            return real(*arguments, **named)

        return poisoned


@final
class _Environment(MutableMapping[str, str]):
    """The environment, where looking is seen."""

    __slots__ = ("_real", "_see")

    def __init__(self, real: MutableMapping[str, str], see: Callable[[], None]) -> None:
        self._real = real
        self._see = see

    @override
    def __getitem__(self, key: str) -> str:
        self._see()
        return self._real[key]

    @override
    def __setitem__(self, key: str, value: str) -> None:
        self._see()
        self._real[key] = value

    @override
    def __delitem__(self, key: str) -> None:
        self._see()
        del self._real[key]

    @override
    def __iter__(self) -> Iterator[str]:
        self._see()
        return iter(self._real)

    @override
    def __len__(self) -> int:
        self._see()
        return len(self._real)


def _sentence(seen: tuple[str, ...]) -> str:
    return f"it was to have no effect: {', '.join(seen)}"
