"""Recorded cases that turnfold meets otherwise on purpose: by topic, case id → reason, in the one file ``differences.json``.

A corpus test fails for any other difference; and for a listed one that does not differ (any more).
"""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent


def differences(topic: str) -> dict[str, str]:
    """The reasons of ``topic``, by the case's id."""
    found = json.loads((HERE / "differences.json").read_text(encoding="utf-8"))[topic]
    assert isinstance(found, dict)
    return {str(case): str(reason) for case, reason in found.items()}
