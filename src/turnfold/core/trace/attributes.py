"""What an export says of a span: its name, its kind and its attributes, after OpenTelemetry's conventions for generative AI.

Without ``content``, only names, codes, times and figures go along: nothing that a person, a model or a tool has said, no path, no command
and no sentence of an error, which may hold any of these.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never, final

from attrs import evolve, frozen

from turnfold.core.json import JsonObject, dumps
from turnfold.core.llm.reply import Stop
from turnfold.core.tools.textlines import clipped
from turnfold.core.trace.spans import (
    AgentFacts,
    CallFacts,
    ChildFacts,
    GuardrailFacts,
    HandoffFacts,
    ModelFacts,
    PermissionFacts,
    RequestFacts,
    RoundFacts,
    Span,
    Status,
    TurnFacts,
)
from turnfold.core.world.usage import Usage

CONTENT_CHARS = 8_000  # of each text: a trace is no second copy of the journal

Scalar: TypeAlias = str | int | float | bool | tuple[str, ...]
Attribute: TypeAlias = tuple[str, Scalar]

# https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/: the well-known names of providers, where ours differ
_PROVIDERS = (("google", "gcp.gemini"), ("gemini", "gcp.gemini"), ("azure", "azure.ai.openai"), ("mistral", "mistral_ai"), ("xai", "x_ai"))
_FINISHES = ((Stop.END, "stop"), (Stop.CALLS, "tool_calls"), (Stop.LENGTH, "length"), (Stop.FILTER, "content_filter"), (Stop.CUT, "error"))
_INVOKE: Attribute = ("gen_ai.operation.name", "invoke_agent")
_NO_ERRORS = (Status.OK, Status.DENIED, Status.INTERRUPTED)


@final
@frozen(kw_only=True)
class Told:
    """A span as it is exported. ``kind`` is what it is a span of; ``client``: it waits for somebody else's answer."""

    kind: str
    name: str
    client: bool = False
    attributes: tuple[Attribute, ...] = ()


def told(span: Span, conversation: str, *, content: bool) -> Told:
    """``span`` of ``conversation`` as it is exported, the same whenever it is asked.

    >>> told(Span(id="1.1.0", facts=CallFacts("read"), began_ms=0), "c", content=False).name
    'execute_tool read'
    """
    own = _told(span, content=content)
    common: tuple[Attribute, ...] = (
        ("gen_ai.conversation.id", conversation),
        ("turnfold.kind", own.kind),
        ("turnfold.place", span.id),
        ("turnfold.status", span.status.value),
    )
    wrong: tuple[Attribute, ...] = (("error.type", span.error or span.status.value),) if is_error(span) else ()
    problem = _texts(content=content, problem=span.problem)
    return evolve(own, attributes=(*own.attributes, *common, *wrong, *problem))


def is_error(span: Span) -> bool:
    """Whether ``span`` went wrong, or never ended: a denial and an interrupt are somebody's will.

    >>> is_error(Span(id="1", facts=RoundFacts(1), began_ms=0))
    True
    """
    return span.status not in _NO_ERRORS


def _texts(*, content: bool, **texts: str) -> tuple[Attribute, ...]:
    """The texts that are there, where they may go along."""
    return tuple((f"turnfold.{name}", clipped(text, CONTENT_CHARS)) for name, text in texts.items() if text) if content else ()


def _told(span: Span, *, content: bool) -> Told:
    facts = span.facts
    match facts:
        case TurnFacts():
            return _turn(facts, content=content)
        case ModelFacts():
            return _model(facts, content=content)
        case CallFacts():
            return _call(span.id, facts, content=content)
        case AgentFacts(agent):
            return Told(kind="agent", name=f"invoke_agent {agent}", attributes=(_INVOKE, ("gen_ai.agent.name", agent)))
        case RoundFacts(calls):
            return Told(kind="round", name="round", attributes=(("turnfold.calls", calls),))
        case RequestFacts(kind=kind, subject=subject, outcome=outcome):
            about: tuple[Attribute, ...] = (("turnfold.request.kind", kind), ("turnfold.outcome", outcome))
            return Told(kind="request", name=kind, attributes=(*about, *_texts(content=content, subject=subject)))
        case _:
            return _told_rarer(facts, content=content)


