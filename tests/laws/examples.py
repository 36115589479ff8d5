"""How many examples a law is tried on: so many under the ``ci`` profile, more in proportion under ``nightly``."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100  # of the ci profile


def examples(count: int) -> settings:
    """Settings for ``count`` examples under the ci profile."""
    profile = settings.default
    return settings(max_examples=count if profile is None else max(count * profile.max_examples // USUAL, 1))
