"""Which model is used when nobody names one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import final

import pytest
from attrs import evolve, frozen

from turnfold.core.config.layers import Config
from turnfold.core.config.values import ModelProfile, Provider, SecretRef
from turnfold.core.problem import Problem
from turnfold.shell.catalogue import catalogue
from turnfold.shell.discovery import EMBEDDED, Chosen, Served, Source, choose, find_model, is_local, local_providers
from turnfold.shell.local_servers import chat_models_untrusted, probe_local
from turnfold.testing.server import ScriptedReply, ScriptedServer

MINE = Provider(name="mine", base_url="https://mine.example/v1")
OLLAMA = next(provider for provider in Config().providers if provider.name == "ollama")
JSON = (("Content-Type", "application/json"),)
LIST = ScriptedReply(headers=JSON, chunks=(b'{"object":"list","data":[{"id":"nomic-embed-text"},{"id":"qwen3:8b"},{"id":"b"}]}',))


@final
@frozen
class Known:
    """A port ``Secrets`` that knows some names."""

    known: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        return self.known

    def value(self, name: str) -> str | None:
        return "sk-1" if name in self.known else " " if name == "OPENAI_API_KEY" else None


def not_asked(providers: tuple[Provider, ...]) -> tuple[Served, ...]:
    raise AssertionError("no server may be asked")


def chosen(found: Chosen | Problem) -> tuple[str, Source]:
    assert isinstance(found, Chosen), found
    assert found.reason
    return found.model, found.source


def test_what_is_named_wins_and_nothing_is_asked() -> None:
    cfg = Config(model="openrouter/anthropic/claude-x")
    assert chosen(find_model(cfg, Known(("OPENAI_API_KEY",)), not_asked, embedded=True)) == ("openrouter/anthropic/claude-x", Source.CONFIG)
    assert chosen(find_model(Config(model="embedded"), Known(), not_asked))[0] == EMBEDDED


@pytest.mark.parametrize(
    ("model", "hint"), [("opnai/gpt-5", "did you mean openai/gpt-5?"), ("gpt-5", "write PROVIDER/MODEL"), ("openai", "openai/MODEL")]
)
def test_a_name_without_a_provider_is_a_problem(model: str, hint: str) -> None:
    found = find_model(Config(model=model), Known(), not_asked, embedded=True)
    assert isinstance(found, Problem)
    assert (found.code, hint in found.message) == ("unknown-model", True)


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("sonet", "did you mean sonnet?"),
        ("gpt-5.4-mini", "did you mean openai/gpt-5.4-mini"),
        ("antropic/claude-x", "did you mean anthropic/claude-x?"),
        ("groq", "did you mean groq/MODEL"),
    ],
)
def test_a_name_that_is_nearly_one_is_told_what_it_may_mean(model: str, hint: str) -> None:
    found = find_model(Config(model=model, files=(catalogue(),)), Known(), not_asked)
    assert isinstance(found, Problem)
    assert hint in found.message, found.message


def test_an_alias_is_the_model_that_it_stands_for() -> None:
    known = Config(model="sonnet", files=(catalogue(),))
    found = find_model(known, Known(), not_asked)
    assert isinstance(found, Chosen)
    assert (found.model, found.reason) == ("anthropic/claude-sonnet-5-5", "it is named, as sonnet")
    own = Config(
        model="sonnet", models=(ModelProfile(pattern="mine/one", aliases=("sonnet",)),), providers=(OLLAMA, MINE), files=(catalogue(),)
    )
    assert chosen(find_model(own, Known(), not_asked))[0] == "mine/one"


def test_the_first_provider_with_a_key_and_a_model_is_taken_in_the_order_that_they_are_listed() -> None:
    both = Known(("XAI_API_KEY", "GROQ_API_KEY", "MY_KEY", "OTHER_KEY"))
    shipped = Config(files=(catalogue(),))
    assert chosen(find_model(shipped, both, not_asked))[0].startswith("groq/")
    secret = Provider(name="other", base_url="https://other.example/v1", secret=SecretRef("OTHER_KEY"))
    mine = evolve(MINE, secret=SecretRef("MY_KEY"), default_model="one")
    assert chosen(find_model(evolve(shipped, providers=(secret, mine)), both, not_asked)) == ("mine/one", Source.KEY)


def test_keys_come_next_and_a_blank_one_is_none() -> None:
    both = Known(("OPENROUTER_API_KEY", "OPENAI_API_KEY"))
    assert chosen(find_model(Config(), both, not_asked, embedded=True)) == ("openai/gpt-5-mini", Source.KEY)
    assert chosen(find_model(Config(), Known(("OPENROUTER_API_KEY",)), not_asked)) == ("openrouter/openai/gpt-5-mini", Source.KEY)


def test_then_a_local_server_then_the_embedded_model_then_a_problem() -> None:
    served = (Served(OLLAMA, ("qwen3:8b", "other")), Served(OLLAMA, ("more",)))
    assert chosen(find_model(Config(), Known(), lambda _: served, embedded=True)) == ("ollama/qwen3:8b", Source.LOCAL)
    assert chosen(find_model(Config(), Known(), lambda _: (), embedded=True)) == (EMBEDDED, Source.EMBEDDED)
    found = choose(Config(), (), (), embedded=False)
    assert isinstance(found, Problem)
    assert (found.code, "pip install 'turnfold[local]'" in found.message) == ("no-model", True)


def test_local_providers_are_those_of_this_machine_without_a_key() -> None:
    mine = Provider(name="mine", base_url="http://localhost:4321/v1")
    far = Provider(name="far", base_url="http://10.0.0.1:4321/v1")
    names = [provider.name for provider in local_providers(Config(providers=(mine, far)))]
    assert names == ["mine", "ollama", "lmstudio", "llamacpp", "vllm"]


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://u:p@127.0.0.1:80", True),
        ("http://127.0.0.1:80@evil.example/v1", False),
        ("http://127.0.0.1:x/v1", False),
        ("http://localhost.example/", False),
        ("", False),
    ],
)
def test_is_local(url: str, local: bool) -> None:
    assert is_local(url) is local


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data":1}', b'{"data":[1,{},{"id":1},{"id":""},{"id":"x-Embed"}]}'])
def test_what_lists_no_model(body: bytes) -> None:
    assert chat_models_untrusted(body) == ()


def provider(name: str, base_url: str) -> Provider:
    return Provider(name=name, base_url=base_url)


@contextmanager
def a_silent_listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_servers_are_asked_side_by_side_and_told_in_order() -> None:
    drip = ScriptedReply(chunks=(b"x", b"y"), gate=Event(), gate_at=1)
    before = threading.active_count()
    with (
        a_silent_listener() as silent,
        ScriptedServer((LIST,)) as first,
        ScriptedServer((LIST,)) as second,
        ScriptedServer((drip,)) as dripping,
    ):
        asked = (
            provider("silent", silent),
            provider("dripping", dripping.base_url),
            provider("second", second.base_url),
            provider("refused", "http://127.0.0.1:9/v1"),
            provider("far", "http://192.0.2.1:80/v1"),
            provider("bad", "http://127.0.0.1:99999999/v1"),
            provider("first", first.base_url),
        )
        start = time.monotonic()
        found = probe_local(asked)
        assert time.monotonic() - start < 0.5
        assert [(each.provider.name, each.models) for each in found] == [("second", ("qwen3:8b", "b")), ("first", ("qwen3:8b", "b"))]
        assert [(seen.method, seen.path) for seen in first.requests] == [("GET", "/v1/models")]
    assert threading.active_count() == before


def test_errors_and_pages_are_no_servers() -> None:
    with ScriptedServer((ScriptedReply(status=404, chunks=(b'{"data":[{"id":"a"}]}',)), ScriptedReply(chunks=(b"<html>",)))) as server:
        assert probe_local((provider("a", server.base_url),)) == ()
        assert probe_local((provider("a", server.base_url),)) == ()


def test_nobody_to_ask() -> None:
    assert probe_local(()) == ()
