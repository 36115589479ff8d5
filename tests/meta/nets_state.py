"""Nets for hidden state: what changes outside of values, in the whole package."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.meta.source import Finding, Module, called, dotted, functions, imports, within

MUTABLE = frozenset(
    "list dict set bytearray array defaultdict deque Counter OrderedDict ChainMap SimpleNamespace WeakKeyDictionary "
    "WeakValueDictionary WeakSet Lock RLock Condition Semaphore BoundedSemaphore Event Barrier Queue SimpleQueue LifoQueue "
    "PriorityQueue Thread Timer count cycle iter open StringIO BytesIO ContextVar local Random".split()
)
FROZEN = frozenset(
    "frozenset tuple MappingProxyType compile len sum min max join TypeVar NewType".split()
)  # what becomes of a display in them
CACHES = frozenset(("lru_cache", "cache", "cached_property", "singledispatch", "singledispatchmethod"))
MUTATORS = frozenset(
    "append extend insert remove pop popitem clear update setdefault add discard sort reverse appendleft popleft register".split()
)
PROCESS = frozenset(
    "os.chdir os.fchdir os.chroot os.putenv os.unsetenv os.umask os.nice os.environ.update os.environ.setdefault os.environ.pop "
    "os.environ.popitem os.environ.clear locale.setlocale sys.setrecursionlimit sys.setswitchinterval sys.settrace sys.setprofile "
    "socket.setdefaulttimeout random.seed warnings.simplefilter warnings.filterwarnings logging.basicConfig logging.disable "
    "time.tzset asyncio.set_event_loop asyncio.set_event_loop_policy multiprocessing.set_start_method threading.settrace "
    "decimal.setcontext gc.disable gc.enable gc.freeze".split()
)
ENVIRONMENT = ("os.environ", "os.environb")


def rebinding(module: Module) -> Iterator[Finding]:
    """`global` and `nonlocal`: a name of another scope changes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield Finding(node.lineno, f"{type(node).__name__.lower()} {', '.join(node.names)}")


def ambient(module: Module) -> Iterator[Finding]:
    """Context variables and thread-locals, imported or named."""
    for each in imports(module):
        if within(each.name, "contextvars") or each.name in ("threading.local", "_thread._local", "asyncio.current_task"):
            yield Finding(each.line, f"{each.name} is imported")
    for node in ast.walk(module.tree):
        if dotted(node) in ("threading.local", "_thread._local", "_threading_local.local") or called(node) == "ContextVar":
            yield Finding(getattr(node, "lineno", 0), "an ambient value is made")


def mutable_values(module: Module) -> Iterator[Finding]:
    """Values at module or class level that can change."""
    bodies: tuple[ast.Module | ast.ClassDef, ...] = (
        module.tree,
        *(node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)),
    )
    for body in bodies:
        for node in _statements(body):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None and not _is_all(node):
                for bad in _mutable_parts(node.value):
                    yield Finding(node.lineno, f"a value that can change stands at {type(body).__name__} level: {ast.unparse(bad)[:60]}")


def _is_all(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
    """Whether this is ``__all__``, the one list that Python itself asks for."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [dotted(target) for target in targets] == ["__all__"]


def _statements(body: ast.AST) -> Iterator[ast.AST]:
    """What runs when the module or class is made: its statements, those in `if` and `try` too, none of a function."""
    for node in ast.iter_child_nodes(body):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield node
            yield from _statements(node)


def _mutable_parts(value: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression whose value can change and stays reachable."""
    if isinstance(value, ast.Lambda) or called(value) in FROZEN:
        return
    displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
    if isinstance(value, displays) or called(value) in MUTABLE:
        yield value
        return
    if isinstance(value, ast.Subscript):  # the list in Callable[[int], str] is a type's
        return
    for part in ast.iter_child_nodes(value):
        yield from _mutable_parts(part)


def caches(module: Module) -> Iterator[Finding]:
    """Process-wide caches and registries from functools."""
    for node in ast.walk(module.tree):
        named = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in CACHES
        dotted_name = isinstance(node, ast.Attribute) and dotted(node).removeprefix("functools.") in CACHES
        if isinstance(node, ast.expr) and (named or dotted_name):
            yield Finding(node.lineno, f"{dotted(node)} remembers for the whole process")


def writes(module: Module) -> Iterator[Finding]:
    """Attributes and items of module values, classes and imported things that are written, and methods that change them."""
    assigned = frozenset(
        name.id for node in _statements(module.tree) for name in [node] if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    )
    defined = frozenset(node.name for node in module.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef))
    imported = frozenset(each.name.split(".")[-1] for each in imports(module)) | frozenset(
        each.name.split(".")[0] for each in imports(module)
    )
    yield from _writes(module.tree, assigned | defined | imported, assigned)


def _writes(node: ast.AST, shared: frozenset[str], values: frozenset[str]) -> Iterator[Finding]:
    """``shared`` are the names that every call sees, ``values`` those of them that this module assigns."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            own = _own_names(child)
            yield from _writes(child, shared - own, values - own)
            continue
        if isinstance(child, ast.Subscript | ast.Attribute) and isinstance(child.ctx, ast.Store | ast.Del) and _is_shared(child, shared):
            yield Finding(child.lineno, f"{ast.unparse(child)} is written")
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Call) and _changes_shared(child.value, shared, values):
            yield Finding(child.lineno, f"{ast.unparse(child)[:60]} changes what others see")
        yield from _writes(child, shared, values)


def _own_names(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> frozenset[str]:
    """The names that the function binds: parameters (but not ``cls``: a class is shared) and assignments."""
    bound = frozenset(node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return bound | frozenset(node.arg for node in ast.walk(function) if isinstance(node, ast.arg))


def _root(node: ast.AST) -> ast.AST:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def _is_shared(target: ast.Attribute | ast.Subscript, shared: frozenset[str]) -> bool:
    root = _root(target)
    through_class = any(isinstance(node, ast.Attribute) and node.attr in ("__class__", "__dict__") for node in ast.walk(target.value))
    return through_class or called(root) in ("type", "globals", "vars") or (isinstance(root, ast.Name) and root.id in shared | {"cls"})


def _changes_shared(call: ast.Call, shared: frozenset[str], values: frozenset[str]) -> bool:
    func = call.func
    if dotted(func) in ("setattr", "delattr") and call.args:
        root = _root(call.args[0])
        return called(root) == "type" or (isinstance(root, ast.Name) and root.id in shared | {"cls"})
    if not isinstance(func, ast.Attribute) or func.attr not in MUTATORS:
        return False
    root = _root(func.value)
    deep = isinstance(func.value, ast.Attribute | ast.Subscript)  # sys.path.append, but not shutil.register
    return isinstance(root, ast.Name) and (root.id in values or (root.id in shared and (deep or root.id.isupper())))


def process(module: Module) -> Iterator[Finding]:
    """Calls and writes that change the whole process: its directory, its environment, its locale."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in PROCESS:
            yield Finding(node.lineno, f"{dotted(node.func)} changes the process")
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del) and dotted(node.value) in ENVIRONMENT:
            yield Finding(node.lineno, "the environment is written")
    for each in imports(module):
        if each.name in PROCESS:
            yield Finding(each.line, f"{each.name} changes the process")


def mutable_defaults(module: Module) -> Iterator[Finding]:
    """Defaults of parameters that can change: one value for all calls."""
    for function in functions(module.tree):
        for default in (*function.args.defaults, *(each for each in function.args.kw_defaults if each is not None)):
            for bad in _mutable_parts(default):
                yield Finding(default.lineno, f"a default can change: {ast.unparse(bad)[:60]}")
