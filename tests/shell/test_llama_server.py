"""The main job over HTTP, against llama.cpp's own server with the embedded model's weights, and against a scripted one.

The real server is skipped where its engine or the weights aren't on this machine; the scripted one always runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.embedded.support import WEIGHTS, needs_weights
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, RunResult, ToolFormat, ToolMessage, Verdict, World, run
from turnfold.core.agent.events import Reason
from turnfold.core.agent.inputs import CommandGiven
from turnfold.core.config.values import ModelProfile, Provider, SecretRef, Wire
from turnfold.core.conversation.messages import AssistantMessage, UserMessage
from turnfold.shell.embedded.profile import EMBEDDED_PROFILE
from turnfold.shell.folders import Folders
from turnfold.shell.real import real_world
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

KEY_NAME = "LLAMA_TEST_KEY"
KEY = "sk-llama-0123456789"
PROFILE = evolve(EMBEDDED_PROFILE, pattern="llama/*")

# On a port of the system's choice; says where, and ends when its stdin does.
SERVER = """
import os, sys
import xllamacpp

told = os.dup(1)
nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(nowhere, 1)
os.dup2(nowhere, 2)
params = xllamacpp.CommonParams()
params.model.path, params.api_keys = sys.argv[1], [sys.argv[2]]
params.n_ctx, params.n_parallel, params.warmup, params.fit_params, params.port = 4096, 1, False, False, 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) // 2)
server = xllamacpp.Server(params)
os.write(told, server.listening_address.encode() + b"\\n")
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """The base URL of llama.cpp's server."""
    command = (sys.executable, "-c", SERVER, str(WEIGHTS), KEY)
    environ = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().decode().strip()
            assert address.startswith("http://127.0.0.1:"), f"llama.cpp's server did not start: {address!r}"
            yield f"{address}/v1"
        finally:
            server.kill()


@contextmanager
def world_with(key: str, home: Path) -> Iterator[World]:
    """This machine, with this key under its name and a journal of the test's own."""
    with real_world(environ={**os.environ, KEY_NAME: key}, folders=Folders(config=home, data=home, cache=home)) as world:
        yield world


def config(base_url: str, folder: Path, profile: ModelProfile = PROFILE, wire: Wire = Wire.CHAT) -> ChatConfig:
    """The embedded model's profile for a model over HTTP; every act is allowed."""
    provider = Provider(name="llama", base_url=base_url, secret=SecretRef(KEY_NAME), wire=wire)
    user = Config(model="llama/qwen", providers=(provider,), models=(profile,), rules=(Rule(Verdict.ALLOW),))
    return ChatConfig(ProjectConfig(user), workspace=str(folder))


def outputs(result: RunResult) -> str:
    return "\n".join(message.text for message in result.state.past.log if isinstance(message, ToolMessage))


def main_job(base_url: str, tmp_path: Path) -> None:
    """A file is created, a file is edited, a command's output is reported."""
    folder = tmp_path / "work"
    folder.mkdir()
    cfg, shopping = config(base_url, folder), folder / "shopping.txt"
    with world_with(KEY, tmp_path / "home") as world:
        made = run("Create shopping.txt with the lines milk, bread and eggs.", BUILTIN_TOOLS, cfg, world)
        assert (made.problem, shopping.read_text().split()) == (None, ["milk", "bread", "eggs"])
        changed = run("Change bread to butter in shopping.txt.", BUILTIN_TOOLS, cfg, world)
        assert (changed.problem, shopping.read_text().split()) == (None, ["milk", "butter", "eggs"])
        counted = run("How many lines does shopping.txt have?", BUILTIN_TOOLS, cfg, world)
        assert "3" in outputs(counted)
        assert "3" in counted.reply
        assert [result.ended.reason for result in (made, changed, counted) if result.ended] == [Reason.COMPLETED] * 3


