"""The models that there are: servers over HTTP, and the embedded one, behind one port.

The embedded model's weights are fetched and its process is started with its first call, so a conversation that never
calls it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TypeAlias, final

from attrs import evolve, frozen
from returns.result import Failure, Result, Success
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.catalogue import catalogue, with_catalogue
from turnfold.shell.discovery import EMBEDDED, Chosen, Probe, Served, Source, find_model
from turnfold.shell.embedded.beginning import ENGINE, Beginnings
from turnfold.shell.embedded.model import EmbeddedError, EmbeddedModel
from turnfold.shell.embedded.profile import EMBEDDED_MODEL, EMBEDDED_PROFILE, EMBEDDED_PROVIDER
from turnfold.shell.embedded.weights import QWEN_CODER_05B, FetchProblem, Progress, Weights, cached
from turnfold.shell.models import HttpModels
from turnfold.shell.ports import Models, Secrets
from turnfold.shell.scope import Scope

INSTALL = "pip install 'turnfold[local]'"

Fetch: TypeAlias = Callable[[Weights, Path, Progress], Result[Path, FetchProblem]]


def fetched(weights: Weights, folder: Path, progress: Progress) -> Result[Path, FetchProblem]:
    """The weights' path in ``folder``; where they aren't there yet they are fetched, and the HTTP library is imported for that."""
    there = cached(weights, folder)
    if there is not None:
        return Success(there)
    from turnfold.shell.embedded.fetch import fetch

    return fetch(weights, folder, progress)


def probed(providers: tuple[Provider, ...]) -> tuple[Served, ...]:
    """The local servers that answer; the HTTP client is imported when one is asked."""
    from turnfold.shell.local_servers import probe_local

    return probe_local(providers)


def engine_installed() -> bool:
    """Whether the package that runs the embedded model is there; it is not imported."""
    return find_spec(ENGINE) is not None


@final
class FetchStopped(Exception):
    """The call that the weights were fetched for was cancelled; what has come is kept."""


@final
@frozen(kw_only=True)
class Finders:
    """How what there is is found: weights, local servers, and the engine."""

    fetch: Fetch = fetched
    probe: Probe = probed
    installed: Callable[[], bool] = engine_installed


FINDERS = Finders()


@final
class RoutedModels(Models):
    """Chooses a model, and sends each call to where its model is. ``tell`` hears what was chosen and why, once a choice."""

    __slots__ = ("_embedded", "_finders", "_http", "_lock", "_progress", "_secrets", "_shipped", "_tell", "_told", "_weights")

    def __init__(
        self, secrets: Secrets, weights: Path, tell: Callable[[Chosen], None], progress: Progress, finders: Finders = FINDERS
    ) -> None:
        self._http = HttpModels(secrets)
        self._secrets = secrets
        self._weights = weights
        self._tell = tell
        self._progress = progress
        self._finders = finders
        self._lock = Lock()
        self._embedded: EmbeddedModel | None = None
        self._shipped: Overrides | None = None
        self._told: Chosen | None = None

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        """``cfg`` with a model, and with the table of models under it, where it lacks one. A model that it names stays as it is named."""
        known = with_catalogue(cfg, self._catalogue)
        installed = self._finders.installed()
        chosen = find_model(known, self._secrets, self._finders.probe, embedded=installed)
        if isinstance(chosen, Problem):
            return chosen
        if chosen.model.startswith(f"{EMBEDDED}/") and chosen.model != EMBEDDED_MODEL:
            return caller_problem("unknown-model", f"There is one embedded model, {EMBEDDED_MODEL}: write  embedded  for it.", "$.model")
        self._heard(chosen)
        if chosen.model.partition("/")[0] != EMBEDDED:
            return known if known.model else evolve(known, model=chosen.model)
        if not installed:
            return caller_problem("no-engine", f"The embedded model needs its engine: {INSTALL}, or name another model with --model.")
        return known if known.model else evolve(known, model=EMBEDDED_MODEL)

    def _catalogue(self) -> Overrides:
        """The table of models, read once."""
        if self._shipped is None:
            self._shipped = catalogue()
        return self._shipped

    def _heard(self, chosen: Chosen) -> None:
        """Tell of a choice that is another one than the last."""
        if chosen != self._told:
            self._told = chosen
            self._tell(chosen)

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        """The reply's bytes, from wherever the model is."""
        if request.provider.base_url != EMBEDDED_PROVIDER.base_url:
            return self._http.stream(request, body, scope)
        with self._lock:
            ready = self._ready(scope)
        if isinstance(ready, Problem):
            return ready
        try:
            ready.stream(body, scope.emit, lambda: scope.cancelled)
        except EmbeddedError as error:
            return world_problem("embedded-failed", str(error))
        return StreamEnded()

    def _ready(self, scope: Scope) -> EmbeddedModel | Problem:
        def progress(done_bytes: int, total_bytes: int) -> None:
            self._progress(done_bytes, total_bytes)
            if scope.cancelled:
                raise FetchStopped

        if self._embedded is None:
            try:
                path = self._finders.fetch(QWEN_CODER_05B, self._weights, progress)
            except FetchStopped:
                return world_problem("cancelled", "Fetching the weights was cancelled; what has come is kept.")
            if isinstance(path, Failure):
                problem = path.failure()
                return world_problem(f"weights-{problem.code}", problem.sentence)
            beginnings = Beginnings(profile=EMBEDDED_PROFILE, weights_sha256=QWEN_CODER_05B.sha256)
            self._embedded = EmbeddedModel.start(path.unwrap(), beginnings)
        return self._embedded

    @override
    def close(self) -> None:
        """End connections and the embedded model's process."""
        self._http.close()
        with self._lock:
            embedded, self._embedded = self._embedded, None
        if embedded is not None:
            embedded.close()


def explained(chosen: Chosen) -> str:
    """One line for a person: which model is used, why, and, for the embedded one, what it is good for."""
    if chosen.source is Source.EMBEDDED or chosen.model.partition("/")[0] == EMBEDDED:
        return (
            f"Using the embedded model ({chosen.reason}): good for small one-step tasks with files, the shell and Python, no coding agent. "
            "For a better one set OPENAI_API_KEY, run Ollama, or name one with --model PROVIDER/NAME."
        )
    return f"Using {chosen.model} ({chosen.reason})."
