"""What a conversation's length costs: microseconds of one step, one appended message, one built request, by messages.

python tests/benchmarks/cost_of_history.py [lengths…]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from attrs import evolve, frozen

from turnfold.core.agent.encoding import encoded_for, request_body
from turnfold.core.agent.events import MessageAdded
from turnfold.core.agent.inputs import Answered, ChunkArrived, Failed, UserSaid
from turnfold.core.agent.state import ChatState, offered
from turnfold.core.agent.step import step
from turnfold.core.config.models import profile_of
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, Message, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import world_problem
from turnfold.core.world.answers import FileRead
from turnfold.testing.moves import Finish, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, Stream, walked
from turnfold.testing.wire import chat_stream, data

LENGTHS = (10, 100, 1_000, 10_000)
TIMES = 200  # measured runs of each
CHUNK = data(JsonObject.of(choices=(JsonObject.of(index=0, delta=JsonObject.of(content=" word"), finish_reason=None),)))


@frozen(kw_only=True)
class Cost:
    """Medians in microseconds, and the request's size."""

    messages: int
    answer_us: float
    delta_us: float
    append_us: float
    request_us: float
    join_us: float
    request_bytes: int


def long_state(messages: int) -> ChatState:
    """A conversation of so many messages that is idle, with its messages encoded, as after a model call."""
    log: Log[Message] = Log()
    for number in range(messages // 2):
        log = log.append(UserMessage(f"Question {number}, of the usual length of a question that somebody asks."))
        log = log.append(AssistantMessage(text=f"Answer {number}, in a sentence or two, as models say it.", place=f"{number + 1}.1"))
    past = evolve(fold((MessageAdded(UserMessage("x")),)), log=log, turn=None, turns=messages)
    state = ChatState(past)
    profile = profile_of(CONFIG)
    known = offered(ALL_TOOLS, CONFIG, profile)
    return ChatState(past, evolve(state.live, encoded=encoded_for(state, known, CONFIG, profile)))


def microseconds(work: Callable[[], object], times: int = TIMES) -> float:
    """The median of ``times`` runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter_ns()
        work()
        taken.append(time.perf_counter_ns() - start)
    return median(taken) / 1000


def cost(messages: int) -> Cost:
    """What a conversation of so many messages costs."""
    state = long_state(messages)
    turn = state.past.turns + 1
    script = ((),) * (turn - 1) + ((Stream(chat_stream("", (RawCall("read", '{"path":"a.txt"}'),))),),)
    said = walked(Sim(tools=ALL_TOOLS, state=state, script=script), (Say("Read it."),))
    waiting = walked(said, (Finish(),))
    asked = waiting.outstanding[0].perform.request_id
    streaming = step(said.state, ChunkArrived(said.outstanding[0].perform.request_id, CHUNK), ALL_TOOLS, CONFIG).state
    model = said.outstanding[0].perform.request_id
    answer = Answered(asked, FileRead(text="alpha\n", digest="0" * 64))
    failed = Failed(model, world_problem("offline", "No network."))
    encoded = state.live.encoded
    assert encoded is not None
    return Cost(
        messages=messages,
        answer_us=microseconds(lambda: step(waiting.state, answer, ALL_TOOLS, CONFIG), 50),
        delta_us=microseconds(lambda: step(streaming, ChunkArrived(model, CHUNK), ALL_TOOLS, CONFIG)),
        append_us=microseconds(lambda: step(streaming, failed, ALL_TOOLS, CONFIG)),
        request_us=microseconds(lambda: step(state, UserSaid("Go on."), ALL_TOOLS, CONFIG), 50),
        join_us=microseconds(lambda: request_body(encoded, state.past), 50),
        request_bytes=len(said.outstanding[0].perform.body),
    )


def own_us(each: Cost) -> float:
    """A step that sends a request, without the joining of its bytes."""
    return max(each.request_us - each.join_us, 0.0)


def main(lengths: tuple[int, ...]) -> None:
    """Print the table; in brackets the ratio to the shortest."""
    costs = [cost(length) for length in lengths]
    first = costs[0]
    print("median µs (ratio)     tool answer*      text delta      reply appended     request built**   joining bytes    request bytes")
    for each in costs:
        columns = (
            (each.answer_us - each.join_us, first.answer_us - first.join_us),
            (each.delta_us, first.delta_us),
            (each.append_us, first.append_us),
            (own_us(each), own_us(first)),
            (each.join_us, first.join_us),
        )
        shown = "".join(f"{mine:10.1f} ({mine / least:4.1f})" for mine, least in columns)
        print(f"{each.messages:8} messages {shown} {each.request_bytes:12,}")
    print(
        "* the answer ends a round, so its step sends the next request; ** a message said and a request sent; both without joining the bytes"
    )


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or LENGTHS)