@pytest.mark.weights
@needs_weights
def test_the_main_job_with_llama_cpp(llama: str, tmp_path: Path) -> None:
    main_job(llama, tmp_path)


@pytest.mark.weights
@needs_weights
def test_native_calls_are_taken_by_llama_cpp(llama: str, tmp_path: Path) -> None:
    plain = ModelProfile(pattern="llama/*", tools=("shell",), instructions="Be brief.", temperature=0.0, max_tokens=40, generations=1)
    cfg = config(llama, tmp_path, plain)
    with world_with(KEY, tmp_path / "home") as world:
        result = run("Say hello.", BUILTIN_TOOLS, evolve(cfg, tool_format=ToolFormat.NATIVE), world)
    assert result.problem is None
    assert len(result.state.past.log) > 1


@pytest.mark.weights
@needs_weights
@pytest.mark.parametrize("wire", [Wire.CHAT, Wire.RESPONSES, Wire.MESSAGES])
def test_each_wire_format_of_llama_cpp_takes_a_history_with_a_call_and_answers(llama: str, tmp_path: Path, wire: Wire) -> None:
    plain = ModelProfile(pattern="llama/*", tools=("read",), instructions="Be brief.", temperature=0.0, max_tokens=6, generations=1)
    cfg = evolve(config(llama, tmp_path, plain, wire), tool_format=ToolFormat.NATIVE)
    (tmp_path / "a.txt").write_text("blue\n")
    with world_with(KEY, tmp_path / "home") as world:
        seen = run(CommandGiven("/read a.txt"), BUILTIN_TOOLS, cfg, world)
        result = run("Say hello.", BUILTIN_TOOLS, seen.cfg, world, state=seen.state)
    assert result.problem is None
    usage = result.state.past.usage
    assert usage.input_tokens > 50
    assert 0 < usage.output_tokens <= 6
    log = result.state.past.log
    assert [type(each) for each in log] == [UserMessage, AssistantMessage, ToolMessage, UserMessage, AssistantMessage]


@pytest.mark.weights
@needs_weights
def test_a_wrong_key_is_told_in_llama_cpp_s_words(llama: str, tmp_path: Path) -> None:
    with world_with("sk-wrong-9876543210", tmp_path / "home") as world:
        result = run("Say hello.", BUILTIN_TOOLS, config(llama, tmp_path), world)
    assert result.problem is not None
    assert result.problem.code == "unauthorized"
    assert "Invalid API Key" in result.problem.message
    assert KEY_NAME in result.problem.message
    assert "sk-wrong" not in str(result)


def block(opening: str, text: str) -> str:
    return f"```{opening}\n{text}\n```"


SCRIPT = (
    block("save shopping.txt", "milk\nbread\neggs"),
    "Done.",
    block("shell", "sed -i.old 's/bread/butter/' shopping.txt && rm shopping.txt.old"),
    "Done.",
    block("shell", "wc -l < shopping.txt"),
    "It has 3 lines.",
)


def test_the_main_job_with_a_scripted_server(tmp_path: Path) -> None:
    with ScriptedServer(tuple(ScriptedReply(chunks=(chat_stream(text),)) for text in SCRIPT)) as server:
        main_job(server.base_url, tmp_path)
        seen = server.requests
    assert len(seen) == len(SCRIPT)
    assert {request.header("authorization") for request in seen} == {f"Bearer {KEY}"}
    assert b"Output of shell:" in seen[-1].body


def test_a_wrong_key_is_told_in_the_server_s_words(tmp_path: Path) -> None:
    refused = ScriptedReply(status=401, chunks=(b'{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}',))
    with ScriptedServer((refused,)) as server, world_with("sk-wrong-9876543210", tmp_path / "home") as world:
        result = run("Say hello.", BUILTIN_TOOLS, config(server.base_url, tmp_path), world)
    assert result.problem is not None
    assert (result.problem.code, "Invalid API Key" in result.problem.message) == ("unauthorized", True)
