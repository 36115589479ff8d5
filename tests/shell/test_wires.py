"""Each wire format over real HTTP: what is sent where, and what comes of what a server streams."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import evolve

from tests.core.llm import chat_shape, gemini_shape, messages_shape, responses_shape
from tests.shell.test_images import DATA, PNG
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, RunResult, Verdict, World, run
from turnfold.core.agent.effects import Channel, Delta, Effect, Publish
from turnfold.core.agent.events import Reason
from turnfold.core.config.values import ModelProfile, Provider, SecretRef, Wire
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage
from turnfold.shell.folders import Folders
from turnfold.shell.real import real_world
from turnfold.testing.server import ScriptedReply, ScriptedServer, SeenRequest
from turnfold.testing.wires import error_in, stream_in

KEY = "sk-0123456789abcdefghij"
PATHS = {
    Wire.CHAT: "/v1/chat/completions",
    Wire.RESPONSES: "/v1/responses",
    Wire.MESSAGES: "/v1/messages",
    Wire.GEMINI: "/v1/models/m%20x:streamGenerateContent?alt=sse",
}
KEY_HEADERS = {
    Wire.CHAT: ("authorization", f"Bearer {KEY}"),
    Wire.RESPONSES: ("authorization", f"Bearer {KEY}"),
    Wire.MESSAGES: ("x-api-key", KEY),
    Wire.GEMINI: ("x-goog-api-key", KEY),
}
CHECKERS: dict[Wire, Callable[[bytes], str | None]] = {
    Wire.CHAT: chat_shape.broken_rule,
    Wire.RESPONSES: responses_shape.broken_rule,
    Wire.MESSAGES: messages_shape.broken_rule,
    Wire.GEMINI: gemini_shape.broken_rule,
}
EACH = pytest.mark.parametrize("wire", list(Wire))


@contextmanager
def world_at(home: Path) -> Iterator[World]:
    with real_world(environ={**os.environ, "ACME_KEY": KEY}, folders=Folders(config=home, data=home, cache=home)) as world:
        yield world


def config(wire: Wire, base_url: str, folder: Path) -> ChatConfig:
    provider = Provider(name="acme", base_url=base_url, wire=wire, secret=SecretRef("ACME_KEY"), retries=0)
    profile = ModelProfile(pattern="acme/*", reasons=True, sees_images=True)
    user = Config(model="acme/m x", providers=(provider,), models=(profile,), rules=(Rule(Verdict.ALLOW),))
    return ChatConfig(ProjectConfig(user), workspace=str(folder))


def reply(wire: Wire, text: str = "", calls: tuple[RawCall, ...] = (), reasoning: str = "") -> ScriptedReply:
    return ScriptedReply(chunks=(stream_in(wire, text, calls, Usage(input_tokens=9, output_tokens=2), reasoning=reasoning),))


def talked(wire: Wire, tmp_path: Path, replies: tuple[ScriptedReply, ...], *said: str) -> tuple[RunResult, tuple[SeenRequest, ...], str]:
    """What came of it, what the server saw, and the text that was streamed."""
    effects: list[Effect] = []
    with ScriptedServer(replies) as server, world_at(tmp_path / "home") as world:
        result = run(said[0], BUILTIN_TOOLS, config(wire, server.base_url, tmp_path), world, watch=effects.append)
        for each in said[1:]:
            result = run(each, BUILTIN_TOOLS, result.cfg, world, state=result.state, watch=effects.append)
        seen = server.requests
    told = (each.what for each in effects if isinstance(each, Publish))
    return result, seen, "".join(each.text for each in told if isinstance(each, Delta) and each.channel is Channel.TEXT)


@EACH
def test_a_text_comes_back_from_where_the_wire_format_wants_its_requests(wire: Wire, tmp_path: Path) -> None:
    result, (seen,), streamed = talked(wire, tmp_path, (reply(wire, "Hello, wörld", reasoning="Hm."),), "Hi.")
    assert (result.problem, result.reply, streamed) == (None, "Hello, wörld", "Hello, wörld")
    (message,) = (each for each in result.state.past.log if isinstance(each, AssistantMessage))
    assert message.reasoning == "Hm."
    name, value = KEY_HEADERS[wire]
    assert (seen.path, seen.header(name)) == (PATHS[wire], value)
    assert (seen.header("anthropic-version") is not None) == (wire is Wire.MESSAGES)
    assert CHECKERS[wire](seen.body) is None
    usage = result.state.past.usage
    assert (usage.input_tokens, usage.output_tokens) == (9, 2)


@EACH
def test_calls_side_by_side_are_run_and_told_with_what_must_go_back(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "dot.png").write_bytes(PNG)
    calls = (RawCall("read", '{"path":"a.txt"}'), RawCall("vision", '{"path":"dot.png"}'))
    replies = (reply(wire, "", calls, "Look first."), reply(wire, "A dot."), reply(wire, "Yes."))
    result, seen, streamed = talked(wire, tmp_path, replies, "What is there?", "Sure?")
    assert (result.problem, streamed) == (None, "A dot.Yes.")
    outputs = [each for each in result.state.past.log if isinstance(each, ToolMessage)]
    assert [(each.ok, each.tool, len(each.images)) for each in outputs] == [(True, "read", 0), (True, "vision", 1)]
    assert [CHECKERS[wire](each.body) for each in seen] == [None] * 3
    for first, second in pairwise(seen):
        assert second.body.startswith(first.body.rstrip(b"}]"))  # law 10, as the server sees it
    assert all(each.body.count(DATA.encode()) == 1 for each in seen[1:])
    sealed = b"c2VhbGVk" in seen[1].body
    assert sealed == (wire is not Wire.CHAT)


@EACH
def test_a_refusal_and_a_reply_that_the_limit_cut_are_told(wire: Wire, tmp_path: Path) -> None:
    refused = ScriptedReply(chunks=(stream_in(wire, "I won't.", refusal=True),))
    result, _, streamed = talked(wire, tmp_path, (refused,), "Do it.")
    if wire is Wire.GEMINI:  # it says nothing
        assert result.problem is not None
        assert (result.problem.code, streamed) == ("withheld", "")
    else:
        assert (result.problem, result.reply, streamed) == (None, "I won't.", "I won't.")
    cut = ScriptedReply(chunks=(stream_in(wire, "Once upon", cut=True),))
    result, _, _ = talked(wire, tmp_path, (cut,), "Tell me.")
    assert result.ended is not None
    assert (result.ended.reason, result.reply) == (Reason.CUT, "Once upon")


@EACH
def test_errors_are_told_in_the_provider_s_words(wire: Wire, tmp_path: Path) -> None:
    begun = stream_in(wire, "Once upon a time").split(b"\n\n")
    broken = b"\n\n".join(begun[: len(begun) // 2]) + b"\n\n" + error_in(wire, "Overheated.")
    result, _, streamed = talked(wire, tmp_path, (ScriptedReply(chunks=(broken,)),), "Hi.")
    assert result.problem is not None
    assert "Overheated" in result.problem.message
    assert "Once upon a time".startswith(streamed)
    body = b'{"error":{"type":"x","message":"No such model.","code":404}}'
    result, _, _ = talked(wire, tmp_path, (ScriptedReply(status=404, chunks=(body,)),), "Hi.")
    assert result.problem is not None
    assert (result.problem.code, "No such model" in result.problem.message) == ("not-found", True)


@EACH
def test_a_conversation_goes_on_with_a_model_behind_another_wire(wire: Wire, tmp_path: Path) -> None:
    """All that was said is told anew in the other format, and what belongs to the first one is left out."""
    other = list(Wire)[(list(Wire).index(wire) + 1) % len(Wire)]
    (tmp_path / "a.txt").write_text("one")
    call = (RawCall("read", '{"path":"a.txt"}'),)
    with (
        ScriptedServer((reply(wire, "So.", call, "Hm."), reply(wire, "One."))) as first,
        ScriptedServer((reply(other, "Two."),)) as second,
        world_at(tmp_path / "home") as world,
    ):
        result = run("Read.", BUILTIN_TOOLS, config(wire, first.base_url, tmp_path), world)
        cfg = config(other, second.base_url, tmp_path)
        again = run("And now?", BUILTIN_TOOLS, evolve(cfg, conversation=result.cfg.conversation), world, state=result.state)
        (seen,) = second.requests
    assert (again.problem, again.reply) == (None, "Two.")
    assert CHECKERS[other](seen.body) is None
    assert b"c2VhbGVk" not in seen.body
    assert b"Read." in seen.body
    assert b"And now?" in seen.body
