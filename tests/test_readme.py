"""The README says what is so: its Python runs as it stands, its commands are the ones that are tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from turnfold.shell.embedded.weights import QWEN_CODER_05B, cached
from turnfold.shell.folders import find_folders
from turnfold.shell.routed_models import engine_installed

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> tuple[str, ...]:
    return tuple(re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


def python(code: str, tmp_path: Path) -> str:
    """What ``code`` prints in a process of its own, with config and journal in a folder of the test's, and the weights where they are."""
    environ = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    kept = {name: value for name, value in environ.items() if not name.endswith("_API_KEY")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_example_runs_and_nothing_has_happened(tmp_path: Path) -> None:
    code = blocks("python")[0] + (
        "assert step == execute_command('/shell ls -la', BUILTIN_TOOLS, cfg) and hash(step)\n"
        "from turnfold.core.codec.codec import STEP, decode_untrusted, encode\n"
        "assert decode_untrusted(STEP, encode(STEP, step)).unwrap() == step\n"
        "print(step.effects[-1])\n"
    )
    printed = python(code, tmp_path)
    assert "script='ls -la'" in printed
    assert "cwd='/tmp/demo'" in printed
    assert list(tmp_path.iterdir()) == []


WEIGHTS = pytest.mark.skipif(
    not engine_installed() or cached(QWEN_CODER_05B, find_folders(os.environ).weights) is None,
    reason="the embedded model's engine or weights are not on this machine, and tests fetch none",
)


@WEIGHTS
def test_the_second_example_asks_and_goes_on(tmp_path: Path) -> None:
    first, second = blocks("python")[:2]
    code = (
        (first + second).replace("/tmp/demo", str(tmp_path))
        + f"""
from pathlib import Path
from turnfold import Decided
assert result.state.paused and not Path({str(tmp_path)!r}, "hello.txt").exists(), result
(question,) = result.questions
with real_world() as world:
    result = run(Decided(question.request_id, allowed=True), BUILTIN_TOOLS, result.cfg, world, state=result.state)
print(result.ended.reason, Path({str(tmp_path)!r}, "hello.txt").read_text())
"""
    )
    assert python(code, tmp_path).split() == ["Reason.COMPLETED", "hi"]


@WEIGHTS
def test_the_third_example_streams_a_run_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk.\n")
    first, _, third = blocks("python")[:3]
    code = (first + third).replace("/tmp/demo", str(tmp_path)) + "\nprint(type(item).__name__, item.reason)\n"
    assert python(code, tmp_path).splitlines()[-1].endswith("RunEnded Reason.COMPLETED")


def test_the_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target
