"""turnfold doctor on what this machine can do."""

from __future__ import annotations

import os
from pathlib import Path

from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.cli.doctor import _sandboxes
from turnfold.core.config.tables import Sandbox, SandboxProfile


def test_doctor_tells_which_sandbox_is_in_force_or_that_no_command_will_run(tmp_path: Path) -> None:
    sandbox = Sandbox(profile=SandboxProfile.WORKSPACE, network=False)
    cfg = ChatConfig(ProjectConfig(Config(sandbox=sandbox)), workspace=str(tmp_path))
    findings = {each.name: each for each in _sandboxes(cfg, {"PATH": os.environ["PATH"]})}
    works = [name for name in ("bubblewrap", "sandlock") if findings[name].text == "works"]
    told = f"writes below {tmp_path} only, no network"
    assert findings["sandbox"].good is bool(works)
    assert findings["sandbox"].text.startswith(f"{works[0]}: {told}" if works else f"none works, so no command will run ({told})")
