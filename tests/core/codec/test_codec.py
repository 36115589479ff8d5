"""What the codec takes and refuses, case by case; the laws are in tests/laws/test_round_trip.py."""

from __future__ import annotations

import json

import pytest
from returns.result import Failure, Success

from turnfold.core.agent.events import CallClosed, MessageAdded
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.agent.inputs import ChunkArrived, CommandGiven
from turnfold.core.agent.state import ChatState
from turnfold.core.codec.codec import CONFIG, EVENT, INPUT, ITEM, MESSAGE, REQUEST, STATE, decode_untrusted, encode
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits
from turnfold.core.conversation.messages import AssistantMessage, ToolCall
from turnfold.core.json import MAX_DEPTH, JsonObject, JsonValue, loads_untrusted


def nested(levels: int) -> JsonObject:
    value: JsonValue = ()
    for _ in range(levels - 1):
        value = (value,)
    return JsonObject.of(a=value)


def test_what_a_model_may_write_can_be_read_again_from_the_journal() -> None:
    deepest = nested(MAX_DEPTH)
    assert loads_untrusted(json.dumps({"a": json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)})).value_or(None) is not None
    for event in (
        MessageAdded(AssistantMessage(text="", place="1.1", calls=(ToolCall("t", deepest),))),
        CallClosed(slot=0, text="", ok=True, memory=deepest),
    ):
        assert decode_untrusted(EVENT, encode(EVENT, event)) == Success(event)


def test_a_text_that_is_nested_without_end_is_a_problem() -> None:
    for depth in (1_000, 200_000):
        assert isinstance(decode_untrusted(EVENT, "[" * depth + "]" * depth), Failure)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object, not list"),
        ('{"type": "Nope"}', "expected 'type' to be one of"),
        ('{"at_ms": 1}', "not None"),
        ('{"type": 5}', "not 5"),
        ('{"type": "RoundEnded", "at_ms": "1"}', "expected int, not str"),
        ('{"type": "RoundEnded", "at_ms": true}', "expected int, not bool"),
        ('{"type": "RoundEnded", "at_ms": 1.0}', "expected int, not float"),
        ('{"type": "RoundEnded", "more": 1}', "more"),
        ('{"type": "Rewound"}', "to"),
        ('{"type": "Permitted", "request_id": "1.1.m"}', "expected a request id"),
        ('{"type": "Permitted", "request_id": 1}', "expected a request id"),
        ('{"type": "TurnEnded", "reason": "bored"}', "expected one of 'completed'"),
        ('{"type": "CallClosed", "slot": 0, "text": "", "ok": 1}', "expected bool"),
        ('{"type": "CallClosed", "slot": 0, "text": "", "ok": true, "memory": []}', "expected an object, not list"),
        ('{"type": "MessageAdded", "message": null}', "expected an object"),
    ],
)
def test_what_is_wrong_with_an_event_is_named(text: str, said: str) -> None:
    problem = decode_untrusted(EVENT, text).failure()
    assert problem.code == "bad-event"
    assert said in problem.message


def test_a_float_may_be_written_as_an_integer_but_not_as_a_text() -> None:
    cfg = ChatConfig(ProjectConfig(Config(limits=Limits(grace_s=2.0))))
    text = encode(CONFIG, cfg)
    assert decode_untrusted(CONFIG, text.replace("2.0", "2")) == Success(cfg)
    for wrong in ('"2"', "true", "null", "1" + "0" * 400):
        assert isinstance(decode_untrusted(CONFIG, text.replace("2.0", wrong)), Failure)


def test_a_setting_that_is_not_mentioned_stays_so() -> None:
    text = encode(CONFIG, ChatConfig(ProjectConfig(Config())))
    assert "model" not in text
    assert decode_untrusted(CONFIG, text).unwrap().model == ""
    assert isinstance(decode_untrusted(CONFIG, text.replace('"base":{', '"base":{"model":null')), Failure)


def test_a_state_has_nothing_live_when_it_is_stored() -> None:
    text = encode(STATE, ChatState())
    assert decode_untrusted(STATE, text) == Success(ChatState())
    assert isinstance(decode_untrusted(STATE, text.replace('"live":null', '"live":{}')), Failure)
    assert isinstance(decode_untrusted(STATE, text.replace('"log":[]', '"log":{}')), Failure)
    assert isinstance(decode_untrusted(STATE, text.replace('"marks":[]', '"marks":[1]')), Failure)


def test_a_secret_is_a_name() -> None:
    text = '{"type":"CallModel","provider":{"name":"p","base_url":"u","secret":"sk-123"},"model":"m","upto":1}'
    assert "expected an object, not str" in decode_untrusted(REQUEST, text).failure().message


@pytest.mark.parametrize("data", ['"YQ="', '"YR=="', '"é"', "5", '"Y Q=="'])
def test_bytes_are_the_one_base64_text_that_turnfold_writes(data: str) -> None:
    text = '{"type":"ChunkArrived","request_id":"1.1.m.0","data":"YQ==","at_ms":0}'
    assert decode_untrusted(INPUT, text) == Success(ChunkArrived(RequestId(1, 1, MODEL, 0), b"a"))
    assert "base64" in decode_untrusted(INPUT, text.replace('"YQ=="', data)).failure().message


def test_a_command_is_a_text_or_a_call() -> None:
    for given in (CommandGiven("/help"), CommandGiven(ToolCall("read", JsonObject()))):
        assert decode_untrusted(INPUT, encode(INPUT, given)) == Success(given)
    assert "expected an object, not int" in decode_untrusted(INPUT, '{"type":"CommandGiven","command":5}').failure().message


@pytest.mark.parametrize("wrong", ['"read"', "{}", '{"read": 1}', "5", "null", "[1]"])
def test_a_list_is_an_array_and_nothing_else_that_has_items(wrong: str) -> None:
    text = encode(CONFIG, ChatConfig(ProjectConfig(Config(tools=("read",)))))
    assert isinstance(decode_untrusted(CONFIG, text.replace('["read"]', wrong)), Failure)


@pytest.mark.parametrize("calls", ["{}", '""', "null", '{"0": 1}'])
def test_an_array_is_an_array_and_nothing_else(calls: str) -> None:
    text = f'{{"type":"AssistantMessage","text":"a","place":"1.1","calls":{calls},"reasoning":"","cut":false}}'
    assert "expected an array" in decode_untrusted(MESSAGE, text).failure().message


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ('{"type":"Said","usd":1,"usb":2}', "there is no field 'usb'; known are generations, at_generations"),
        ("[]", "expected an object, not list"),
    ],
)
def test_a_table_of_which_some_is_said_holds_no_other_fields(limits: str, why: str) -> None:
    read = decode_untrusted(CONFIG, f'{{"project":{{"base":{{}}}},"limits":{limits}}}')
    assert isinstance(read, Failure)
    assert why in read.failure().message


def test_what_is_said_of_an_agents_limits_is_an_object() -> None:
    agent = '{"type":"Said","name":"a","limits":3}'
    read = decode_untrusted(CONFIG, f'{{"project":{{"base":{{"agents":[{agent}]}}}}}}')
    assert isinstance(read, Failure)
    assert "expected an object, not int" in read.failure().message


@pytest.mark.parametrize("at", ['"x"', "17", "null"])
def test_a_place_in_a_run_is_its_text(at: str) -> None:
    read = decode_untrusted(ITEM, f'{{"type":"TurnsRestored","at":{at}}}')
    assert isinstance(read, Failure)
    assert "expected a place such as '17'" in read.failure().message
