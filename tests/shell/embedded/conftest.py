"""One real world with the embedded model for all tests that leave it whole: its process and its beginning are dear."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.embedded.support import pointing
from turnfold import World, real_world
from turnfold.shell.folders import Folders


@pytest.fixture(scope="session")
def embedded_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that points to the real weights, so that no test writes into a person's cache."""
    cache = tmp_path_factory.mktemp("cache")
    pointing(cache / "models")
    return cache


@pytest.fixture(scope="session")
def embedded_world(embedded_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """This machine without a key, its journal in a folder of the tests' own, and nobody to ask."""
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    home = tmp_path_factory.mktemp("home")
    with real_world(environ=environ, folders=Folders(config=home, data=home, cache=embedded_cache)) as world:
        yield world
