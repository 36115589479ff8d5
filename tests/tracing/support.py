"""Runs with exporters, and what their receivers got."""

from __future__ import annotations

from attrs import evolve

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Input, ProjectConfig, Rule, RunResult, Verdict, World, run
from turnfold.core.agent.events import Event
from turnfold.core.agent.state import ChatState
from turnfold.core.config.tables import Exporter
from turnfold.core.llm.reply import RawCall
from turnfold.core.trace.exported import Exported, exported_all
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.lines import span_line
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.usage import Usage
from turnfold.shell.desk import Watch, unwatched
from turnfold.shell.exporting.given import GivenExporters
from turnfold.shell.ports import Tap
from turnfold.testing.fake_sink import FakeSink
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.wire import chat_stream

SPENT = Usage(input_tokens=10, output_tokens=5)
LS = chat_stream("I look.", (RawCall("shell", '{"command":"make secret-folder"}'),), usage=SPENT)
DONE = chat_stream("Done, dear.", usage=SPENT)
LISTED = ProcessEnded(exit_code=0, output="a.txt\n", cwd="/w")
TOLD = ("secret-folder", "I look", "dear", "sugar", "a.txt", "/w")  # what is content of these runs


def config(
    conversation: str = "c", traceparent: str = "", *exporters: Exporter, rules: tuple[Rule, ...] = (Rule(Verdict.ALLOW),)
) -> ChatConfig:
    """A conversation with a scripted model that may do everything."""
    project = ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,), rules=rules, exporters=exporters))
    return ChatConfig(project, workspace="/w", conversation=conversation, traceparent=traceparent)


def world_of(*replies: bytes, sink: FakeSink | None = None, settings: Exporter | None = None) -> World:
    """A world of these replies, whose runs' spans ``sink`` gets."""
    world = fake_world(replies, commands={"make secret-folder": LISTED})
    return world if sink is None else with_sink(world, sink, settings)


def with_sink(world: World, sink: FakeSink, settings: Exporter | None = None) -> World:
    """``world`` with one more exporter."""
    return evolve(world, exporters=GivenExporters((Tap(settings or Exporter(name="kept"), sink),), world.exporters))


def ran(
    world: World, cfg: ChatConfig, said: str | Input = "Some sugar?", state: ChatState | None = None, watch: Watch = unwatched
) -> RunResult:
    """What came of it."""
    return run(said, BUILTIN_TOOLS, cfg, world, state=state, watch=watch)


def told_later(world: World, cfg: ChatConfig, *, content: bool = False) -> tuple[Exported, ...]:
    """The spans of a conversation and those below it, as its journal tells them afterwards."""

    def resolve(conversation: str) -> tuple[Event, ...] | None:
        return world.journal.load(conversation) or None

    trace = trace_of(world.journal.load(cfg.conversation), resolve, cfg.agent)
    return tuple(exported_all(trace, cfg.traceparent, content=content))


def lines(spans: tuple[Exported, ...]) -> list[str]:
    """Spans as bytes would have them, in an order of their own."""
    return sorted(map(span_line, spans))


def by_name(spans: tuple[Exported, ...], name: str) -> Exported:
    """The only span of this name."""
    (found,) = (each for each in spans if each.told.name == name)
    return found
