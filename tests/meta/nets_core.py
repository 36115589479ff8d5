"""Nets for the pure core (no act, no identity, no async, no order from hashes), and for the shape of every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.meta.source import Finding, Module, called, dotted, functions

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
ACTS = frozenset(
    "open print input __import__ eval exec compile breakpoint globals locals vars setattr delattr help exit quit object.__setattr__ "
    "object.__delattr__".split()
)
ANY_ORDER = frozenset("sorted any all sum min max len set frozenset bool isdisjoint issubset issuperset union".split())
KEEPS_ORDER = frozenset(
    "tuple list enumerate iter map filter zip join chain from_iterable fromkeys reduce extend accumulate islice next".split()
)
SET_METHODS = frozenset("union intersection difference symmetric_difference".split())
SETS = ("frozenset", "set", "Set", "AbstractSet", "FrozenSet", "MutableSet")


def acts(module: Module) -> Iterator[Finding]:
    """Builtins that act on the world, on names or past a value's frozenness."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in ACTS:
            yield Finding(node.lineno, f"{dotted(node.func)}() acts")


def identity(module: Module) -> Iterator[Finding]:
    """``hash()`` and ``id()``: they differ from process to process; ``__hash__`` itself may hash."""
    allowed = frozenset(
        node for function in functions(module.tree) if function.name == "__hash__" for node in ast.walk(function) if called(node) == "hash"
    )
    hashing = frozenset(call.func for call in allowed if isinstance(call, ast.Call))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in ("hash", "id") and isinstance(node.ctx, ast.Load) and node not in hashing:
            yield Finding(node.lineno, f"{node.id} differs from process to process")


def no_async(module: Module) -> Iterator[Finding]:
    """Core waits for nothing."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith) or (
            isinstance(node, ast.comprehension) and node.is_async
        ):
            yield Finding(getattr(node, "lineno", 0), f"{type(node).__name__} in core")


def set_order(module: Module) -> Iterator[Finding]:
    """Iteration over a set, as far as its text tells: the order follows the hash seed."""
    sets = _set_names(module.tree)
    free = frozenset(
        part
        for node in ast.walk(module.tree)
        for part in (node.args if isinstance(node, ast.Call) and called(node) in ANY_ORDER else [node])
        if isinstance(part, ast.GeneratorExp | ast.SetComp) and (isinstance(part, ast.SetComp) or part is not node)
    )
    for node in ast.walk(module.tree):
        for source in _sources(node):
            if node not in free and _is_set(source, sets):
                yield Finding(source.lineno, f"{ast.unparse(source)[:60]} is iterated: sort it, or use a tuple")


def _sources(node: ast.AST) -> Iterator[ast.expr]:
    """What ``node`` iterates over and makes something ordered of."""
    if isinstance(node, ast.For):
        yield node.iter
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        yield from (each.iter for each in node.generators)
    elif isinstance(node, ast.Starred | ast.YieldFrom):
        yield node.value
    elif isinstance(node, ast.Call) and called(node) in KEEPS_ORDER:
        yield from node.args
    elif isinstance(node, ast.Assign) and any(isinstance(target, ast.Tuple | ast.List) for target in node.targets):
        yield node.value


def _set_names(tree: ast.Module) -> frozenset[str]:
    """Names and attributes that are assigned a set or annotated as one, in any scope."""
    names = frozenset(
        _last(node.target) for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and _names_a_set(node.annotation)
    ) | frozenset(
        node.arg for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation is not None and _names_a_set(node.annotation)
    )
    names |= frozenset(f"{each.name}()" for each in functions(tree) if each.returns is not None and _names_a_set(each.returns))
    return names | frozenset(
        _last(target) for node in ast.walk(tree) if isinstance(node, ast.Assign) and _is_set(node.value, names) for target in node.targets
    )


def _names_a_set(annotation: ast.expr) -> bool:
    parts = annotation.elts if isinstance(annotation, ast.Tuple) else (annotation,)
    heads = tuple(part.value if isinstance(part, ast.Subscript) else part for part in parts)
    return any(dotted(head).split(".")[-1] in SETS for head in heads) or (
        isinstance(annotation, ast.BinOp) and (_names_a_set(annotation.left) or _names_a_set(annotation.right))
    )


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else dotted(node)


def _is_set(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether ``node`` is a set, where ``names`` are; a call of a function is known by ``name()``."""
    if isinstance(node, ast.Set | ast.SetComp) or called(node) in ("frozenset", "set"):
        return True
    if isinstance(node, ast.Name | ast.Attribute):
        return _last(node) in names
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor):
        return _is_set(node.left, names) or _is_set(node.right, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SET_METHODS:
        return _is_set(node.func.value, names)
    return isinstance(node, ast.Call) and f"{called(node)}()" in names


def relative_imports(module: Module) -> Iterator[Finding]:
    """Imports that depend on where the module lies."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield Finding(node.lineno, "a relative import")


def hidden_imports(module: Module) -> Iterator[Finding]:
    """Imports under a condition or in a class, anywhere; in core also those in functions."""
    yield from _hidden_imports(module.tree, "", in_core=module.in_core)


def _hidden_imports(node: ast.AST, under: str, *, in_core: bool) -> Iterator[Finding]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom) and under:
            yield Finding(child.lineno, f"an import under {under}")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            if in_core:  # outside, a heavy module may be imported where it is used
                yield from _hidden_imports(child, "def", in_core=in_core)
        else:
            yield from _hidden_imports(child, type(child).__name__.lower(), in_core=in_core)


def wildcard_imports(module: Module) -> Iterator[Finding]:
    """``from x import *``: nobody can tell what a name is."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield Finding(node.lineno, f"from {node.module} import *")


def long_modules(module: Module) -> Iterator[Finding]:
    """Modules over the length that a reader holds."""
    lines = module.text.count("\n")
    if lines > MAX_MODULE_LINES:
        yield Finding(1, f"{lines} lines, over {MAX_MODULE_LINES}")


def long_functions(module: Module) -> Iterator[Finding]:
    """Functions over the length that a reader holds, decorators not counted."""
    for node in functions(module.tree):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > MAX_FUNCTION_LINES:
            yield Finding(node.lineno, f"{node.name} has {length} lines, over {MAX_FUNCTION_LINES}")
