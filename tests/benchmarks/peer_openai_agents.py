"""The OpenAI Agents SDK as a subject of the comparison; runs in an environment of its own (``pip install openai-agents``)."""
# mypy: ignore-errors
# (what it imports is not there where types are checked)

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, function_tool, set_tracing_disabled
from openai.types.responses import Response, ResponseCompletedEvent, ResponseTextDeltaEvent
from openai.types.responses.response_function_tool_call import ResponseFunctionToolCall
from openai.types.responses.response_output_message import ResponseOutputMessage
from openai.types.responses.response_output_text import ResponseOutputText

from tests.benchmarks.peer_measures import REPLY, WORD, Subject, tell

QUIET = RunConfig(tracing_disabled=True)


def message(text: str) -> ResponseOutputMessage:
    part = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(id="m", role="assistant", status="completed", type="message", content=[part])


class Scripted(Model):
    """Calls the tool so often, then says one thing; a delta a word where it is streamed."""

    def __init__(self, calls: int, words: int = 0) -> None:
        self.calls, self.words, self.asked = calls, words, 0

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        self.asked += 1
        output = message(REPLY)
        if self.asked <= self.calls:
            name = "weather"
            output = ResponseFunctionToolCall(
                arguments='{"city":"Rome"}', call_id=f"call_{self.asked}", name=name, type="function_call", id=f"fc_{self.asked}"
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for number in range(self.words):
            yield ResponseTextDeltaEvent(
                content_index=0,
                delta=WORD,
                item_id="m",
                output_index=0,
                sequence_number=number,
                type="response.output_text.delta",
                logprobs=[],
            )
        done = Response(
            id="r",
            created_at=0,
            model="m",
            object="response",
            output=[message(WORD * self.words)],
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
        )
        yield ResponseCompletedEvent(response=done, sequence_number=self.words, type="response.completed")


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"It is sunny in {city}."


@function_tool(needs_approval=True, name_override="weather")
def asked_weather(city: str) -> str:
    """The weather of a city."""
    return f"It is sunny in {city}."


def agent(model: Model, *tools: Any) -> Agent:
    return Agent(name="a", model=model, tools=list(tools))


async def run(rounds: int) -> object:
    return await Runner.run(agent(Scripted(rounds), weather), "go", max_turns=1_000, run_config=QUIET)


async def stream(deltas: int) -> int:
    streamed = Runner.run_streamed(agent(Scripted(0, deltas)), "go", run_config=QUIET)
    count = 0
    async for _ in streamed.stream_events():
        count += 1
    return count


async def history(messages: int) -> list[Any]:
    said = [
        {"role": "user", "content": f"Question {n}, of the usual length of a question that somebody asks."} for n in range(messages // 2)
    ]
    told = [
        {
            "role": "assistant",
            "type": "message",
            "id": f"m{n}",
            "status": "completed",
            "content": [{"type": "output_text", "annotations": [], "text": f"Answer {n}, in a sentence or two, as models say it."}],
        }
        for n in range(messages // 2)
    ]
    return [item for pair in zip(said, told, strict=True) for item in pair]


async def text(before: list[Any]) -> list[Any]:
    result = await Runner.run(agent(Scripted(0)), [*before, {"role": "user", "content": "go on"}], run_config=QUIET)
    return result.to_input_list()


async def park(number: int) -> object:
    result = await Runner.run(agent(Scripted(1), asked_weather), f"the weather, {number}", run_config=QUIET)
    assert result.interruptions
    return result.to_state()


if __name__ == "__main__":
    set_tracing_disabled(True)
    tell(Subject(run=run, stream=stream, history=history, text=text, park=park))
