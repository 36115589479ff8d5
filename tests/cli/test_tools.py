"""The command with tools of one's own: modules and MCP servers that the settings name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.cli.support import SECRET, Bench, calls, says
from tests.shell.mcp.support import STDIO
from turnfold.testing.server import ScriptedServer

MODULE = '''from pathlib import Path
from turnfold import Caller, tool

@tool
def shout(caller: Caller, word: str) -> str:
    """Say it loud."""
    return word.upper() + " in " + Path(caller.workspace).name

TOOLS = (shout,)
'''


def bench_with_both(folder: Path, base_url: str) -> Bench:
    module, server = folder / "mine.py", folder / "server.py"
    module.write_text(MODULE)
    server.write_text(STDIO)
    bench = Bench.at(folder, base_url, f"tool_modules = [{json.dumps(module.as_posix())}]")
    table = f"command = {json.dumps(sys.executable)}\narguments = [{json.dumps(server.as_posix())}]\n"
    secret = 'environment = { TOKEN = { secret = "SCRIPTED_KEY" } }\n'
    bench.write_config(f"{bench.config.read_text()}\n[mcp.test]\n{table}{secret}")
    return bench


def test_a_conversation_uses_them_and_goes_on_with_them(tmp_path: Path) -> None:
    script = (calls("shout", word="hi"), calls("test__whoami"), says("Done."), calls("test__whoami"), says("Again."))
    with ScriptedServer(script) as server:
        bench = bench_with_both(tmp_path, server.base_url)
        done = bench.run("shout, and ask", "--yes")
        again = bench.run("ask again", "--yes", "--resume", done.conversation)
        offered = json.loads(server.requests[0].body)["tools"]
    assert done.code == again.code == 0, done.err + again.err
    assert {"shout", "test__add", "test__read_resource"} <= {tool["function"]["name"] for tool in offered}
    assert "HI in work" in done.out
    assert str(bench.workspace) in done.out
    assert str(bench.workspace) in again.out
    assert SECRET not in done.out + done.err + again.out + again.err


def test_the_tools_are_listed_and_checked(tmp_path: Path) -> None:
    bench = bench_with_both(tmp_path, "http://127.0.0.1:1/v1")
    listed = bench.run("/tools")
    assert listed.code == 0, listed.err
    for name in ("shout", "Say it loud.", "test__add", "Add two numbers."):
        assert name in listed.out
    bench.write_config('tools = ["+test__add", "+shout"]\n' + bench.config.read_text())
    checked = bench.run("config", "check")
    assert "There is no tool" not in checked.out + checked.err
    assert "waits for" not in checked.out + checked.err


def test_a_module_that_can_not_be_loaded_stops_the_command(tmp_path: Path) -> None:
    bench = bench_with_both(tmp_path, "http://127.0.0.1:1/v1")
    (tmp_path / "mine.py").write_text("import nothing_of_this_name\n")
    done = bench.run("do it")
    assert done.code == 2
    assert "mine.py:1): ModuleNotFoundError: No module named 'nothing_of_this_name'. Mend it" in done.err


def test_a_server_that_can_not_be_reached_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    with ScriptedServer((says("Done."),)) as server:
        bench = bench_with_both(tmp_path, server.base_url)
        (tmp_path / "server.py").write_text("raise SystemExit('no key')\n")
        done = bench.run("do it")
    assert done.code == 0, done.err
    assert "turnfold: The MCP server test could not be reached: " in done.err
    assert "It complained: no key" in done.err
    assert "Done." in done.out


def test_a_project_that_is_not_trusted_loads_and_starts_nothing(tmp_path: Path) -> None:
    with ScriptedServer((says("Done."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "evil.py").write_text("open('loaded', 'w')\nTOOLS = ()\n")
        table = '[mcp.evil]\ncommand = "touch"\narguments = ["started"]\n'
        (bench.workspace / "turnfold.toml").write_text(f'tool_modules = ["evil.py"]\n{table}')
        done = bench.run("do it")
    assert done.code == 0, done.err
    assert sorted(each.name for each in bench.workspace.iterdir()) == ["evil.py", "turnfold.toml"]
    assert "tool_modules" in done.err


def test_a_dry_run_starts_no_server_and_calls_no_function(tmp_path: Path) -> None:
    with ScriptedServer((calls("shout", word="hi"), says("I would have."))) as server:
        bench = bench_with_both(tmp_path, server.base_url)
        (tmp_path / "server.py").write_text(f"open({(tmp_path / 'started').as_posix()!r}, 'w')\n")
        done = bench.run("shout", "--dry-run")
        told = server.requests[1].body.decode()
    assert done.code == 0, done.err
    assert "HI in" not in done.out + told
    assert "dry run" in told
    assert not (tmp_path / "started").exists()
