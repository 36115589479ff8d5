"""``traceparent`` on its way out: what is performed for a span says which one it is, as a value of the request, and of no other.

The journal holds the request without it: it follows from the conversation's id and the place.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.effects import Perform
from turnfold.core.config.tables import Propagate
from turnfold.core.config.values import Variable
from turnfold.core.trace.w3c import Context, Traceparent, span_id
from turnfold.core.world.requests import CallMcp, CallModel, RunProcess, StartJob

HEADER = "traceparent"
VARIABLE = "TRACEPARENT"


def with_traceparent(due: Perform, context: Context, how: Propagate) -> Perform:
    """``due`` with the ``traceparent`` of its span, where whoever gets it is to know.

    >>> from turnfold.core.agent.ids import RequestId
    >>> from turnfold.core.json import JsonObject
    >>> from turnfold.core.trace.w3c import context_of
    >>> asked = CallMcp(server="s", tool="t", arguments=JsonObject(), timeout_s=1)
    >>> told = with_traceparent(Perform(RequestId(1, 1, 0, 0), asked), context_of("c"), Propagate.SERVICES)
    >>> told.request.traceparent.split("-")[2] == span_id("c", "1.1.0.0")
    True
    """
    if how is Propagate.OFF:
        return due
    request = due.request
    parent = str(Traceparent(context.trace_id, span_id(context.conversation, str(due.request_id)), context.sampled is not False))
    match request:
        case CallModel(provider=provider) if HEADER not in {name.lower() for name in provider.headers}:
            headers = provider.headers.with_member(HEADER, parent)
            return evolve(due, request=evolve(request, provider=evolve(provider, headers=headers)))
        case CallMcp():
            return evolve(due, request=evolve(request, traceparent=parent))
        case RunProcess(environment=environment) | StartJob(environment=environment) if how is Propagate.ALL:
            rest = tuple(each for each in environment if each.name != VARIABLE)
            return evolve(due, request=evolve(request, environment=(*rest, Variable(VARIABLE, parent))))
        case _:
            return due
