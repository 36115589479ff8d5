"""Traces read back as others read them: by a receiver of OpenTelemetry, from files, and from a terminal."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attrs import evolve
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Received
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings, OtelTapInitializationError

from tests.tracing.support import DONE, LS, config, ran, told_later, world_of
from turnfold import CommandGiven, JsonObject, Publish, World
from turnfold.core.agent.effects import Effect
from turnfold.core.config.tables import Encoding, Exporter, ExporterKind
from turnfold.core.problem import Problem
from turnfold.core.trace.attributes import Attribute
from turnfold.core.trace.console import console_text
from turnfold.core.trace.exported import Exported
from turnfold.core.trace.lines import span_line
from turnfold.core.trace.otlp import otlp_json, otlp_protobuf
from turnfold.shell.exporting.local import LocalExporters
from turnfold.shell.secrets import EnvironmentSecrets
from turnfold.testing.server import ScriptedReply, ScriptedServer

TAKEN = ScriptedReply(headers=())
ABOUT: tuple[Attribute, ...] = (("service.name", "turnfold"),)


def traced(folder: Path, written: list[str] | None = None, **secrets: str) -> World:
    """A world of two replies whose exporters are those of the config."""
    write = print if written is None else written.append
    exporters = LocalExporters(EnvironmentSecrets(secrets), folder, write)
    return evolve(world_of(LS, DONE), exporters=exporters)


def missing(seen: list[Effect]) -> list[str]:
    """What was told of spans that are missing."""
    problems = (each.what for each in seen if isinstance(each, Publish) and isinstance(each.what, Problem))
    return [each.message for each in problems if each.code == "spans-missing"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def receiver() -> tuple[OtelTapHttpProtobufReceiver, int]:
    """A receiver that runs, and its port; it can't be told to find one by itself."""
    for _ in range(10):
        port = free_port()
        try:
            return await OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port)).start(), port
        except OtelTapInitializationError:  # somebody else was quicker
            continue
    raise AssertionError("there is no free port")


async def first_of(arriving: AsyncIterator[Received], count: int) -> list[Received]:
    """The first spans that arrive."""
    return [await anext(arriving) for _ in range(count)]


def attributes_of(span: Received | Resource) -> dict[str, object]:
    """The attributes as values."""
    return {each.key: _value(each.value) for each in span.attributes}


def _value(value: object) -> object:
    kind = value.WhichOneof("value")  # type: ignore[attr-defined]
    found = getattr(value, kind)
    return tuple(map(_value, found.values)) if kind == "array_value" else found


def agree(received: Received, sent: Exported) -> None:
    """What was received is what was sent."""
    assert (received.trace_id.hex(), received.span_id.hex(), received.parent_span_id.hex()) == (sent.trace_id, sent.span_id, sent.parent_id)
    assert (received.name, received.kind) == (sent.told.name, 3 if sent.told.client else 1)
    assert (received.start_time_unix_nano, received.end_time_unix_nano) == (sent.began_ms * 1_000_000, sent.ended_ms * 1_000_000)
    assert attributes_of(received) == dict(sent.told.attributes)
    assert received.status.code == (2 if sent.error else 1)


def test_a_real_receiver_of_opentelemetry_reads_back_what_was_sent(tmp_path: Path) -> None:
    async def exported() -> tuple[list[Received], tuple[Exported, ...]]:
        tap, port = await receiver()
        try:
            exporter = Exporter(name="otel", kind=ExporterKind.OTLP, url=f"http://127.0.0.1:{port}", content=True)
            world, cfg = traced(tmp_path), config("c", "", exporter)
            arriving = asyncio.create_task(first_of(tap.stream_traces(), 6))
            await asyncio.to_thread(ran, world, cfg)
            async with asyncio.timeout(20):
                return await arriving, told_later(world, cfg, content=True)
        finally:
            await tap.stop()

    received, sent = asyncio.run(exported())
    by_id = {each.span_id.hex(): each for each in received}
    assert len(by_id) == len(sent) == 6
    for each in sent:
        agree(by_id[each.span_id], each)


@pytest.mark.parametrize("encoding", list(Encoding))
def test_both_encodings_are_what_the_official_schema_reads(encoding: Encoding, tmp_path: Path) -> None:
    from google.protobuf.json_format import Parse

    with ScriptedServer((TAKEN,)) as server:
        exporter = Exporter(name="o", kind=ExporterKind.OTLP, url=f"http://127.0.0.1:{server.port}/", encoding=encoding, service="mine")
        world, cfg = traced(tmp_path), config("c", "", exporter)
        ran(world, cfg)
        (request,) = server.requests
    assert request.path == "/v1/traces"
    if encoding is Encoding.JSON:
        assert request.header("content-type") == "application/json"
        body = json.loads(request.body)
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:  # of JSON, OTLP writes ids in hexadecimal, not in base64
            for name in ("traceId", "spanId", "parentSpanId"):
                if name in span:
                    span[name] = b64encode(bytes.fromhex(span[name])).decode()
        found = Parse(json.dumps(body), ExportTraceServiceRequest())
    else:
        assert request.header("content-type") == "application/x-protobuf"
        found = ExportTraceServiceRequest.FromString(request.body)
    (resource,) = found.resource_spans
    assert attributes_of(resource.resource)["service.name"] == "mine"
    spans = {each.span_id.hex(): each for each in resource.scope_spans[0].spans}
    for each in told_later(world, cfg):
        agree(spans[each.span_id], each)


