"""Conversations side by side (SCENARIOS G7, G8, G9): what is done in one can't be seen from another."""

from __future__ import annotations

import asyncio

from attrs import evolve

from tests.core.agent.scripted import after, call, log, reply, results, sim
from tests.laws.comparison import without_times
from tests.laws.worlds import world_of
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import ChunkArrived
from turnfold.core.config.values import Rule, ToolFormat, Verdict
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.problem import world_problem
from turnfold.shell.run_async import run_async
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.moves import Deliver, Finish, Interrupt, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Stream, finished
from turnfold.testing.wire import chat_stream

BLOCK = "```read a.txt\n```\n"


def test_format_and_tools_are_arguments_of_each_conversations_parser() -> None:
    """G7: the same reply, read in two formats and with two tool lists, in turns."""
    native = after(sim(Stream(chat_stream(BLOCK)), cfg=evolve(CONFIG, tool_format=ToolFormat.NATIVE)), Say("a"))
    markdown = after(sim(Stream(chat_stream(BLOCK)), cfg=evolve(CONFIG, tool_format=ToolFormat.MARKDOWN)), Say("b"))
    fewer = after(sim(Stream(chat_stream(BLOCK)), cfg=evolve(CONFIG, tool_format=ToolFormat.MARKDOWN, tools=("shell",))), Say("c"))
    xml = after(sim(Stream(chat_stream(BLOCK)), cfg=evolve(CONFIG, tool_format=ToolFormat.XML)), Say("d"))
    crowd = [native, markdown, fewer, xml]
    for _ in range(40):
        crowd = [after(each, Deliver(0, 20)) for each in crowd]
    native, markdown, fewer, xml = (finished(each) for each in crowd)
    assert results(native) == results(fewer) == results(xml) == ()
    assert "alpha" in results(markdown)[0]
    assert results(finished(after(markdown, Say("again")))) == results(markdown)


def test_a_new_turn_after_an_interrupt_hears_nothing_of_the_old_reply() -> None:
    """G8: the old generation's chunks are known by their id, and dropped."""
    begun = after(sim(reply("the old reply")), Say("one"), Deliver(0, 250))
    old = begun.performs[0].request_id
    again = after(begun, Interrupt(), Say("two"), Wild(ChunkArrived(old, chat_stream("old, late"))))
    done = finished(after(again, Finish(0)))
    said = [message for message in log(done) if isinstance(message, AssistantMessage)]
    assert [message.text for message in said[1:]] == ["Done."]
    assert said[0].cut
    assert said[0] in log(begun) + log(done)


def journals_of(*streams: tuple[Stream, ...]) -> tuple[tuple[Event, ...], ...]:
    """The journals of conversations run at once on one loop, each with its own replies."""

    async def together() -> tuple[tuple[Event, ...], ...]:
        journals = tuple(MemoryJournal() for _ in streams)
        cfgs = tuple(evolve(CONFIG, conversation=f"c{n}", rules=(Rule(Verdict.ALLOW),)) for n in range(len(streams)))
        worlds = tuple(world_of(each, journal) for each, journal in zip(streams, journals, strict=True))
        await asyncio.gather(*(run_async("go", ALL_TOOLS, cfg, world) for cfg, world in zip(cfgs, worlds, strict=True)))
        return tuple(tuple(map(without_times, journal.load(cfg.conversation))) for cfg, journal in zip(cfgs, journals, strict=True))

    return asyncio.run(together())


def test_an_exception_in_ones_tool_is_not_seen_by_another_that_streams() -> None:
    """G9: B's journal equals the one of B run alone."""
    quiet = (reply("", call("shell", command="ls")), reply("There is " + "much " * 50))
    failing = (reply("", call("raises"), call("rubbish", text="1")), Stream(b"", world_problem("offline", "No network.")))
    assert journals_of(failing, quiet)[1] == journals_of((), quiet)[1]
