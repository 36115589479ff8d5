"""A picture given on the command line."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.cli.support import Bench, says
from turnfold.testing.server import ScriptedServer

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def test_the_model_is_shown_the_pictures_that_are_given(tmp_path: Path) -> None:
    with ScriptedServer((says("A dot."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "a dot.png").write_bytes(PNG)
        done = bench.run("What is it?", "--image", "a dot.png")
    assert done.code == 0, done.err
    assert done.out.endswith("A dot.\n")
    assert "a dot.png (image/png, 70 bytes)" in done.out
    (asked,) = server.requests
    assert base64.b64encode(PNG) in asked.body
    assert base64.b64encode(PNG).decode() not in done.out + done.err


def test_a_picture_that_is_none_is_told(tmp_path: Path) -> None:
    with ScriptedServer((says("I see none."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.run("What is it?", "--image", "nothing.png")
    assert "nothing.png" in done.out + done.err
    assert b"image_url" not in server.requests[0].body
