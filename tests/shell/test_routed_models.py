"""Which model is taken, and where a call goes: no server but scripted ones, no weights but those said to be there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from tests.shell.support import nothing_left
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.models import find_provider, full_name, profile_of
from turnfold.core.config.values import ModelProfile, Provider
from turnfold.core.problem import Problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.discovery import Chosen, Served, Source
from turnfold.shell.embedded.profile import EMBEDDED_MODEL, EMBEDDED_PROFILE, EMBEDDED_PROVIDER
from turnfold.shell.embedded.weights import FetchProblem, Progress, Weights
from turnfold.shell.real import unseen
from turnfold.shell.routed_models import Finders, RoutedModels, explained, fetched
from turnfold.shell.scope import Scope
from turnfold.shell.secrets import EnvironmentSecrets
from turnfold.testing.server import ScriptedReply, ScriptedServer

ACME = Provider(name="acme", base_url="http://127.0.0.1:9/v1")
OLLAMA = next(provider for provider in Config().providers if provider.name == "ollama")
CALL = CallModel(provider=EMBEDDED_PROVIDER, model=EMBEDDED_MODEL, upto=0)


def absent(weights: Weights, folder: Path, progress: Progress) -> Result[Path, FetchProblem]:
    """Weights that are said to be there, and are not: a model on them starts no process."""
    return Success(folder / "absent.gguf")


def nobody(providers: tuple[Provider, ...]) -> tuple[Served, ...]:
    return ()


def unasked(providers: tuple[Provider, ...]) -> tuple[Served, ...]:
    raise AssertionError("no server may be asked")


HERE = Finders(fetch=absent, probe=nobody, installed=lambda: True)
WITHOUT = evolve(HERE, installed=lambda: False)


@define
class Told:
    chosen: list[Chosen] = field(factory=list)


def routed(finders: Finders, told: Told | None = None, **environ: str) -> RoutedModels:
    heard = told or Told()
    return RoutedModels(EnvironmentSecrets(environ), Path("/nowhere"), heard.chosen.append, unseen, finders)


def config(model: str = "", *providers: Provider) -> ChatConfig:
    user = Config(providers=providers) if providers else Config()
    return ChatConfig(ProjectConfig(evolve(user, model=model) if model else user), workspace="/w")


def chosen(models: RoutedModels, cfg: ChatConfig) -> ChatConfig:
    found = models.choose(cfg)
    assert not isinstance(found, Problem)
    return found


def problem(outcome: object) -> Problem:
    assert isinstance(outcome, Problem)
    return outcome


def test_a_named_model_is_taken_and_nothing_is_asked() -> None:
    told = Told()
    cfg = chosen(routed(evolve(WITHOUT, probe=unasked), told, OPENAI_API_KEY="sk-1"), config("acme/big", ACME))
    assert cfg.model == "acme/big"
    assert [each.source for each in told.chosen] == [Source.CONFIG]


@pytest.mark.parametrize("name", ["embedded", "embedded/qwen2.5-coder-0.5b"])
def test_the_embedded_model_by_name_comes_with_provider_and_profile(name: str) -> None:
    cfg = chosen(routed(evolve(HERE, probe=unasked), OPENAI_API_KEY="sk-1"), config(name))
    located = find_provider(cfg)
    assert not isinstance(located, Problem)
    profile = profile_of(cfg)
    assert (full_name(cfg, cfg.model), located.provider, profile.pattern) == (EMBEDDED_MODEL, EMBEDDED_PROVIDER, EMBEDDED_MODEL)
    assert (profile.examples, profile.must_call, profile.input_usd) == (EMBEDDED_PROFILE.examples, True, 0)


def test_no_other_model_is_taken_for_the_embedded_one_that_is_named() -> None:
    told = problem(routed(evolve(HERE, probe=unasked)).choose(config("embedded/qwen3")))
    assert told.message == "There is one embedded model, embedded/qwen2.5-coder-0.5b: write  embedded  for it."


def test_a_profile_of_one_s_own_stands_before_the_embedded_one() -> None:
    own = ModelProfile(pattern="embedded/*", instructions="Mine.")
    cfg = evolve(config("embedded"), models=(own,))
    assert profile_of(chosen(routed(HERE), cfg)) == own


def test_what_is_chosen_knows_the_prices_and_is_told_once() -> None:
    told = Told()
    models = routed(HERE, told, ANTHROPIC_API_KEY="k")
    first, again = chosen(models, config("sonnet")), chosen(models, config("sonnet"))
    assert (first.model, profile_of(first).input_usd) == ("sonnet", 2.0)
    assert first == again
    assert [each.model for each in told.chosen] == ["anthropic/claude-sonnet-5-5"]
    assert chosen(models, first) is first


def test_a_key_decides_before_a_server_and_a_server_before_the_embedded_model() -> None:
    serving = evolve(HERE, probe=lambda providers: (Served(OLLAMA, ("qwen3",)),))
    assert chosen(routed(evolve(serving, probe=unasked), OPENAI_API_KEY="sk-1"), config()).model.startswith("openai/")
    assert chosen(routed(serving), config()).model == "ollama/qwen3"
    assert chosen(routed(HERE), config()).model == EMBEDDED_MODEL


def test_without_the_engine_there_is_one_sentence_with_what_to_do() -> None:
    unnamed, named = (problem(routed(WITHOUT).choose(config(name))) for name in ("", "embedded"))
    assert (unnamed.code, named.code) == ("no-model", "no-engine")
    assert all("pip install 'turnfold[local]'" in each.message for each in (unnamed, named))


def test_a_provider_that_nobody_knows_is_a_problem_and_nothing_is_told() -> None:
    told = Told()
    assert problem(routed(HERE, told).choose(config("opnai/x"))).code == "unknown-model"
    assert told.chosen == []


def test_weights_that_do_not_come_are_told_and_asked_for_again() -> None:
    asked: list[Path] = []

    def failing(weights: Weights, folder: Path, progress: Progress) -> Result[Path, FetchProblem]:
        asked.append(folder)
        return Failure(FetchProblem(code="network", sentence="No network. Connect and run the same command again."))

    models = routed(evolve(HERE, fetch=failing))
    outcomes = [problem(models.stream(CALL, b"{}", Scope())) for _ in range(2)]
    assert {(each.code, each.message) for each in outcomes} == {("weights-network", "No network. Connect and run the same command again.")}
    assert asked == [Path("/nowhere")] * 2


def test_a_cancel_ends_the_fetch_at_its_next_piece() -> None:
    scope = Scope()
    shown: list[int] = []

    def endless(weights: Weights, folder: Path, progress: Progress) -> Result[Path, FetchProblem]:
        for done_bytes in range(weights.size_bytes):
            if done_bytes == 3:
                scope.cancel()
            progress(done_bytes, weights.size_bytes)
        raise AssertionError("nobody stopped it")

    models = RoutedModels(
        EnvironmentSecrets({}), Path("/nowhere"), Told().chosen.append, lambda done, total: shown.append(done), evolve(HERE, fetch=endless)
    )
    assert problem(models.stream(CALL, b"{}", scope)).code == "cancelled"
    assert shown == [0, 1, 2, 3]


def test_weights_that_are_there_are_not_fetched(tmp_path: Path) -> None:
    weights = Weights(name="w", size_bytes=3, sha256="", licence="", repository="", revision="", file="", hub="http://127.0.0.1:1")
    (tmp_path / "w").write_bytes(b"abc")
    assert fetched(weights, tmp_path, unseen).unwrap() == tmp_path / "w"
    assert fetched(evolve(weights, size_bytes=4), tmp_path, unseen).failure().code == "network"


def test_a_model_that_cannot_start_is_a_problem_with_what_to_do() -> None:
    outcome = problem(routed(HERE).stream(CALL, b"{}", Scope()))
    assert (outcome.code, "absent.gguf is not there: fetch the weights first" in outcome.message) == ("embedded-failed", True)


def test_two_threads_at_once_fetch_once() -> None:
    begun, gate = Event(), Event()
    asked: list[Path] = []

    def slow(weights: Weights, folder: Path, progress: Progress) -> Result[Path, FetchProblem]:
        asked.append(folder)
        begun.set()
        assert gate.wait(20)
        return absent(weights, folder, progress)

    models = routed(evolve(HERE, fetch=slow))
    outcomes: list[object] = []

    def call() -> None:
        outcomes.append(models.stream(CALL, b"{}", Scope()))

    with nothing_left():
        threads = [threading.Thread(target=call) for _ in range(2)]
        threads[0].start()
        assert begun.wait(20)
        threads[1].start()
        gate.set()
        for thread in threads:
            thread.join()
        models.close()
    assert [problem(outcome).code for outcome in outcomes] == ["embedded-failed"] * 2
    assert len(asked) == 1


@pytest.mark.parametrize("begin", [lambda models: None, lambda models: models.stream(CALL, b"{}", Scope())])
def test_close_without_a_process_leaves_nothing_and_may_be_said_twice(begin: Callable[[RoutedModels], object]) -> None:
    with nothing_left():
        models = routed(HERE)
        begin(models)
        models.close()
        models.close()


def test_other_providers_are_spoken_to_over_http() -> None:
    chunks: list[bytes] = []
    models = routed(HERE)
    with ScriptedServer((ScriptedReply(chunks=(b"data: 1\n\n",)),)) as server:
        call = CallModel(provider=evolve(ACME, base_url=server.base_url), model="big", upto=0)
        assert models.stream(call, b"{}", Scope(chunks.append)) == StreamEnded()
        models.close()
    assert b"".join(chunks) == b"data: 1\n\n"


def test_the_line_for_a_person_says_which_and_why_and_of_the_embedded_one_what_it_is_good_for() -> None:
    key = explained(Chosen(model="openai/gpt-5-mini", source=Source.KEY, reason="OPENAI_API_KEY is set"))
    assert key == "Using openai/gpt-5-mini (OPENAI_API_KEY is set)."
    for model, source in (("embedded", Source.EMBEDDED), (EMBEDDED_MODEL, Source.CONFIG)):
        line = explained(Chosen(model=model, source=source, reason="why"))
        assert "\n" not in line
        assert all(
            part in line for part in ("the embedded model (why)", "small one-step tasks", "no coding agent", "--model PROVIDER/NAME")
        )
