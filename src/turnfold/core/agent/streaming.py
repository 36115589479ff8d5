"""A chunk that only adds to the reply, as nearly all do: the one step that is taken thousands of times a minute, on the shortest way.

It decides nothing: whatever might be more than a piece of text or reasoning (a call in a text format, the end of a limit, a summary)
goes the long way, through ``generation.chunk_arrived``, and comes to the same there.
"""

from __future__ import annotations

from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Channel, Delta, Publish
from turnfold.core.agent.inputs import ChunkArrived
from turnfold.core.agent.live import Live, LiveReply
from turnfold.core.agent.state import ChatState
from turnfold.core.llm.wire import decode


def streamed(state: ChatState, chunk: ChunkArrived) -> Step | None:
    """The step that ``chunk`` makes where all that it does is to add one piece to the live reply; None where it may do more."""
    live, turn = state.live, state.past.turn
    reply = live.reply
    if reply is None or turn is None or turn.interrupted or reply.scan is not None or reply.plan is not None:
        return None
    if reply.request_id != chunk.request_id or (reply.deadline_ms is not None and chunk.at_ms >= reply.deadline_ms):
        return None
    size_bytes = reply.size_bytes + len(chunk.data)
    decoded = decode(reply.fold, chunk.data)
    text, reasoning = decoded.text, decoded.reasoning
    if size_bytes > reply.limit_bytes or (text and reasoning):
        return None
    told = text or reasoning
    grown = LiveReply(
        request_id=reply.request_id,
        fold=decoded.fold,
        scan=None,
        limit_bytes=reply.limit_bytes,
        deltas=reply.deltas + 1 if told else reply.deltas,
        shown=reply.shown + len(text),
        thought=reply.thought + len(reasoning),
        size_bytes=size_bytes,
        deadline_ms=reply.deadline_ms,
    )
    after = ChatState(state.past, Live(reply=grown, encoded=live.encoded, checks=live.checks))
    if not told:
        return Step(after)
    channel = Channel.TEXT if text else Channel.REASONING
    return Step(after, (Publish(Delta(request_id=reply.request_id, number=reply.deltas, text=told, channel=channel)),))
