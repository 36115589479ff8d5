"""A chunk of a long reply costs what one of a short reply costs, in every text format."""

from __future__ import annotations

import pytest

from tests.benchmarks.parsing import cost, replies
from turnfold.core.config.values import ToolFormat

SIZE = 1_000_000
CHUNK = 40  # fewer chunks than a model sends, so that the whole megabyte is read in a moment
GROWTH = 3.0  # flat is 1; a walk of what came before, a chunk, would make it dozens


@pytest.mark.parametrize("format", [ToolFormat.MARKDOWN, ToolFormat.XML])
@pytest.mark.parametrize("kind", ["a call's lines", "a call's one line", "prose"])
def test_the_cost_of_a_chunk_does_not_grow(format: ToolFormat, kind: str) -> None:
    found = cost(replies(format, SIZE)[kind], format, CHUNK)
    assert min(found.growth, cost(replies(format, SIZE)[kind], format, CHUNK).growth) < GROWTH, found
