"""No hidden state anywhere, no act in core: each net over each module, and each net shown to catch what it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, final

import pytest
from attrs import frozen

from tests.meta import nets_core, nets_state
from tests.meta.source import Finding, Module, package_modules, planted

Net: TypeAlias = Callable[[Module], Iterator[Finding]]


@final
@frozen
class Planted:
    """A net, what it must catch, and what it must let through."""

    net: Net
    bad: tuple[str, ...]
    good: tuple[str, ...] = ()


EVERYWHERE = (
    Planted(
        nets_state.rebinding,
        ("def f():\n    global a\n    a = 1", "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1"),
        ("def f():\n    a = 1",),
    ),
    Planted(
        nets_state.ambient,
        (
            "import contextvars",
            "from contextvars import ContextVar as C",
            "from threading import local",
            "import threading\ndef f():\n    return threading.local()",
            "class A(threading.local): ...",
        ),
        ("from threading import Lock", "local = 1"),
    ),
    Planted(
        nets_state.mutable_values,
        (
            "a = []",
            "a: dict[str, int] = {}",
            "a = (1, [2])",
            "a = {x for x in b}",
            "a = (x for x in b)",
            "a = f([1])",
            "a = b or {}",
            "a = collections.deque()",
            "a = defaultdict(list)",
            "a = threading.Lock()",
            "a = itertools.count()",
            "if b:\n    a = []",
            "try:\n    a = []\nexcept E: ...",
            "class A:\n    a = []",
            "class A:\n    class B:\n        a: set = set()",
            "a = []  # type: ignore\n__all__ = []",
        ),
        (
            "__all__ = ['a']",
            "a = frozenset({1})",
            "a = tuple([1])",
            "a = re.compile('a')",
            "a = MappingProxyType({1: 2})",
            "def f():\n    a = []",
            "a: Callable[[int], str]",
            "a = Callable[[int], str]",
            "a = lambda: []",
            "__slots__ = ('a',)",
            "a = JsonObject.of(b=(1, 2))",
        ),
    ),
    Planted(
        nets_state.mutable_defaults,
        ("def f(a=[]): ...", "def f(*, a=set()): ...", "class A:\n    def f(self, a=(1, {})): ..."),
        ("def f(a=(), *, b=None): ...",),
    ),
    Planted(
        nets_state.caches,
        (
            "@lru_cache\ndef f(): ...",
            "@functools.lru_cache(maxsize=1)\ndef f(): ...",
            "f = functools.cache(g)",
            "class A:\n    @cached_property\n    def a(self): ...",
            "@singledispatch\ndef f(a): ...",
        ),
        ("f = functools.partial(g)", "cache = 1", "def f(self):\n    return self.cache"),
    ),
    Planted(
        nets_state.writes,
        (
            "A = x()\ndef f():\n    A[1] = 2",
            "A = x()\ndef f():\n    A.b.c = 2",
            "A = x()\ndef f():\n    del A[1]",
            "A = x()\ndef f():\n    A.b += 1",
            "A = x()\ndef f():\n    A.append(1)",
            "A = x()\ndef f():\n    A.b.update(c)",
            "def f(): ...\nf.calls = 0",
            "class A: ...\ndef f():\n    A.b = 1",
            "class A:\n    @classmethod\n    def f(cls):\n        cls.b = 1",
            "class A:\n    def f(self):\n        type(self).b = 1",
            "class A:\n    def f(self):\n        self.__class__.b = 1",
            "import sys\ndef f():\n    sys.stdout = g",
            "import sys\ndef f():\n    sys.path.append('a')",
            "import a\ndef f():\n    setattr(a, 'b', 1)",
            "from a import TABLE\ndef f():\n    TABLE.append(1)",
            "def f():\n    globals()['a'] = 1",
            "import sys\nsys.modules['a'] = b",
        ),
        (
            "A = x()\ndef f(A):\n    A[1] = 2",
            "A = x()\ndef f():\n    b = A.append(1)",
            "def f():\n    a = {}\n    a[1] = 2\n    a.update(b)",
            "class A:\n    def f(self):\n        self.a = 1",
            "import shutil\ndef f():\n    shutil.remove(p)",
        ),
    ),
    Planted(
        nets_state.process,
        (
            "import os\nos.chdir('a')",
            "import os\ndef f():\n    os.environ['A'] = 'b'",
            "import os\ndef f():\n    del os.environ['A']",
            "os.environ.update(a)",
            "os.putenv('a', 'b')",
            "from os import chdir",
            "import locale\nlocale.setlocale(1)",
        ),
        ("import os\na = os.environ['A']", "Popen(a, cwd=b, env={**os.environ})"),
    ),
    Planted(nets_core.relative_imports, ("from . import a", "from ..a import b"), ("from turnfold.a import b",)),
    Planted(
        nets_core.hidden_imports,
        (
            "if TYPE_CHECKING:\n    import a",
            "try:\n    import a\nexcept ImportError:\n    from b import a",
            "class A:\n    import a",
            "def f():\n    import a",
        ),
        ("import a",),
    ),
    Planted(nets_core.wildcard_imports, ("from a import *",), ("from a import b",)),
    Planted(nets_core.long_modules, ("a = 1\n" * 401,), ("a = 1\n" * 400,)),
    Planted(
        nets_core.long_functions,
        ("def f():\n" + "    a = 1\n" * 40, "class A:\n    async def f():\n" + "        a = 1\n" * 40),
        ("def f():\n" + "    a = 1\n" * 39,),
    ),
)

IN_CORE = (
    Planted(
        nets_core.acts,
        ("open('a')", "print(1)", "input()", "eval('1')", "exec('1')", "__import__('a')", "object.__setattr__(a, 'b', 1)", "globals()"),
        ("re.compile('a')", "a.open()", "evaluate(a)"),
    ),
    Planted(
        nets_core.identity,
        (
            "def f(a):\n    return hash(a)",
            "sorted(a, key=id)",
            "b = id(a)",
            "class A:\n    def __eq__(self, o):\n        return hash(self) == 1",
            "class A:\n    def __hash__(self):\n        return id(self)",
        ),
        ("class A:\n    def __hash__(self):\n        return hash(self.a)", "a.id", "A(id=1)"),
    ),
    Planted(
        nets_core.no_async,
        (
            "async def f(): ...",
            "async def f():\n    await a",
            "async def f():\n    async for a in b: ...",
            "async def f():\n    return [a async for a in b]",
        ),
        ("def f(): ...",),
    ),
    Planted(
        nets_core.set_order,
        (
            "for a in frozenset(b): ...",
            "for a in {1, 2}: ...",
            "A = frozenset('ab')\nB = tuple(A)",
            "A = frozenset('ab')\nB = tuple(A - {'a'})",
            "def f(a: frozenset[str]):\n    return [b for b in a]",
            "def f(a: frozenset[str] | None):\n    return ', '.join(a)",
            "def f(a: frozenset[str]):\n    return tuple(b for b in a)",
            "class A:\n    names: frozenset[str]\n    def f(self):\n        return list(self.names)",
            "def f(a: frozenset[str]):\n    b, c = a",
            "def f(a: frozenset[str]):\n    return (*a, 1)",
            "def f() -> frozenset[str]: ...\nfor a in f(): ...",
            "def f(a: frozenset[str], b):\n    return list(a.union(b))",
            "def f(a: frozenset[str]):\n    return {b: 1 for b in a}",
        ),
        (
            "for a in sorted(frozenset(b)): ...",
            "def f(a: frozenset[str]):\n    return any(b for b in a)",
            "def f(a: frozenset[str]):\n    return sorted(b for b in a)",
            "def f(a: frozenset[str]):\n    return frozenset(b for b in a)",
            "def f(a: frozenset[str]):\n    return 'b' in a and len(a)",
            "def f(a: tuple[frozenset[str], ...]):\n    return [b for b in a]",
        ),
    ),
)

NETS = EVERYWHERE + IN_CORE
MODULES = package_modules()

# Programs of their own, never imported: the process that one changes (its streams, its path) is a conversation's Python, or a sandbox's start.
PROGRAMS = frozenset({"turnfold.shell.python_worker", "turnfold.shell.sandbox.launcher"})
OWN_PROCESS = frozenset({nets_state.writes})
# It loads a person's module from its file, and Python looks up the types that a module names where it keeps its modules.
LOADERS = frozenset({"turnfold.shell.functions.modules"})


@pytest.mark.parametrize("case", NETS, ids=lambda case: case.net.__name__)
def test_package_is_pure(case: Planted) -> None:
    spared = PROGRAMS | LOADERS if case.net in OWN_PROCESS else frozenset()
    modules = tuple(module for module in MODULES if (module.in_core or case in EVERYWHERE) and module.name not in spared)
    found = tuple(f"{module.name}:{each.line}: {each.sentence}" for module in modules for each in case.net(module))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", NETS, ids=lambda case: case.net.__name__)
def test_net_catches_what_is_planted(case: Planted) -> None:
    missed = tuple(text for text in case.bad if not tuple(case.net(planted(text))))
    assert not missed, f"{case.net.__name__} is blind to:\n" + "\n---\n".join(missed)


@pytest.mark.parametrize("case", NETS, ids=lambda case: case.net.__name__)
def test_net_lets_the_innocent_through(case: Planted) -> None:
    caught = tuple((text, tuple(case.net(planted(text)))) for text in case.good if tuple(case.net(planted(text))))
    assert not caught


def test_every_net_is_used_and_every_net_is_planted() -> None:
    defined = {
        function
        for module in (nets_core, nets_state)
        for name, function in vars(module).items()
        if not name.startswith("_") and getattr(function, "__module__", "") == module.__name__ and callable(function)
    }
    assert defined == {case.net for case in NETS}
    assert all(case.bad for case in NETS)


def test_every_program_of_its_own_is_there() -> None:
    assert {module.name for module in MODULES} >= PROGRAMS


def test_modules_are_found() -> None:
    names = {module.name for module in MODULES}
    assert {"turnfold", "turnfold.core.json", "turnfold.shell.ports"} <= names
    assert any(module.in_core for module in MODULES)


def test_heavy_imports_may_stand_in_functions_outside_of_core() -> None:
    lazy = planted("def f():\n    import rich", "turnfold.cli.view")
    assert not tuple(nets_core.hidden_imports(lazy))
