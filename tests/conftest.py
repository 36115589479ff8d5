"""What every test may use: hypothesis' profiles, and the watch that sees effects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, settings

from turnfold.testing.purity import EffectWatch

# The same examples in every run, so a failure is never news about chance; `--hypothesis-profile=nightly` looks further.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("nightly", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("ci")


@pytest.fixture(scope="session")
def no_effects() -> Callable[[], AbstractContextManager[None]]:
    """What makes a context whose block fails when it reads or changes anything outside of its arguments."""
    return EffectWatch().no_effects
