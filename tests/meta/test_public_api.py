"""What `import turnfold` gives: exactly the names it says, documented, and cheap."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import turnfold
from tests.meta.source import Module, dotted, package_modules, planted

# Heavy, or not needed by who only computes: imported where used, in a function.
LATE = (
    "anyio",
    "asyncio",
    "httpcore2",
    "httpx2",
    "hypothesis",
    "mypy",
    "pytest",
    "rich",
    "ssl",
    "unittest",
    "xllamacpp",
)


def module_named(name: str) -> Module:
    return next(module for module in package_modules() if module.name == name)


def code_in_init(module: Module) -> Iterator[str]:
    """What a package's front door holds besides a docstring, imports, ``__all__`` and, for late imports, ``__homes__`` and ``__getattr__``."""
    for place, node in enumerate(module.tree.body):
        docstring = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        lookup = isinstance(node, ast.FunctionDef) and node.name in ("__getattr__", "__dir__")
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        public = [dotted(target) for target in targets] in (["__all__"], ["__homes__"])
        if not (docstring or lookup or public or isinstance(node, ast.Import | ast.ImportFrom)):
            yield f"line {node.lineno}: {ast.unparse(node)[:60]}"


def undocumented(module: Module) -> Iterator[str]:
    """Public functions, classes and methods without a docstring.

    Not asked of what states no contract of its own: overrides, Protocols' stubs, methods that Python names, overloads.
    """
    for node in module.tree.body:
        yield from _undocumented(node, module.name, in_class=False, in_protocol=False)


def _undocumented(node: ast.AST, place: str, *, in_class: bool, in_protocol: bool) -> Iterator[str]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return
    marks = {dotted(each).split(".")[-1] for each in node.decorator_list}
    stub = in_protocol and len(node.body) == 1 and isinstance(node.body[0], ast.Expr)
    inherited = "overload" in marks or (in_class and bool(marks & {"override", "setter"}))
    if not (ast.get_docstring(node) or stub or inherited):
        yield f"{place}.{node.name}"
    if isinstance(node, ast.ClassDef):
        protocol = any(
            dotted(getattr(base, "value", base) if isinstance(base, ast.Subscript) else base) == "Protocol" for base in node.bases
        )
        for child in node.body:
            yield from _undocumented(child, f"{place}.{node.name}", in_class=True, in_protocol=protocol)


def exported(module: ModuleType, source: Module) -> set[str]:
    """The public names that the front door imports, submodules apart; names that `__getattr__` finds are not among them."""
    bound = {alias.asname or alias.name for node in source.tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {name for name in bound if not name.startswith("_") and name != "annotations" and not isinstance(vars(module)[name], ModuleType)}


def test_all_is_what_is_exported() -> None:
    names = tuple(getattr(turnfold, "__all__", ()))
    plain = exported(turnfold, module_named("turnfold"))
    late = {name for name in names if name not in vars(turnfold)}  # found by __getattr__ when asked for
    assert len(names) == len(set(names))
    assert set(names) - late == plain
    assert not [name for name in late if getattr(turnfold, name, None) is None]


def test_every_export_is_documented() -> None:
    values = {name: getattr(turnfold, name) for name in getattr(turnfold, "__all__", ())}
    own = {name: value for name, value in values.items() if callable(value) and getattr(value, "__module__", "").startswith("turnfold")}
    assert not [name for name, value in own.items() if not value.__doc__]


def test_the_front_door_holds_no_code() -> None:
    assert not tuple(code_in_init(module_named("turnfold")))


def test_public_things_have_a_docstring() -> None:
    assert not [each for module in package_modules() for each in undocumented(module)]


def test_import_is_cheap() -> None:
    """What attrs, cattrs and returns bring along anyway costs nothing more."""
    assert not sorted(loaded("import turnfold") & set(LATE) - loaded("import attrs, cattrs, returns.result"))


def loaded(statement: str) -> set[str]:
    """The modules of a fresh interpreter after ``statement``."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    names: list[str] = json.loads(done.stdout)
    return set(names)


@pytest.mark.parametrize("text", ["a = 1", "print(1)", "if a: import b", "def f(): ...", "class A: ...", "'doc'\n'more'"])
def test_code_in_the_front_door_is_caught(text: str) -> None:
    assert tuple(code_in_init(planted(text)))


@pytest.mark.parametrize("text", ["'doc'\nfrom a import b\n__all__ = ['b']", "__all__: tuple[str, ...] = ()", "def __getattr__(name): ..."])
def test_imports_in_the_front_door_are_let_through(text: str) -> None:
    assert not tuple(code_in_init(planted(text)))


@pytest.mark.parametrize("text", ["def f(): ...", "class A: ...", "class A:\n    'x'\n    def f(self): return 1", "async def f(): ..."])
def test_a_missing_docstring_is_caught(text: str) -> None:
    assert tuple(undocumented(planted(text)))


@pytest.mark.parametrize(
    "text",
    [
        "def _f(): ...",
        "def f():\n    'x'",
        "class A(Protocol):\n    'x'\n    def f(self): ...",
        "class A(B):\n    'x'\n    @override\n    def f(self): return 1",
        "class A:\n    'x'\n    def __len__(self): return 1",
    ],
)
def test_what_needs_no_docstring_is_let_through(text: str) -> None:
    assert not tuple(undocumented(planted(text)))


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded("import asyncio") & set(LATE)
