"""What could not be carried over, said."""

from __future__ import annotations

from typing import final

from attrs import frozen
from typing_extensions import override


@final
@frozen
class Left:
    """Something that is not there any more: where it stood, and why, or what to do about it. Never holds a secret's value.

    >>> str(Left("user.avatar", "turnfold shows no pictures"))
    'user.avatar: turnfold shows no pictures'
    """

    path: str
    why: str

    @override
    def __str__(self) -> str:
        return f"{self.path}: {self.why}"
