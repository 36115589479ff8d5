"""Secrets: resolved here, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import final

from attrs import field, frozen
from typing_extensions import override

from turnfold.shell.ports import Secrets


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

    @override
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, value in self.environ.items() if value))
