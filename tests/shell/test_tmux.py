"""The tool tmux with a real tmux: what is typed arrives, whatever it is, and nobody touches another's sessions."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.support import PATIENCE_S, Fifo, gone
from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits
from turnfold.core.json import JsonObject
from turnfold.core.tools.builtin.tmux import TMUX, shell_word
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import Exchange
from turnfold.core.world.requests import RunProcess, StartJob
from turnfold.shell.jobs import LocalJobs
from turnfold.shell.kin import every
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.scope import Scope

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux on this machine")


@pytest.mark.parametrize("shell", ["bash", "sh"])
@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=20))
def test_a_quoted_word_is_that_word_to_a_real_shell(shell: str, words: list[str]) -> None:
    script = "printf '%s\\0' " + " ".join(map(shell_word, words))
    told = subprocess.run((shell, "-c", script), capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]})
    assert told.stdout.decode().split("\0")[:-1] == words


class Bench:
    """Two conversations, and what performs their requests."""

    def __init__(self, folder: Path) -> None:
        base = (("HOME", str(folder)), ("LANG", "C.UTF-8"), ("PATH", os.environ["PATH"]), ("TERM", "xterm"))
        self.processes, self.jobs = LocalProcesses(base), LocalJobs(base)
        self.cfg = ChatConfig(
            ProjectConfig(Config()), conversation=f"A{os.getpid()}", workspace=str(folder), limits=Limits(command_s=PATIENCE_S)
        )

    def act(self, action: str, text: str = "", *, session: str = "main", other: bool = False) -> Done | Refuse:
        cfg = evolve(self.cfg, conversation=f"B{os.getpid()}") if other else self.cfg
        call = Call(JsonObject.of(action=action, session=session, text=text))
        while isinstance(due := TMUX.advance(call, cfg), Need):
            for request in due.requests:
                assert isinstance(request, RunProcess | StartJob)
                outcome = self.processes.run(request, Scope()) if isinstance(request, RunProcess) else self.jobs.act(request, cfg, Scope())
                call = evolve(call, exchanges=(*call.exchanges, Exchange(request, outcome)))
        return due

    def did(self, action: str, text: str = "", **more: object) -> str:
        end = self.act(action, text, **more)  # type: ignore[arg-type]
        assert isinstance(end, Done), end
        return end.text

    def refused(self, action: str, text: str = "", **more: object) -> str:
        end = self.act(action, text, **more)  # type: ignore[arg-type]
        assert isinstance(end, Refuse), end
        return end.problem.code


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.jobs.close_all()


@needs_tmux
def test_a_session_is_started_typed_into_looked_at_and_ended(bench: Bench, tmp_path: Path) -> None:
    fifo = Fifo(tmp_path)
    assert bench.did("list") == "There are no sessions: tmux new starts one."
    assert bench.refused("look") == "no-session"
    assert bench.did("new", "bash --norc").startswith("Session main was started.")
    assert bench.did("new", "cat", session="second").startswith("Session second was started.")
    assert bench.refused("new", "cat", session="second") == "tmux-failed"
    bench.did("type", "echo $((6 * 7))is-the-answer; echo told > fifo")
    assert fifo.line() == "told"
    assert "42is-the-answer" in bench.did("look")
    bench.did("type", "bash -c 'trap \"echo caught > fifo\" INT; echo $PPID > fifo; while :; do sleep 0.05; done'")
    (shell,) = fifo.pids()
    bench.did("keys", "C-c")
    assert fifo.line() == "caught"
    assert {line.split(":")[0] for line in bench.did("list").splitlines()} == {"main", "second"}
    assert bench.did("kill") == "Session main has ended."
    assert gone(shell)
    assert bench.did("list").startswith("second: cat in ")
    fifo.close()


@needs_tmux
def test_another_conversation_sees_none_of_it_and_all_of_it_ends_with_its_own(bench: Bench, tmp_path: Path) -> None:
    """G6, for sessions."""
    fifo = Fifo(tmp_path)
    before = children()
    bench.did("new", "bash -c 'echo $$ > fifo; exec cat'")
    (cat,) = fifo.pids()
    assert bench.did("list", other=True) == "There are no sessions: tmux new starts one."
    for action in ("look", "type", "kill"):
        assert bench.refused(action, "x", other=True) == "no-session"
    bench.did("new", "cat", session="own", other=True)
    assert bench.refused("kill", other=True) == "tmux-failed"
    bench.jobs.close(f"B{os.getpid()}")
    assert bench.did("list").startswith("main: cat")
    bench.jobs.close(bench.cfg.conversation)
    assert gone(cat)
    assert bench.did("list") == "There are no sessions: tmux new starts one."
    assert children() <= before
    fifo.close()


def children() -> frozenset[int]:
    """The processes that are ours, by their ids; other tests may have some that end just now."""
    return frozenset(each.pid for each in every() if each.parent == os.getpid())


TYPED = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="".join(map(chr, range(0x7F, 0xA0)))), min_size=1, max_size=60
)


@needs_tmux
def test_what_is_typed_arrives_as_it_is(bench: Bench, tmp_path: Path) -> None:
    """One session for all examples: what arrives is told through a pipe, so nothing has to be waited for."""
    fifo = Fifo(tmp_path)
    bench.did("new", "stty raw -echo -icrnl; cat > fifo")

    @settings(max_examples=30, deadline=None)
    @given(TYPED)
    def law(text: str) -> None:
        bench.did("type", text + ";")
        bench.did("keys", "C-j")
        assert fifo.line() == f"{text};\r"

    law()
    for text in ("'", '"', "$HOME `id` $(id)", "\\", ";", "-l", "--", "#{session_name}", "~", "%1", "{}", "é€"):
        bench.did("type", text)
        bench.did("keys", "C-j")
        assert fifo.line() == f"{text}\r"
    fifo.close()
