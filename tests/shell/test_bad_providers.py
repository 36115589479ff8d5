"""Providers that misbehave, over real HTTP: what a run makes of it, by every wire format and by both drivers (issue 5, "Bad input")."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from attrs import evolve

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, RunResult, Verdict, run, run_async
from turnfold.core.agent.effects import Effect, Notice, Publish, Record
from turnfold.core.agent.events import Event as Happened
from turnfold.core.agent.events import Reason
from turnfold.core.agent.turn_events import FellBack
from turnfold.core.config.tables import Guarded, Guardrail
from turnfold.core.config.values import Limits, Provider, Wire
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.llm.reply import RawCall
from turnfold.shell.folders import Folders
from turnfold.shell.real import real_world
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wires import stream_in

WIRES = pytest.mark.parametrize("wire", list(Wire))
SSE = (("Content-Type", "text/event-stream"),)
HTML = (("Content-Type", "text/html"),)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Ran:
    """What came of a run, what its journal holds, and what the person was told."""

    def __init__(self, result: RunResult, effects: list[Effect], asked: int) -> None:
        self.result = result
        self.events: list[Happened] = [effect.event for effect in effects if isinstance(effect, Record)]
        self.notices = [effect.what.text for effect in effects if isinstance(effect, Publish) and isinstance(effect.what, Notice)]
        self.asked = asked

    @property
    def reason(self) -> Reason:
        assert self.result.ended is not None
        return self.result.ended.reason

    @property
    def said(self) -> list[str]:
        return [message.text for message in self.result.state.past.log if isinstance(message, AssistantMessage)]


def provider_at(base_url: str, wire: Wire = Wire.CHAT, **said: float) -> Provider:
    quick = Provider(name="acme", base_url=base_url, wire=wire, retries=3, retry_base_s=0.001, retry_most_s=5.0)
    return evolve(quick, **said)  # type: ignore[arg-type]  # numbers, as its fields are


def ran(
    tmp_path: Path,
    replies: tuple[ScriptedReply, ...],
    change: Callable[[ChatConfig, str], ChatConfig] = lambda cfg, base_url: cfg,
    wire: Wire = Wire.CHAT,
    *,
    beside: bool = False,
) -> Ran:
    effects: list[Effect] = []
    home = tmp_path / "home"
    with ScriptedServer(replies) as server, real_world(environ={}, folders=Folders(config=home, data=home, cache=home)) as world:
        base = Config(model="acme/m", providers=(provider_at(server.base_url, wire),), rules=(Rule(Verdict.ALLOW),))
        cfg = change(ChatConfig(ProjectConfig(base), workspace=str(tmp_path)), server.base_url)
        if beside:
            result = asyncio.run(run_async("go", BUILTIN_TOOLS, cfg, world, watch=effects.append))
        else:
            result = run("go", BUILTIN_TOOLS, cfg, world, watch=effects.append)
        return Ran(result, effects, len(server.requests))


def good(wire: Wire = Wire.CHAT, text: str = "Done.") -> ScriptedReply:
    return ScriptedReply(chunks=(stream_in(wire, text),))


def refused(status: int, body: bytes = b"", *headers: tuple[str, str]) -> ScriptedReply:
    return ScriptedReply(status=status, headers=(*HTML, *headers), chunks=(body,))


@WIRES
@pytest.mark.parametrize("beside", [False, True])
def test_errors_of_a_while_are_sat_out(wire: Wire, beside: bool, tmp_path: Path) -> None:
    done = ran(tmp_path, (refused(500), refused(529), refused(503, b"<html>"), good(wire)), wire=wire, beside=beside)
    assert (done.reason, done.said, done.asked) == (Reason.COMPLETED, ["Done."], 4)
    assert len(done.notices) == 3
    assert all("Trying again in " in notice for notice in done.notices)


@pytest.mark.parametrize("beside", [False, True])
def test_retry_after_is_waited_for(beside: bool, tmp_path: Path) -> None:
    done = ran(tmp_path, (refused(429, b"", ("retry-after-ms", "30")), good()), beside=beside)
    assert (done.reason, done.asked) == (Reason.COMPLETED, 2)
    dated = (("Date", "Wed, 21 Oct 2015 07:28:00 GMT"), ("Retry-After", "Wed, 21 Oct 2015 09:28:00 GMT"))
    late = ran(tmp_path, (ScriptedReply(status=429, headers=(("Retry-After", "7200"),)),), beside=beside)
    assert (late.reason, late.asked) == (Reason.FAILED, 1)
    assert late.result.problem is not None
    assert "(It asks to come back in 2 h.)" in late.result.problem.message
    assert ran(tmp_path, (ScriptedReply(status=429, headers=dated),), beside=beside).reason is Reason.FAILED


@WIRES
def test_a_page_a_cut_in_a_character_and_one_in_a_call_are_asked_for_again(wire: Wire, tmp_path: Path) -> None:
    text = stream_in(wire, "Schön")
    call = stream_in(wire, "", (RawCall("shell", '{"command": "touch made"}'),), piece_chars=99)
    inside = call.index(b"touch") + 3
    broken = (
        ScriptedReply(headers=HTML, chunks=(b"<!doctype html><title>Sign in</title>",)),
        ScriptedReply(headers=SSE, chunks=(text[: text.index(b"\xc3") + 1] if b"\xc3" in text else text[: len(text) // 2],), cut=True),
        ScriptedReply(headers=SSE, chunks=(call[:inside],), cut=True),
        good(wire),
    )
    done = ran(tmp_path, broken, wire=wire)
    assert (done.reason, done.said, done.asked) == (Reason.COMPLETED, ["Done."], 4)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("beside", [False, True])
def test_a_provider_that_never_answers_is_left_at_the_deadline(beside: bool, tmp_path: Path) -> None:
    def short(cfg: ChatConfig, base_url: str) -> ChatConfig:
        return evolve(cfg, limits=Limits(request_s=0.15))

    silent = ScriptedReply(gate=Event(), gate_at=-1)
    stuck = ScriptedReply(chunks=(stream_in(Wire.CHAT, "I am on my way")[:200], b""), gate=Event(), gate_at=1)
    done = ran(tmp_path, (silent, stuck, good()), short, beside=beside)
    assert (done.reason, done.said, done.asked) == (Reason.COMPLETED, ["Done."], 3)
    assert all("limits.request_s" in notice for notice in done.notices)
    only = ran(tmp_path, (silent,) * 5, lambda cfg, url: evolve(short(cfg, url), limits=Limits(request_s=0.02, turn_s=0.3)), beside=beside)
    assert only.reason in {Reason.FAILED, Reason.LIMIT}


def test_a_reply_that_does_not_end_is_cut_off_and_another_model_asked(tmp_path: Path) -> None:
    def other(cfg: ChatConfig, base_url: str) -> ChatConfig:
        second = Provider(name="second", base_url=base_url, wire=Wire.MESSAGES)
        user = evolve(cfg.project.base, providers=(*cfg.project.base.providers, second), fallbacks=("second/n",))
        return evolve(cfg, project=ProjectConfig(user), limits=Limits(reply_bytes=1_000_000))

    piece = stream_in(Wire.CHAT, "na " * 20_000, piece_chars=10_000).partition(b'{"choices":[{"index":0,"delta":{},')[0]
    endless = ScriptedReply(chunks=(piece,) * (50_000_000 // len(piece)))
    done = ran(tmp_path, (endless, good(Wire.MESSAGES)), other)
    assert (done.reason, done.said, done.asked) == (Reason.COMPLETED, ["Done."], 2)
    assert [event.model for event in done.events if isinstance(event, FellBack)] == ["second/n"]


def test_fallbacks_come_after_all_tries_and_a_refused_key_is_not_tried_again(tmp_path: Path) -> None:
    def two(cfg: ChatConfig, base_url: str) -> ChatConfig:
        return evolve(cfg, fallbacks=("acme/second", "acme/third"))

    done = ran(tmp_path, (refused(401), *(refused(503),) * 4, good()), two)
    assert (done.reason, done.asked) == (Reason.COMPLETED, 6)
    assert [event.model for event in done.events if isinstance(event, FellBack)] == ["acme/second", "acme/third"]
    bad = ran(tmp_path, (refused(400),), two)
    assert (bad.reason, bad.asked) == (Reason.FAILED, 1)


@pytest.mark.parametrize("beside", [False, True])
def test_guardrails_ask_over_the_wire(beside: bool, tmp_path: Path) -> None:
    def guarded(cfg: ChatConfig, base_url: str) -> ChatConfig:
        return evolve(cfg, guardrails=(Guardrail(name="kind", on=Guarded.OUTPUT, question="Is it rude?"),))

    assert ran(tmp_path, (good(text="Hello."), good(text="No.")), guarded, beside=beside).reason is Reason.COMPLETED
    rude = ran(tmp_path, (good(text="Go away."), refused(503), good(text="Yes, it is.")), guarded, beside=beside)
    assert (rude.reason, rude.asked) == (Reason.GUARDRAIL, 3)


def test_nobody_at_the_other_end_is_told_soon(tmp_path: Path) -> None:
    def nowhere(cfg: ChatConfig, base_url: str) -> ChatConfig:
        gone = provider_at("http://127.0.0.1:9/v1")
        return evolve(cfg, project=ProjectConfig(evolve(cfg.project.base, providers=(gone,))))

    done = ran(tmp_path, (), nowhere)
    assert (done.reason, len(done.notices)) == (Reason.FAILED, 2)
    assert done.result.problem is not None
    assert done.result.problem.code == "no-server"
