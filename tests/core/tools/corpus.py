"""The recorded cases of other systems: where they lie, and what one is."""

from __future__ import annotations

from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from turnfold.core.json import JsonObject, JsonValue, loads_untrusted

ROOT = Path(__file__).parents[3]
FOLDER = ROOT.parent / "shared" / "corpora"
NEEDS_CORPORA = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the corpora of recorded cases are not at {FOLDER}")


@final
@frozen
class Case:
    """One recorded case: ``id`` and ``fn`` as recorded, the rest by name."""

    id: str
    fn: str
    data: JsonObject

    def arguments(self) -> tuple[JsonValue, ...]:
        given = self.data["in"]
        found = given["args"] if isinstance(given, JsonObject) else ()
        assert isinstance(found, tuple)
        return found

    def files(self, when: str) -> tuple[tuple[str, str | None], ...]:
        found = self.data.get(f"files_{when}")
        members = found.members if isinstance(found, JsonObject) else ()
        return tuple((name, text if isinstance(text, str) else None) for name, text in members)

    def messages(self) -> str:
        found = self.data.get("messages")
        return "\n".join(text for text in found if isinstance(text, str)) if isinstance(found, tuple) else ""


def cases(topic: str, *functions: str) -> tuple[Case, ...]:
    """The cases of ``topic`` that call one of ``functions`` (all, where none is named); none where there are no corpora."""
    path = FOLDER / f"{topic}.json"
    found = loads_untrusted(path.read_text(encoding="utf-8")).unwrap() if path.is_file() else ()
    assert isinstance(found, tuple)
    read = tuple(Case(str(each["id"]), str(each["fn"]), each) for each in found if isinstance(each, JsonObject))
    return tuple(case for case in read if not functions or case.fn in functions)
