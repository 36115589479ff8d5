"""What tests with the real weights share: where those are, when to skip, requests, and what came of them."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from turnfold.shell.embedded.model import EmbeddedModel
from turnfold.shell.embedded.weights import QWEN_CODER_05B, cached
from turnfold.shell.folders import find_folders

CACHE = Path(os.environ.get("TURNFOLD_TEST_WEIGHTS") or find_folders(os.environ).weights)
WEIGHTS = CACHE / QWEN_CODER_05B.name
MISSING = (
    "the engine xllamacpp is not installed (pip install 'turnfold[local]')"
    if find_spec("xllamacpp") is None
    else f"the embedded model's weights are not cached at {WEIGHTS}, and tests fetch none"
)
needs_weights = pytest.mark.skipif(find_spec("xllamacpp") is None or cached(QWEN_CODER_05B, CACHE) is None, reason=MISSING)


def pointing(folder: Path) -> Path:
    """The weights' path in a folder of the test's own, which points to the real ones: what is kept beside them is the test's."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS.name
    path.symlink_to(WEIGHTS)
    return path


def never() -> bool:
    """Not cancelled."""
    return False


def body(text: str, **more: object) -> bytes:
    """A request with one user message."""
    return json.dumps({"messages": [{"role": "user", "content": text}], "temperature": 0, **more}).encode()


def contents(stream: bytes) -> str:
    """The reply's text in an event stream."""
    deltas = [choice["delta"] for event in events(stream) for choice in event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def events(stream: bytes) -> list[dict[str, list[dict[str, dict[str, str]]]]]:
    """The JSON events of a stream."""
    lines = [event.removeprefix("data: ") for event in stream.decode().split("\n\n") if event]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def cached_tokens(stream: bytes) -> int:
    """How many tokens of the prompt had been read before."""
    timings = [json.loads(event[6:])["timings"] for event in stream.decode().split("\n\n") if '"timings"' in event]
    return int(timings[-1]["cache_n"])


def ask(model: EmbeddedModel, request: bytes) -> bytes:
    """The whole event stream of one request."""
    pieces: list[bytes] = []
    model.stream(request, pieces.append, never)
    return b"".join(pieces)
