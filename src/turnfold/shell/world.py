"""The world as a value: a frozen record of ports, made once by the caller and passed along."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.shell.ports import Clock, Files, Human, Journal, Models, Processes, Pythons, Secrets


@final
@frozen(kw_only=True)
class World:
    """Everything that a run may touch. Nothing is shared behind it: two worlds know nothing of each other."""

    files: Files
    processes: Processes
    pythons: Pythons
    models: Models
    clock: Clock
    secrets: Secrets
    human: Human
    journal: Journal
