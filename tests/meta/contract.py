"""A contract for import-linter: an allow-list (or a deny-list) by full name, where the built-in ones know modules only.

``functools.partial`` may be allowed where ``functools.cache`` is not, and ``collections.abc`` where ``collections.deque``
is not. It reads the source, since the linter's graph has no more of a foreign module than its first name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast, final

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from typing_extensions import override

from tests.meta.source import Finding, Module, imports, package_modules, within


def _names() -> tuple[str, ...]:
    """A field that takes a list of names; typed as what it holds once the linter has filled it in."""
    return cast(tuple[str, ...], fields.ListField(subfield=fields.StringField(), default=[]))


@final
class AllowedImports(Contract):
    """What the modules below ``source`` may import.

    ``allowed``: nothing but these (and what is below them). ``denied``: these not. ``only_in`` has lines
    ``name -> module``: there it is allowed all the same.
    """

    type_name = "allowed_imports"

    source = cast(str, fields.StringField())
    allowed = _names()
    denied = _names()
    only_in = _names()

    @override
    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        found = tuple(
            f"{module.name}:{each.line}: {each.sentence}"
            for module in package_modules()
            if within(module.name, self.source)
            for each in refused_imports(module, self.allowed, self.denied, self.only_in)
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    @override
    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["found"]:
            output.print_error(line)


def refused_imports(module: Module, allowed: tuple[str, ...], denied: tuple[str, ...], only_in: tuple[str, ...]) -> Iterator[Finding]:
    """The imports of ``module`` that are not in ``allowed`` (where it holds any) or are in ``denied``."""
    pairs = tuple(line.split(" -> ") for line in only_in)
    here = tuple(name for name, place in pairs if within(module.name, place))
    for each in imports(module):
        refused = bool(allowed) and not _any_within(each.name, allowed)
        if (refused or _any_within(each.name, denied)) and not _any_within(each.name, here):
            yield Finding(each.line, f"{each.name} may not be imported here")


def _any_within(name: str, parents: tuple[str, ...]) -> bool:
    return any(within(name, parent) for parent in parents)