def _told_rarer(facts: PermissionFacts | GuardrailFacts | HandoffFacts | ChildFacts, *, content: bool) -> Told:
    match facts:
        case PermissionFacts(asked=asked, note=note):
            return Told(kind="permission", name="permission", attributes=_texts(content=content, asked=asked, note=note))
        case GuardrailFacts(name=name, on=on, tripped=tripped, reason=reason):
            what: tuple[Attribute, ...] = (
                ("turnfold.guardrail.name", name),
                ("turnfold.guardrail.on", "" if on is None else on.value),
                ("turnfold.guardrail.tripped", tripped),
            )
            return Told(kind="guardrail", name=f"guardrail {name}".strip(), attributes=(*what, *_texts(content=content, reason=reason)))
        case HandoffFacts(agent):
            return Told(kind="handoff", name=f"handoff {agent}", attributes=(("gen_ai.agent.name", agent),))
        case ChildFacts(conversation=conversation, agent=agent, task=task, usage=usage):
            led: tuple[Attribute, ...] = (("gen_ai.agent.name", agent),) if agent else ()
            child = ("turnfold.child.conversation", conversation)
            texts = _texts(content=content, task=task)
            return Told(kind="child", name=f"child {agent}".strip(), attributes=(*led, child, *_usage(usage), *texts))
        case _:
            assert_never(facts)


def _turn(facts: TurnFacts, *, content: bool) -> Told:
    named: tuple[Attribute, ...] = (("gen_ai.agent.name", facts.agent),) if facts.agent else ()
    reason: tuple[Attribute, ...] = () if facts.reason is None else (("turnfold.reason", facts.reason.value),)
    said = _messages("gen_ai.input.messages", "user", facts.said, content=content)
    replied = _messages("gen_ai.output.messages", "assistant", facts.reply, content=content)
    name = f"invoke_agent {facts.agent}".strip()
    return Told(kind="turn", name=name, attributes=(_INVOKE, *named, *reason, *said, *replied))


def _model(facts: ModelFacts, *, content: bool) -> Told:
    provider, _, model = facts.model.partition("/")
    known = dict(_PROVIDERS).get(provider, provider)
    asked: tuple[Attribute, ...] = (
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", known),
        ("gen_ai.system", known),  # its name until 1.36 of the conventions, by which many still look
        ("gen_ai.request.model", model),
        ("turnfold.purpose", facts.purpose.value),
    )
    ended: tuple[Attribute, ...] = ()
    if facts.stop is not None:
        ended = (("gen_ai.response.finish_reasons", (dict(_FINISHES).get(facts.stop, facts.stop.value),)),)
    if facts.stop is not None or facts.usage != Usage():
        ended += _usage(facts.usage)
    if facts.calls:
        ended += (("turnfold.called", facts.calls),)
    said = _messages("gen_ai.output.messages", "assistant", facts.reply, content=content)
    return Told(kind="model", name=f"chat {model}", client=True, attributes=(*asked, *ended, *said))


def _usage(usage: Usage) -> tuple[Attribute, ...]:
    figures: tuple[Attribute, ...] = (
        ("gen_ai.usage.input_tokens", usage.input_tokens),
        ("gen_ai.usage.output_tokens", usage.output_tokens),
        ("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens),
        ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write_tokens),
        ("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens),
        ("turnfold.cost_usd", usage.cost_usd),
    )
    return tuple(each for index, each in enumerate(figures) if index < 2 or each[1])


def _call(place: str, facts: CallFacts, *, content: bool) -> Told:
    named: tuple[Attribute, ...] = (
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", facts.tool),
        ("gen_ai.tool.call.id", place),
        ("gen_ai.tool.type", "function"),
    )
    texts: tuple[Attribute, ...] = ()
    if content:
        arguments = facts.arguments if isinstance(facts.arguments, str) else dumps(facts.arguments)
        texts = (
            ("gen_ai.tool.call.arguments", clipped(arguments, CONTENT_CHARS)),
            ("gen_ai.tool.call.result", clipped(facts.result, CONTENT_CHARS)),
        )
    return Told(kind="tool", name=f"execute_tool {facts.tool}", attributes=(*named, *texts))


def _messages(name: str, role: str, text: str, *, content: bool) -> tuple[Attribute, ...]:
    """One message, as the conventions write a list of them."""
    if not content or not text:
        return ()
    part = JsonObject.of(type="text", content=clipped(text, CONTENT_CHARS))
    return ((name, dumps((JsonObject.of(role=role, parts=(part,)),))),)
