"""The real command in processes of its own: a home and a workspace in a temporary folder, a scripted server on loopback."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from attrs import field, frozen

from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage
from turnfold.testing.server import ScriptedReply
from turnfold.testing.wire import chat_stream

COMMAND = str(Path(sysconfig.get_path("scripts"), "turnfold"))
PATIENCE_S = 60.0
SECRET = "sk-very-secret-value-1234"
USAGE = Usage(input_tokens=100, output_tokens=7)

# Makes what it was given as standard input its terminal, then becomes the command. Tests that run in the background of a shell ignore Ctrl-C,
# and so would what they start.
ON_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def says(text: str) -> ScriptedReply:
    """A reply of text alone."""
    return ScriptedReply(chunks=(chat_stream(text, usage=USAGE),))


def calls(name: str, text: str = "", **arguments: str) -> ScriptedReply:
    """A reply that calls one tool."""
    return ScriptedReply(chunks=(chat_stream(text, (RawCall(name, json.dumps(arguments)),), usage=USAGE),))


@final
@frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def conversation(self) -> str:
        """The id that the last line tells."""
        return self.err.rpartition("--resume ")[2].split()[0]


def clean_environ(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without keys, proxies and settings of whoever runs the tests."""
    words = ("_KEY", "PROXY", "TURNFOLD_", "NO_COLOR", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in words)}
    return (
        kept
        | {"HOME": str(home), "TURNFOLD_HOME": str(home / "tf"), "SCRIPTED_KEY": SECRET, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        | dict(more)
    )


@final
@frozen
class Bench:
    """A home and a workspace; ``environ`` is laid over the process's own."""

    home: Path
    workspace: Path
    environ: Mapping[str, str] = field(factory=dict)

    @classmethod
    def at(cls, folder: Path, base_url: str, more: str = "") -> Bench:
        """A bench whose config names the model at ``base_url``; ``more`` are further lines of it, before the tables."""
        bench = cls(folder / "home", folder / "work")
        bench.workspace.mkdir()
        text = f'model = "scripted/test"\n{more}\n[providers.scripted]\nbase_url = "{base_url}"\nsecret = "SCRIPTED_KEY"\nretries = 0\n'
        bench.write_config(text)
        return bench

    @property
    def config(self) -> Path:
        return self.home / "tf" / "config" / "config.toml"

    def write_config(self, text: str) -> None:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text, encoding="utf-8")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """The command under way, in a session of its own, so without a terminal."""
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        environ = clean_environ(self.home, self.environ)
        return subprocess.Popen(
            [COMMAND, *arguments], cwd=self.workspace, env=environ, text=True, encoding="utf-8", start_new_session=True, **given
        )

    def run(self, *arguments: str, stdin: str | bytes | None = None) -> Ended:
        """The command from start to end."""
        environ = clean_environ(self.home, self.environ)
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.workspace,
            env=environ,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            start_new_session=True,
            timeout=PATIENCE_S,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ended.out + ended.err, ended.err
        return ended

    def shell(self, line: str) -> Ended:
        """A line of bash in the workspace, with the command on its path; no terminal, nothing on standard input."""
        environ = clean_environ(self.home, self.environ)
        environ["PATH"] = f"{Path(COMMAND).parent}:{environ['PATH']}"
        process = subprocess.Popen(
            ["bash", "-c", line],
            cwd=self.workspace,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        return finished(process)

    def on_terminal(self, *arguments: str) -> Terminal:
        """The command on a pseudo-terminal that it controls."""
        master, slave = os.openpty()
        environ = clean_environ(self.home, self.environ)
        command = [sys.executable, "-c", ON_TERMINAL, COMMAND, *arguments]
        process = subprocess.Popen(
            command, cwd=self.workspace, env=environ, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        return Terminal(process, master)


@final
class Terminal:
    """A command on a pseudo-terminal: what it has printed, and a person's answers."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.text = ""
        self._master = master
        self._seen = 0

    def until(self, words: str) -> str:
        """Everything printed since the last call, up to where ``words`` have come."""
        while words not in self.text[self._seen :]:
            more = self._more()
            assert more, f"{words!r} never came:\n{self.text}"
        start, self._seen = self._seen, self.text.index(words, self._seen) + len(words)
        return self.text[start : self._seen]

    def type(self, text: str) -> None:
        """The person types ``text``."""
        os.write(self._master, text.encode())

    def ended(self) -> int:
        """The exit code, after everything was read."""
        while self._more():
            pass
        os.close(self._master)
        return self.process.wait(PATIENCE_S)

    def _more(self) -> str:
        ready, _, _ = select.select([self._master], [], [], PATIENCE_S)
        assert ready, f"nothing came any more:\n{self.text}"
        try:
            more = os.read(self._master, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
        except OSError:
            return ""  # the command has gone
        self.text += more
        return more


def read_fifo(path: Path) -> str:
    """The line that somebody writes into the fifo, within the patience."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        data = b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
            assert ready, "nobody wrote"
            data += os.read(descriptor, 4096)
        return data.decode().strip()
    finally:
        os.close(descriptor)


def finished(process: subprocess.Popen[str]) -> Ended:
    """How a started command ended."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in out + err, err
    return Ended(process.returncode, out, err)


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs (one that only waits to be reaped does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def until_asleep(pid: int) -> None:
    """Return when the process waits for something; fails when it never does."""
    limit = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < limit, "it never waits"


def end(pid: int) -> None:
    """Make sure that a process which a test left behind on purpose is gone."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
