"""What is told of a reply while it comes, in chunks of any size, and to whoever joins within it."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, call, config, reply, sim
from tests.laws.test_streams import joined, kept, told_live
from turnfold.core.codec.codec import MESSAGE, encode
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.stream import items
from turnfold.core.stream.follow import follow
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import START
from turnfold.testing.moves import Command, Deliver, Finish, Interrupt, Say
from turnfold.testing.simulated import Sim, finished

CALLS = (call("read", path="a.txt"), call("shell", command="ls " + "é" * 20))


def arguments_of(told: list[Item], name: str) -> str:
    return "".join(item.text for item in told if isinstance(item, items.ArgumentsDelta) and item.call == name)


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
def test_calls_are_told_piece_by_piece_and_once(size: int) -> None:
    life = sim(reply("Let me look.", *CALLS), cfg=config(YES))
    life = after(life, Say("go"), *([Deliver(0, size)] * (4000 // size + 1)))
    done = finished(life)
    told = list(told_live(done, (True,)))
    assert arguments_of(told, "1.1.0") == CALLS[0].text
    assert arguments_of(told, "1.1.1") == CALLS[1].text
    if size == 1:
        assert len([item for item in told if isinstance(item, items.ArgumentsDelta)]) > 5
    started = [item.tool for item in told if isinstance(item, items.ToolCallStarted)]
    complete = [item.arguments for item in told if isinstance(item, items.ToolCallComplete)]
    assert started == ["read", "shell"]
    assert complete == [JsonObject.of(path="a.txt"), JsonObject.of(command="ls " + "é" * 20)]
    for index, item in enumerate(told):
        rest = list(follow(done.events, done.cfg, item.at))
        assert joined(rest) == joined(told[index + 1 :])


def test_a_call_is_complete_as_soon_as_its_item_is_also_while_the_reply_goes_on() -> None:
    life: Sim = after(sim(reply("", *CALLS), cfg=config(YES)), Say("go"))
    told: list[Item] = []
    while not any(isinstance(item, items.ToolCallComplete) for item in told):
        life = after(life, Deliver(0, 7))
        told = list(follow(life.events, life.cfg, START, live=life.state.live.reply))
    assert not any(isinstance(item, items.MessageDone) for item in told)
    assert len([item for item in told if isinstance(item, items.ToolCallComplete)]) == 2


def test_calls_of_a_reply_that_is_interrupted_are_as_if_they_had_never_been_told() -> None:
    life = after(sim(reply("Let me look.", *CALLS), cfg=config(YES)), Say("go"), *([Deliver(0, 40)] * 25), Interrupt())
    told = list(told_live(finished(life), (True,)))
    assert any(isinstance(item, items.ToolCallStarted) for item in told)
    assert not any(isinstance(item, items.ToolCallStarted) for item in kept(told))
    (done,) = (item for item in told if isinstance(item, items.MessageDone))
    assert (done.calls, done.cut) == ((), True)


def test_the_calls_of_a_commanded_turn_are_told_too() -> None:
    done = finished(after(sim(), Command(ToolCall("read", JsonObject.of(path="a.txt")))))
    told = list(follow(done.events, done.cfg))
    kinds = [type(item).__name__ for item in told]
    assert kinds == ["TurnStarted", "ToolCallStarted", "ArgumentsDelta", "ToolCallComplete", "ToolOutput", "TurnEnded"]
    for index, item in enumerate(told):
        assert list(follow(done.events, done.cfg, item.at)) == told[index + 1 :]


def test_a_call_whose_arguments_are_no_json_is_told_as_it_is_written() -> None:
    broken = evolve(CALLS[0], text='{"path": oops')
    done = finished(after(sim(reply("", broken), cfg=config(YES)), Say("go"), Finish()))
    for told in (told_live(done, (True,)), follow(done.events, done.cfg)):
        (complete,) = (item for item in told if isinstance(item, items.ToolCallComplete))
        assert (complete.arguments, complete.text) == (None, '{"path": oops')


def test_what_a_provider_must_get_back_word_for_word_is_not_told() -> None:
    done = finished(after(sim(reply("Hello.")), Say("go")))
    (message,) = (each for each in done.state.past.log if type(each).__name__ == "AssistantMessage")
    assert "verbatim" in encode(MESSAGE, message)
    assert not any(hasattr(item, "verbatim") for item in follow(done.events, done.cfg))
