"""Logs of gptme, and what every imported journal obeys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from tests.laws.comparison import assert_acceptable, assert_requests, assert_turns
from turnfold.adapters.gptme.journal import Imported, events_of_untrusted
from turnfold.core.agent.encoding import encoded_for, request_body
from turnfold.core.agent.events import CallClosed, Event, Impersonated, MessageAdded, Started
from turnfold.core.agent.inputs import Resumed, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import execute_command, step
from turnfold.core.codec.codec import EVENT, decode_untrusted, encode
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.models import profile_of
from turnfold.core.config.values import Provider, ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage, UserMessage
from turnfold.core.journal import fold, load
from turnfold.core.tools.builtin import BUILTIN_TOOLS

DATA = Path(__file__).parent / "data"
LOGS = DATA / "logs"
WALRUS = LOGS / "2026-11-21-mending-happy-walrus"
NATIVE = LOGS / "2026-11-20-native-calls"
CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "messages.json"
STARTED = Started(conversation="c", cfg_digest="", tools_digest="")
CFG = ChatConfig(ProjectConfig(Config(model="p/m", providers=(Provider(name="p", base_url="http://127.0.0.1:1/v1"),))), workspace="/w")

with_corpus = pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is not here: it lies beside the repository where turnfold is made")


def imported(path: Path) -> Imported:
    """A log as a journal."""
    return events_of_untrusted(path.read_bytes(), STARTED)


def jsonl(*messages: dict[str, object]) -> bytes:
    """Messages as gptme's file has them."""
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def said(role: str, content: str, **more: object) -> dict[str, object]:
    """A message of gptme."""
    return {"role": role, "content": content, **more}


def transcripts() -> tuple[tuple[str, bytes], ...]:
    """The lists of several messages in the corpus, each as a file of gptme; empty where the corpus is not there."""
    found: list[tuple[str, bytes]] = []
    for case in json.loads(CORPUS.read_text(encoding="utf-8")) if CORPUS.exists() else ():
        for index, argument in enumerate((*case["in"]["args"], case.get("out"))):
            if isinstance(argument, list) and len(argument) > 1 and all(isinstance(each, dict) and "role" in each for each in argument):
                found.append((f"{case['fn']} {case['id']} {index}", jsonl(*argument)))
    return tuple(found)


def assert_lawful(events: tuple[Event, ...]) -> None:
    """What holds of a journal that turnfold recorded holds of one that was imported, and it goes on."""
    assert isinstance(events[0], Started)
    assert tuple(decode_untrusted(EVENT, encode(EVENT, event)).unwrap() for event in events) == events
    assert_requests(events)
    assert_turns(tuple(part for event in events for part in _parts(event)))
    past = fold(events)
    assert past.turn is None
    assert past.events == len(events)
    for cut in range(1, len(events) + 1):
        assert fold(events[cut:], fold(events[:cut])) == past
    said_in_log = sum(len(message.calls) for message in past.log if isinstance(message, AssistantMessage))
    assert (
        said_in_log
        == sum(isinstance(message, ToolMessage) for message in past.log)
        == sum(isinstance(event, CallClosed) for event in events)
    )
    places = [message.place for message in past.log if isinstance(message, AssistantMessage)]
    assert (
        len(set(places))
        == len(places)
        == sum(
            isinstance(event, Impersonated) or (isinstance(event, MessageAdded) and isinstance(event.message, AssistantMessage))
            for event in events
        )
    )
    for tool_format in ToolFormat:
        cfg = evolve(CFG, tool_format=tool_format)
        assert_acceptable(request_body(encoded_for(ChatState(past), BUILTIN_TOOLS, cfg, profile_of(cfg)), past))
    assert_goes_on(events)


def _parts(event: Event) -> tuple[Event, ...]:
    """What a person says in the model's place, as a message and its reply: so the law of turns knows it."""
    return (MessageAdded(UserMessage("")), MessageAdded(event.message)) if isinstance(event, Impersonated) else (event,)


def assert_goes_on(events: tuple[Event, ...]) -> None:
    """Nothing is done until the person speaks; then a model is asked with all that was said."""
    resumed = step(load(events), Resumed(), BUILTIN_TOOLS, CFG)
    assert resumed.effects == ()
    went_on = step(resumed.state, UserSaid("go on"), BUILTIN_TOOLS, CFG)
    assert went_on.state.past.turn is not None
    assert went_on.state.past.turns == fold(events).turns + 1
    assert len(went_on.state.past.log) == len(fold(events).log) + 1
    undone = execute_command("/undo", BUILTIN_TOOLS, CFG, load(events)).state
    assert len(undone.past.marks) == fold(events).turns - 1
    assert execute_command("/redo", BUILTIN_TOOLS, CFG, undone).state.past.log == fold(events).log
