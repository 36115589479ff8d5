"""What leaves a trace: ids, attributes with and without content, encodings, and ``traceparent`` in and out."""

from __future__ import annotations

import pytest
from attrs import evolve

from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import Reason
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.config.tables import Exporter, Guarded, Propagate
from turnfold.core.config.values import Provider, Variable
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Stop
from turnfold.core.trace.attributes import Scalar, told
from turnfold.core.trace.exported import exported
from turnfold.core.trace.html import html_page
from turnfold.core.trace.otlp import otlp_json, otlp_protobuf, rejected_untrusted
from turnfold.core.trace.propagation import with_traceparent
from turnfold.core.trace.protobuf import message, number, text
from turnfold.core.trace.sampling import takes
from turnfold.core.trace.spans import (
    AgentFacts,
    CallFacts,
    ChildFacts,
    Facts,
    GuardrailFacts,
    HandoffFacts,
    ModelFacts,
    PermissionFacts,
    RequestFacts,
    RoundFacts,
    Span,
    Status,
    Trace,
    TurnFacts,
)
from turnfold.core.trace.w3c import Traceparent, chance_of, context_of, span_id, traceparent_untrusted
from turnfold.core.world.requests import CallMcp, CallModel, Purpose, ReadFile, RunProcess, StartJob
from turnfold.core.world.usage import Usage

HERE = context_of("c")
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

KINDS: tuple[tuple[Facts, str, str], ...] = (
    (TurnFacts("psst", Reason.COMPLETED, "writer", "psst"), "turn", "invoke_agent writer"),
    (TurnFacts("psst"), "turn", "invoke_agent"),
    (AgentFacts("writer"), "agent", "invoke_agent writer"),
    (ModelFacts(model="openai/gpt", purpose=Purpose.REPLY, reply="psst", stop=Stop.LENGTH, calls=("read",)), "model", "chat gpt"),
    (RoundFacts(2), "round", "round"),
    (CallFacts("read", JsonObject.of(path="psst"), "psst"), "tool", "execute_tool read"),
    (CallFacts("read", "psst"), "tool", "execute_tool read"),
    (RequestFacts(kind="run", subject="psst", outcome="exit code 0"), "request", "run"),
    (PermissionFacts(asked="psst", note="psst"), "permission", "permission"),
    (GuardrailFacts(name="polite", on=Guarded.INPUT, tripped=True, reason="psst"), "guardrail", "guardrail polite"),
    (GuardrailFacts(), "guardrail", "guardrail"),
    (HandoffFacts("writer"), "handoff", "handoff writer"),
    (ChildFacts(conversation="c~1.1.0.0", task="psst", agent="writer", usage=Usage(cost_usd=0.5)), "child", "child writer"),
    (ChildFacts(conversation="c~1.1.0.0", task="psst"), "child", "child"),
)


def ended(facts: Facts) -> Span:
    return Span(id="1", facts=facts, began_ms=1, ended_ms=3, status=Status.FAILED, error="bad", problem="psst")


@pytest.mark.parametrize(("facts", "kind", "name"), KINDS)
def test_each_kind_has_its_name_and_keeps_what_was_said_to_itself(facts: Facts, kind: str, name: str) -> None:
    quiet = exported(ended(facts), HERE, content=False)
    assert (quiet.told.kind, quiet.told.name, quiet.problem) == (kind, name, "")
    assert "psst" not in str(quiet)
    assert dict(quiet.told.attributes)["error.type"] == "bad"
    whole = exported(ended(facts), HERE, content=True)
    assert "psst" in str(whole.told)
    assert set(quiet.told.attributes) <= set(whole.told.attributes)
    for spans in ((quiet,), (whole,)):
        assert otlp_json(spans, ()) == otlp_json(spans, ())
        assert otlp_protobuf(spans, ()) == otlp_protobuf(spans, ())


def attributes(facts: Facts) -> dict[str, Scalar]:
    return dict(told(ended(facts), "c", content=True).attributes)


