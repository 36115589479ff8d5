"""``@tool``: a typed Python function as a tool.

The decorator registers nothing. It gives a value that still can be called as the function, and holds a ``ToolSpec``: that goes into
the tuple of tools, and the value itself to the world that calls it (``with_functions``). The core knows the name and the schema.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar, final, overload

from attrs import evolve, field, frozen
from returns.result import Failure

from turnfold.core.tools.outside import function_tool
from turnfold.core.tools.spec import Example, ToolSpec
from turnfold.core.tools.strict import strict_schema
from turnfold.shell.functions.docs import read_doc
from turnfold.shell.functions.encoding import UnfitError
from turnfold.shell.functions.signature import Signature, read_signature

P = ParamSpec("P")
R = TypeVar("R")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what providers take as a function's name


@final
@frozen(kw_only=True)
class FunctionTool(Generic[P, R]):
    """A function and the tool that it is: ``spec`` is for the tuple of tools; calling this calls the function."""

    spec: ToolSpec
    function: Callable[P, R] = field(repr=False)
    signature: Signature = field(repr=False, eq=False)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function gives."""
        return self.function(*args, **kwargs)


@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...


@overload
def tool(
    *, name: str = "", description: str = "", strict: bool = False, serial: bool = False, examples: tuple[Example, ...] = ()
) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...


def tool(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    strict: bool = False,
    serial: bool = False,
    examples: tuple[Example, ...] = (),
) -> FunctionTool[P, R] | Callable[[Callable[P, R]], FunctionTool[P, R]]:
    """``function`` as a tool: ``@tool``, or ``@tool(name="…")`` where the signature and the docstring don't say all.

    ``strict``: the schema is made strict, so that a model has to give every parameter. ``serial``: calls of one round run one after
    another. Raises ``TypeError`` where a model could not be told of a parameter, when the module is loaded and not in a conversation.

    >>> @tool
    ... def add(a: int, b: int = 1) -> int:
    ...     '''Add two numbers.'''
    ...     return a + b
    >>> add(1, 2), add.spec.name, add.spec.description, add.spec.parameters["required"]
    (3, 'add', 'Add two numbers.', ('a',))
    """

    def made(each: Callable[P, R]) -> FunctionTool[P, R]:
        try:
            return _made(each, name or getattr(each, "__name__", ""), description, strict=strict, serial=serial, examples=examples)
        except UnfitError as error:
            raise UnfitError(f"{getattr(each, '__qualname__', each)} can't be a tool: {error}.") from error

    return made if function is None else made(function)


def _made(
    function: Callable[P, R], name: str, description: str, *, strict: bool, serial: bool, examples: tuple[Example, ...]
) -> FunctionTool[P, R]:
    if NAME.fullmatch(name) is None:
        raise UnfitError(f'{name!r} is no name for a tool: say @tool(name="…") with letters, digits, _ and -, at most 64')
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UnfitError("it yields: a tool that asks for requests is made with from_generator")
    doc = read_doc(function)
    signature = read_signature(function, doc)
    if strict:
        narrowed = strict_schema(signature.schema)
        if isinstance(narrowed, Failure):
            raise UnfitError(f"{narrowed.failure()}".removesuffix("."))
        signature = evolve(signature, schema=narrowed.unwrap())
    spec = function_tool(name, description or doc.about, signature.schema, serial=serial, examples=examples)
    return FunctionTool(spec=spec, function=function, signature=signature)
