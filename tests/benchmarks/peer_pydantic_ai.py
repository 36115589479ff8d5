"""pydantic-ai as a subject of the comparison; runs in an environment of its own (``pip install pydantic-ai-slim``)."""
# mypy: ignore-errors
# (what it imports is not there where types are checked)

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic_ai import Agent, DeferredToolRequests, UsageLimits
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from tests.benchmarks.peer_measures import REPLY, WORD, Subject, tell

FREE = UsageLimits(request_limit=None)


def scripted(calls: int, words: int = 0) -> FunctionModel:
    """Calls the tool so often, then says one thing; a delta a word where it is streamed."""
    asked = 0

    def function(messages: list[Any], info: AgentInfo) -> ModelResponse:
        nonlocal asked
        asked += 1
        part = TextPart(REPLY) if asked > calls else ToolCallPart("weather", '{"city":"Rome"}', tool_call_id=f"call_{asked}")
        return ModelResponse(parts=[part])

    async def stream_function(messages: list[Any], info: AgentInfo) -> AsyncIterator[str]:
        for _ in range(words):
            yield WORD

    return FunctionModel(function, stream_function=stream_function)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"It is sunny in {city}."


async def run(rounds: int) -> object:
    agent = Agent(scripted(rounds), tools=[weather])
    return await agent.run("go", usage_limits=FREE)


async def stream(deltas: int) -> int:
    count = 0
    async with Agent(scripted(0, deltas)).run_stream("go", usage_limits=FREE) as streamed:
        async for _ in streamed.stream_text(delta=True, debounce_by=None):
            count += 1
    return count


async def history(messages: int) -> list[Any]:
    found: list[Any] = []
    for number in range(messages // 2):
        said = f"Question {number}, of the usual length of a question that somebody asks."
        found.append(ModelRequest(parts=[UserPromptPart(said)]))
        found.append(ModelResponse(parts=[TextPart(f"Answer {number}, in a sentence or two, as models say it.")]))
    return found


async def text(before: list[Any]) -> list[Any]:
    result = await Agent(scripted(0)).run("go on", message_history=before, usage_limits=FREE)
    return result.all_messages()


async def park(number: int) -> object:
    agent = Agent(scripted(1), output_type=[str, DeferredToolRequests])
    agent.tool_plain(requires_approval=True)(weather)
    result = await agent.run(f"the weather, {number}")
    assert isinstance(result.output, DeferredToolRequests)
    return result


if __name__ == "__main__":
    tell(Subject(run=run, stream=stream, history=history, text=text, park=park))
