"""The package as text and syntax trees: what the nets read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import final

from attrs import field, frozen

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "src" / "turnfold"


@final
@frozen(kw_only=True)
class Module:
    """One module: its dotted name, its text, and the tree of it."""

    name: str
    text: str
    tree: ast.Module = field(eq=False, repr=False)

    @property
    def in_core(self) -> bool:
        """Whether it is part of the pure core."""
        return within(self.name, "turnfold.core")


@final
@frozen
class Finding:
    """What a net caught: the line, and one sentence."""

    line: int
    sentence: str


@final
@frozen
class Import:
    """One imported name, dotted with the module that it is imported from, and its line."""

    name: str
    line: int


def within(name: str, parent: str) -> bool:
    """Whether the dotted ``name`` is ``parent`` or below it.

    >>> within("a.b", "a"), within("ab", "a")
    (True, False)
    """
    return name == parent or name.startswith(parent + ".")


def planted(text: str, name: str = "turnfold.core.planted") -> Module:
    """A module that exists only as text, to see a net catch it."""
    return Module(name=name, text=text, tree=ast.parse(text))


def package_modules() -> tuple[Module, ...]:
    """Every module of the package, by name; read, not imported."""
    return tuple(planted(path.read_text(encoding="utf-8"), _module_name(path)) for path in sorted(PACKAGE.rglob("*.py")))


def _module_name(path: Path) -> str:
    parts = ("turnfold", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a chain of names, else empty."""
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return node.id if isinstance(node, ast.Name) else ""


def called(node: ast.AST) -> str:
    """The last name of what ``node`` calls (of ``Log[int]()`` it is ``Log``), else empty."""
    if not isinstance(node, ast.Call):
        return ""
    func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return func.attr if isinstance(func, ast.Attribute) else dotted(func)


def imports(module: Module) -> Iterator[Import]:
    """Every import of the module, wherever in it; ``from a import b`` is ``a.b``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (Import(f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the tree."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
