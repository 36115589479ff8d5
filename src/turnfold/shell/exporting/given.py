"""Exporters that a program gives to its runs as values."""

from __future__ import annotations

from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.shell.absent import UNTRACED
from turnfold.shell.ports import Exporters, Tap


@final
@frozen
class GivenExporters(Exporters):
    """``given`` get the traces of every run of a world, besides those that ``beside`` knows; give a run a world of its own with
    ``attrs.evolve(world, exporters=GivenExporters((Tap(Exporter(name="mine"), sink),), world.exporters))``.
    """

    given: tuple[Tap, ...]
    beside: Exporters = UNTRACED

    @override
    def taps(self, cfg: ChatConfig) -> tuple[Tap, ...]:
        return (*self.given, *self.beside.taps(cfg))
