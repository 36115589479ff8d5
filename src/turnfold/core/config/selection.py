"""Which tools a conversation may use: a list of names, or ``+name`` and ``-name`` that change the list below."""

from __future__ import annotations

Names = tuple[str, ...]


def signed(names: Names) -> bool:
    """Whether ``names`` change another list instead of being one.

    >>> signed(("+todo", "-python")), signed(("read",)), signed(())
    (True, False, False)
    """
    return bool(names) and all(name[:1] in ("+", "-") for name in names)


def laid_tools(over: Names, under: Names) -> Names:
    """``over`` on ``under``: a list replaces it, signed names change it.

    >>> laid_tools(("+todo", "-read"), ("read", "shell")), laid_tools(("-read",), ("+read",)), laid_tools(("save",), ("read",))
    (('shell', 'todo'), ('-read',), ('save',))
    """
    if not signed(over):
        return over
    changed = under
    for name in over:
        changed = _changed(changed, name, relative=signed(under))
    return changed


def _changed(names: Names, change: str, *, relative: bool) -> Names:
    bare = change[1:]
    rest = tuple(name for name in names if name.removeprefix("+").removeprefix("-") != bare)
    if relative:
        return (*rest, change)
    return (*rest, bare) if change[0] == "+" else rest


def selected(names: Names | None, default: Names | None, known: Names) -> Names:
    """Which of the ``known`` tools are meant, in their order: ``names`` as config has them, over the model's ``default``.

    >>> selected(("-python",), None, ("read", "python")), selected(("+todo",), ("read",), ("read", "python", "todo"))
    (('read',), ('read', 'todo'))
    """
    base = known if default is None else default
    wanted = base if names is None else laid_tools(names, base)
    return tuple(name for name in known if name in wanted)
