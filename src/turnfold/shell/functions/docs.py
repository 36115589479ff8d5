"""What a docstring says of a function and its parameters, in whichever of the usual styles it is written."""

from __future__ import annotations

import inspect
from typing import final

from attrs import frozen


@final
@frozen
class Doc:
    """A docstring: what the thing does, and what each parameter means, by its name."""

    about: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    def of(self, name: str) -> str:
        """What is said of the parameter ``name``; empty where nothing is."""
        return next((about for said, about in self.parameters if said == name), "")


def read_doc(documented: object) -> Doc:
    """The docstring of ``documented``, in Google's, NumPy's or reST's style.

    >>> def roll(sides: int) -> int:
    ...     '''Roll a die.
    ...
    ...     Args:
    ...         sides: How many sides it has.
    ...     '''
    >>> read_doc(roll)
    Doc(about='Roll a die.', parameters=(('sides', 'How many sides it has.'),))
    """
    from docstring_parser import parse  # 20 ms, for those who make tools only

    own = vars(documented).get("__doc__") if isinstance(documented, type) else getattr(documented, "__doc__", None)
    text = inspect.cleandoc(own) if isinstance(own, str) else ""  # what a class inherits says nothing of it
    if isinstance(documented, type) and text.startswith(f"{documented.__name__}("):
        return Doc()  # what dataclasses say of themselves
    parsed = parse(text)
    parameters = ((param.arg_name.lstrip("*"), " ".join((param.description or "").split())) for param in parsed.params)
    return Doc((parsed.description or "").strip(), tuple((name, about) for name, about in parameters if about))
