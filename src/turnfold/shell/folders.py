"""Where turnfold keeps things on this machine; it imports next to nothing, so that what only looks there need not wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import final

import platformdirs
from attrs import frozen

HOME = "TURNFOLD_HOME"
NOWHERE = Path("/dev/null/no-home")  # nobody can make it, root neither


@final
@frozen(kw_only=True)
class Folders:
    """Where turnfold keeps things: config files, the journal, and what can be fetched again."""

    config: Path
    data: Path
    cache: Path

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.data / "journal.sqlite3"

    @property
    def traces(self) -> Path:
        """The folder of traces, where an exporter names no file."""
        return self.data / "traces"

    @property
    def indexes(self) -> Path:
        """The folder of the indexes of files."""
        return self.cache / "indexes"

    @property
    def weights(self) -> Path:
        """The folder of the embedded model's weights."""
        return self.cache / "models"


def find_folders(environ: Mapping[str, str]) -> Folders:
    """The platform's folders for turnfold, or folders below ``TURNFOLD_HOME``."""
    home = environ.get(HOME)
    if home:
        return Folders(config=Path(home) / "config", data=Path(home) / "data", cache=Path(home) / "cache")
    return Folders(
        config=_somewhere(platformdirs.user_config_path, "config"),
        data=_somewhere(platformdirs.user_data_path, "data"),
        cache=_somewhere(platformdirs.user_cache_path, "cache"),
    )


def _somewhere(find: Callable[[str], Path], kind: str) -> Path:
    """The platform's folder of that kind; where there is no home, one that isn't there: nothing may end up where we happen to run."""
    try:
        path = find("turnfold")
    except RuntimeError:  # what platformdirs says then; before 4.5 it gave a relative path
        return NOWHERE / kind
    return path if path.is_absolute() else NOWHERE / kind
