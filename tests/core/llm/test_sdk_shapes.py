"""Our requests beside the types of the official SDKs, where these are installed: an oracle for the checkers of shapes.

``pip install anthropic google-genai`` makes these tests run; the SDKs are no part of the development environment, since each is larger
than all the rest of it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings

from tests.core.llm.histories import Part, histories, told
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.json import JsonObject
from turnfold.core.llm.protocol import Encoder, Head
from turnfold.core.llm.wire import encoder
from turnfold.testing.sample_tools import ALL_TOOLS

HEAD = Head(
    model="m",
    system="Be brief.",
    max_tokens=99,
    tools=ALL_TOOLS,
    tool_choice="read",
    parallel_calls=False,
    output=JsonObject.of(type="object", properties=JsonObject.of(a=JsonObject.of(type="string"))),
)


def request(write: Encoder, parts: tuple[Part, ...]) -> dict[str, object]:
    body: dict[str, object] = json.loads(write.encode_request(write.encode_head(HEAD), told(write, parts, ToolFormat.NATIVE)))
    return body


@settings(deadline=None, max_examples=20)
@given(histories(Wire.MESSAGES))
def test_anthropic_s_sdk_knows_every_member_of_our_requests(parts: tuple[Part, ...]) -> None:
    types = pytest.importorskip("anthropic.types", reason="the anthropic SDK is not installed")
    params = pytest.importorskip("anthropic.types.message_create_params").MessageCreateParamsStreaming
    body = request(encoder(Wire.MESSAGES), parts)
    assert set(body) <= set(params.__annotations__)
    read = checked(params).validate_python(body)
    assert len(list(read["tools"])) == len(ALL_TOOLS)
    assert list(read["system"])
    for message in read["messages"]:  # lists are read, and checked, when they are walked
        for block in () if isinstance(message["content"], str) else message["content"]:
            checked(types.ContentBlockParam).validate_python(block)


@cache
def checked(kind: object) -> Any:
    """What checks that a value is of ``kind``, a type of an SDK; made once, since that takes half a second."""
    return pytest.importorskip("pydantic").TypeAdapter(kind)


@settings(deadline=None, max_examples=20)
@given(histories(Wire.GEMINI))
def test_google_s_sdk_knows_every_member_of_our_requests(parts: tuple[Part, ...]) -> None:
    types = pytest.importorskip("google.genai.types", reason="the google-genai SDK is not installed")
    body = request(encoder(Wire.GEMINI), parts)
    contents, tools = body.pop("contents"), body.pop("tools")
    assert isinstance(contents, list)
    assert isinstance(tools, list)
    for content in contents:
        types.Content.model_validate(content)
    for tool in tools:
        types.Tool.model_validate(tool)
    types.ToolConfig.model_validate(body.pop("toolConfig"))
    types.GenerationConfig.model_validate(body.pop("generationConfig"))
    types.Content.model_validate(body.pop("systemInstruction"))
    assert not body