def test_the_conventions_for_generative_ai_are_kept() -> None:
    usage = Usage(input_tokens=5, output_tokens=2, cached_tokens=3, cost_usd=0.25)
    model = attributes(ModelFacts(model="google/gemini/x", purpose=Purpose.REPLY, usage=usage, stop=Stop.END, reply="Hi."))
    assert (model["gen_ai.provider.name"], model["gen_ai.system"], model["gen_ai.request.model"]) == (
        "gcp.gemini",
        "gcp.gemini",
        "gemini/x",
    )
    assert (model["gen_ai.usage.input_tokens"], model["gen_ai.usage.cache_read.input_tokens"], model["turnfold.cost_usd"]) == (5, 3, 0.25)
    assert "gen_ai.usage.cache_creation.input_tokens" not in model
    assert model["gen_ai.output.messages"] == '[{"role":"assistant","parts":[{"type":"text","content":"Hi."}]}]'
    assert "gen_ai.usage.input_tokens" not in attributes(ModelFacts(model="a/b", purpose=Purpose.REPLY))
    broken = attributes(ModelFacts(model="a/b", purpose=Purpose.REPLY, usage=usage))
    assert (broken["gen_ai.usage.input_tokens"], "gen_ai.response.finish_reasons" in broken) == (5, False)
    assert attributes(CallFacts("t", JsonObject.of(a=1), "r"))["gen_ai.tool.call.arguments"] == '{"a":1}'


def test_long_texts_are_clipped_and_numbers_of_every_sort_are_written() -> None:
    assert len(str(attributes(CallFacts("t", "", "r" * 100_000))["gen_ai.tool.call.result"])) < 10_000
    span = exported(ended(TurnFacts("a\ud800b")), HERE, content=True)
    more = evolve(span, told=evolve(span.told, attributes=(*span.told.attributes, ("f", 1.5), ("t", True), ("l", ("a", "b")))))
    assert b'"doubleValue":1.5' in otlp_json((more,), ())
    assert b'"boolValue":true' in otlp_json((more,), ())
    assert b'"arrayValue":{"values":[{"stringValue":"a"}' in otlp_json((more,), ())
    assert len(otlp_protobuf((more,), ())) > 100


def test_a_span_that_has_not_ended_says_so_and_ends_when_it_was_heard_of_last() -> None:
    span = Span(id="1", facts=TurnFacts("hi"), began_ms=5)
    assert (exported(span, HERE, content=False, last_ms=9).ended_ms, exported(span, HERE, content=False).ended_ms) == (9, 5)
    assert dict(exported(span, HERE, content=False).told.attributes)["error.type"] == "unfinished"
    assert "unfinished" in html_page(Trace(conversation="c", last_ms=9, turns=(span,)))


@pytest.mark.parametrize(
    "text",
    ["", "x", PARENT.upper(), PARENT + "-more", PARENT[:-1], "ff" + PARENT[2:], PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
     PARENT.replace("00f067aa0ba902b7", "0" * 16), "0" * 5_000],
)  # fmt: skip
def test_what_is_no_traceparent_is_refused_and_counts_for_nothing(text: str) -> None:
    assert traceparent_untrusted(text).failure().code == "bad-traceparent"
    assert context_of("c", text) == HERE


def test_a_traceparent_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert traceparent_untrusted("01" + PARENT[2:] + "-more").unwrap() == Traceparent(PARENT[3:35], PARENT[36:52])
    assert str(traceparent_untrusted(f" {PARENT} ").unwrap()) == PARENT


def test_a_conversation_within_another_is_in_its_trace_whatever_that_began_in() -> None:
    below, given = context_of("c~1.1.0.0~2.1.0.0"), context_of("c~1.1.0.0", PARENT)
    assert (below.trace_id, below.parent_id) == (HERE.trace_id, span_id("c~1.1.0.0", "2.1.0.0"))
    assert (given.trace_id, given.parent_id) == (PARENT[3:35], span_id("c", "1.1.0.0"))
    assert context_of("c", PARENT).parent_id == PARENT[36:52]


