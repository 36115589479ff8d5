"""The Chromium of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from turnfold.core.problem import Problem, caller_problem

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
CACHES = (".cache/ms-playwright", "Library/Caches/ms-playwright")  # what `playwright install chromium` fills
INSTALLED = "chromium*/chrome-*/*"
PROGRAMS = ("chrome", "headless_shell", "chrome-headless-shell")
HOW = "install one (`apt install chromium`, or `playwright install chromium`), or name it in the setting web.browser"


def find_chromium(named: str, variables: Mapping[str, str]) -> str | Problem:
    """The path of the Chromium to start: the one that is ``named``, else one on the PATH, else Playwright's own."""
    path = variables.get("PATH", "")
    if named:
        return shutil.which(named, path=path) or caller_problem(
            "no-browser", f"There is no program {named}: correct the setting web.browser."
        )
    on_path = (shutil.which(name, path=path) for name in NAMES)
    programs = (name for name in APPLICATIONS if Path(name).exists())
    found = next((each for each in (*on_path, *programs, *_of_playwright(variables)) if each), None)
    return found or caller_problem("no-browser", f"There is no Chromium here: {HOW}.")


def _of_playwright(variables: Mapping[str, str]) -> tuple[str, ...]:
    """What Playwright has installed, the newest first."""
    home = variables.get("HOME", "")
    folders = [Path(variables["PLAYWRIGHT_BROWSERS_PATH"])] if variables.get("PLAYWRIGHT_BROWSERS_PATH") else []
    folders += [Path(home) / folder for folder in CACHES] if home else []
    found = (each for folder in folders for each in folder.glob(INSTALLED) if each.name in PROGRAMS and each.is_file())
    return tuple(sorted(map(str, found), reverse=True))