def test_a_receiver_that_is_busy_for_a_moment_gets_it_all_and_one_that_refuses_is_told_of_once(tmp_path: Path) -> None:
    seen = list[Effect]()
    busy = ScriptedReply(status=429, headers=(), chunks=(b"later",))
    no = ScriptedReply(status=401, headers=(), chunks=(b"who are you, s3cret-value?",))
    with ScriptedServer((busy, TAKEN, no)) as server:
        exporter = Exporter(
            name="o",
            kind=ExporterKind.OTLP,
            url=f"http://127.0.0.1:{server.port}/otlp/v1/traces",
            headers=JsonObject.of(Authorization=JsonObject.of(secret="THE_KEY")),
        )
        world, cfg = traced(tmp_path, THE_KEY="s3cret-value"), config("c", "", exporter)
        first = ran(world, cfg, watch=seen.append)
        assert not missing(seen)
        ran(world, cfg, CommandGiven("/read b.txt"), first.state, watch=seen.append)
        requests = server.requests
    assert [each.path for each in requests] == ["/otlp/v1/traces"] * 3
    assert {each.header("authorization") for each in requests} == {"s3cret-value"}
    assert requests[0].body == requests[1].body
    (message,) = missing(seen)
    assert "it answered 401: who are you" in message
    assert "s3cret-value" not in message


@pytest.mark.parametrize(
    ("encoding", "reply"), [(Encoding.JSON, b'{"partialSuccess":{"rejectedSpans":"2"}}'), (Encoding.PROTOBUF, b"\x0a\x02\x08\x02")]
)
def test_spans_that_a_receiver_did_not_keep_are_counted(encoding: Encoding, reply: bytes, tmp_path: Path) -> None:
    seen = list[Effect]()
    with ScriptedServer((ScriptedReply(headers=(), chunks=(reply,)),)) as server:
        exporter = Exporter(name="o", kind=ExporterKind.OTLP, url=f"http://127.0.0.1:{server.port}", encoding=encoding)
        ran(traced(tmp_path), config("c", "", exporter), watch=seen.append)
    (message,) = missing(seen)
    assert "2 spans could not be delivered: it kept all but 2" in message


def test_nobody_at_the_address_and_a_secret_that_is_not_there_are_told(tmp_path: Path) -> None:
    gone = Exporter(name="gone", kind=ExporterKind.OTLP, url=f"http://127.0.0.1:{free_port()}")
    keyless = Exporter(name="keyless", kind=ExporterKind.OTLP, headers=JsonObject.of(A=JsonObject.of(secret="NOT_THERE")))
    seen = list[Effect]()
    ran(traced(tmp_path), config("c", "", gone, keyless), watch=seen.append)
    problems = missing(seen)
    assert "No server answers at 127.0.0.1" in problems[0]
    assert "NOT_THERE" in problems[1]


def test_lines_go_to_a_file_of_the_owners_alone_and_are_the_ones_that_the_journal_tells(tmp_path: Path) -> None:
    world, cfg = traced(tmp_path / "traces"), config("c", "", Exporter(name="file"))
    ran(world, cfg)
    path = tmp_path / "traces" / "file.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.read_text().splitlines(keepends=True)) == sorted(map(span_line, told_later(world, cfg)))
    named = config("d", "", Exporter(name="file", path=str(tmp_path / "mine.jsonl")))
    ran(traced(tmp_path), named)
    assert (tmp_path / "mine.jsonl").is_file()
    seen = list[Effect]()
    ran(traced(tmp_path), config("e", "", Exporter(name="file", path=str(tmp_path))), watch=seen.append)
    (problem,) = missing(seen)
    assert "could not be written" in problem


def test_the_terminal_shows_trees_without_content(tmp_path: Path) -> None:
    written: list[str] = []
    ran(traced(tmp_path, written), config("c", "", Exporter(name="here", kind=ExporterKind.CONSOLE)))
    text = "".join(written)
    assert text.splitlines()[0].startswith("trace: invoke_agent · ")
    assert "trace:       execute_tool shell" in text or "trace:     execute_tool shell" in text
    assert "secret-folder" not in text


def test_what_is_dropped_is_written_down_where_it_is_missing() -> None:
    assert "2 spans dropped" in console_text((), 2)
    assert otlp_json((), (*ABOUT, ("turnfold.dropped_spans", 2))) != otlp_json((), ABOUT)
    assert otlp_protobuf((), ABOUT) == otlp_protobuf((), ABOUT)