def test_a_part_of_all_traces_is_taken_and_none_that_is_not_kept_where_it_began() -> None:
    contexts = tuple(context_of(str(number)) for number in range(400))
    taken = sum(takes(Exporter(name="e", sample=0.25), each) for each in contexts)
    assert 60 < taken < 140
    assert all(takes(Exporter(name="e"), each) for each in contexts)
    assert not any(takes(Exporter(name="e", sample=0.0), each) for each in contexts)
    assert not takes(Exporter(name="e"), context_of("c", PARENT[:-1] + "0"))
    assert 0 <= chance_of("ff" * 16) < 1


def test_who_is_told_of_the_trace_is_told_of_its_own_span() -> None:
    provider = Provider(name="p", base_url="")
    asked = CallModel(provider=provider, model="m", upto=1)
    model = Perform(RequestId(1, 1, MODEL, 0), asked, b"body")
    told_model = with_traceparent(model, HERE, Propagate.SERVICES).request
    assert isinstance(told_model, CallModel)
    said = str(told_model.provider.headers["traceparent"])
    assert said == f"00-{HERE.trace_id}-{span_id('c', '1.1.m.0')}-01"
    own = evolve(model, request=evolve(asked, provider=evolve(provider, headers=JsonObject.of(Traceparent="mine"))))
    assert with_traceparent(own, HERE, Propagate.ALL) == own
    assert with_traceparent(model, HERE, Propagate.OFF) is model
    unsampled = with_traceparent(model, evolve(HERE, sampled=False), Propagate.SERVICES).request
    assert isinstance(unsampled, CallModel)
    assert str(unsampled.provider.headers["traceparent"]).endswith("-00")


def test_commands_are_told_only_where_the_settings_say_so() -> None:
    run = Perform(
        RequestId(1, 1, 0, 0),
        RunProcess(script="ls", cwd="/w", environment=(Variable("TRACEPARENT", "old"), Variable("A", "1")), timeout_s=1, output_bytes=1),
    )
    assert with_traceparent(run, HERE, Propagate.SERVICES) is run
    request = with_traceparent(run, HERE, Propagate.ALL).request
    assert isinstance(request, RunProcess)
    assert request.environment == (Variable("A", "1"), Variable("TRACEPARENT", f"00-{HERE.trace_id}-{span_id('c', '1.1.0.0')}-01"))
    job = Perform(RequestId(1, 1, 0, 1), StartJob(script="ls", cwd="/w", environment=(), output_bytes=1))
    told_job = with_traceparent(job, HERE, Propagate.ALL).request
    assert isinstance(told_job, StartJob)
    assert [each.name for each in told_job.environment] == ["TRACEPARENT"]
    read = Perform(RequestId(1, 1, 0, 2), ReadFile(path="/w/a", limit_bytes=1))
    assert with_traceparent(read, HERE, Propagate.ALL) is read
    mcp = Perform(RequestId(1, 1, 0, 3), CallMcp(server="s", tool="t", arguments=JsonObject(), timeout_s=1))
    assert with_traceparent(mcp, HERE, Propagate.SERVICES) != mcp


@pytest.mark.parametrize(
    ("reply", "rejected"),
    [
        (b"", 0),
        (b"{}", 0),
        (b"{", 0),
        (b"[]", 0),
        (b'{"partialSuccess": {"rejectedSpans": 4}}', 4),
        (b'{"partialSuccess": {"rejectedSpans": "many"}}', 0),
        (b'{"partialSuccess": {"rejectedSpans": null}}', 0),
        (b'{"partialSuccess": 1}', 0),
        (message(1, number(1, 7) + text(2, "y" * 300)), 7),
        (message(1, text(2, "why")), 0),
        (b"\x0a\x02\x08\xff", 0),
        (b"\x0a", 0),
        (b"<html>", 0),
    ],
)
def test_what_a_receiver_says_that_it_has_not_kept(reply: bytes, rejected: int) -> None:
    assert rejected_untrusted(reply) == rejected
