"""Secrets: resolved here by name, and masked in what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import final

from attrs import field, frozen
from typing_extensions import override

from turnfold.shell.ports import Secrets

MASK = "***"
MASKED_LENGTH = 4  # a shorter value would mask half of every text


def _own_copy(values: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(values))


@final
@frozen(eq=False)
class EnvironmentSecrets(Secrets):
    """Secrets from environment variables, as they were when the mapping was handed in.

    >>> secrets = EnvironmentSecrets({"A_KEY": "s3cret", "EMPTY": ""})
    >>> secrets.value("A_KEY"), secrets.value("EMPTY"), secrets
    ('s3cret', None, EnvironmentSecrets())
    """

    environ: Mapping[str, str] = field(converter=_own_copy, repr=False)

    @override
    def value(self, name: str) -> str | None:
        return self.environ.get(name) or None


def mask(text: str, values: Iterable[str]) -> str:
    """``text`` with every secret value of at least four characters replaced by ``***``, the longest first.

    >>> mask("Bearer s3cret-1 and s3cret", ["s3cret", "s3cret-1", "and"])
    'Bearer *** and ***'
    """
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= MASKED_LENGTH:
            text = text.replace(value, MASK)
    return text
