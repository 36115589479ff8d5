"""What is said of a request: it may be performed, a person must be asked, or it may not."""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen


@final
@frozen
class Allow:
    """It may be performed at once."""


@final
@frozen
class Ask:
    """A person must say so first."""

    reason: str


@final
@frozen
class Deny:
    """It may not be performed."""

    reason: str


Permission: TypeAlias = Allow | Ask | Deny


def strictest(said: tuple[Permission, ...]) -> Permission:
    """What holds for all of these together: the first denial, else the first question.

    >>> strictest((Allow(), Ask("a"), Deny("b"))), strictest(())
    (Deny(reason='b'), Allow())
    """
    for kind in (Deny, Ask):
        for each in said:
            if isinstance(each, kind):
                return each
    return Allow()
