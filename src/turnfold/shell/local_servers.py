"""Which local model servers answer: GET {base URL}/models on loopback, side by side, within a short time."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import HTTPConnection, HTTPException
from typing import final
from urllib.parse import urlsplit

from turnfold.core.config.values import Provider
from turnfold.core.json import JsonObject, loads_untrusted
from turnfold.shell.discovery import Served, is_local

ANSWER_S = 0.3
LIST_BYTES = 1_000_000
NO_CHAT = ("embed", "rerank", "whisper")  # a model with one of these in its name does not talk; LM Studio always lists one


def probe_local(providers: tuple[Provider, ...]) -> tuple[Served, ...]:
    """The servers among ``providers`` that list a model within 0.3 s, in the order given; others than local ones are not asked."""
    probes = tuple(_Probe(provider) for provider in providers if is_local(provider.base_url))
    if not probes:
        return ()
    with ThreadPoolExecutor(len(probes)) as threads:
        running = tuple(threads.submit(probe.models) for probe in probes)
        wait(running, timeout=ANSWER_S)
        for probe in probes:
            probe.cut()  # a server that drips bytes would otherwise hold us up
        models = tuple(future.result() for future in running)
    return tuple(Served(probe.provider, listed) for probe, listed in zip(probes, models, strict=True) if listed)


def chat_models_untrusted(body: bytes) -> tuple[str, ...]:
    """The models of an OpenAI model list that can talk; none where it is no such list.

    >>> chat_models_untrusted(b'{"data": [{"id": "text-embedding-x"}, {"id": "qwen3:8b"}]}')
    ('qwen3:8b',)
    """
    value = loads_untrusted(body).value_or(None)
    listed = value.get("data") if isinstance(value, JsonObject) else None
    names = tuple(item.get("id") for item in (listed if isinstance(listed, tuple) else ()) if isinstance(item, JsonObject))
    return tuple(name for name in names if isinstance(name, str) and name and not any(word in name.lower() for word in NO_CHAT))


@final
class _Probe:
    """One question to one server, which another thread can cut."""

    __slots__ = ("_connection", "_path", "provider")

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        parts = urlsplit(provider.base_url)
        self._path = parts.path.rstrip("/") + "/models"
        self._connection = HTTPConnection(parts.netloc.rpartition("@")[2], timeout=ANSWER_S)

    def models(self) -> tuple[str, ...]:
        """The models that the server lists; none where it does not answer in time, or answers otherwise."""
        try:
            self._connection.request("GET", self._path)
            response = self._connection.getresponse()
            body = response.read(LIST_BYTES) if response.status == 200 else b""
        except (OSError, HTTPException, ValueError, OverflowError):
            return ()
        finally:
            self._connection.close()
        return chat_models_untrusted(body)

    def cut(self) -> None:
        """Shut the connection, so that whoever waits on it wakes."""
        line = self._connection.sock
        try:
            if line is not None:
                line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already
