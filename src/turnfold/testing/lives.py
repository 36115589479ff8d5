"""Hypothesis strategies for whole lives of conversations: what models reply, what happens, in which order.

>>> sims().validate(), lives().validate()
(None, None)
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from turnfold.core.agent.led_tools import led_tools
from turnfold.core.config.agents import AgentSpec, History
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.said import said
from turnfold.core.config.tables import Compaction, Guardrail
from turnfold.core.config.values import AtGenerations, Limits, ModelProfile, Provider, Rule, ToolFormat, Verdict, Wire
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject, dumps
from turnfold.core.llm.call_format import MARKDOWN, XML, TextFormat
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.spec import find_tool
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Break, Command, Crash, Decide, Deliver, Finish, Interrupt, Late, Mismatch, Move, Pass, Say, Unknown, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import PROVIDER, SUMMARY, Sim, Stream
from turnfold.testing.strategies import inputs, request_ids, texts, tool_calls
from turnfold.testing.troubles import FALLBACKS, problems, rails, verdicts
from turnfold.testing.wire import chat_body, chat_stream
from turnfold.testing.wires import error_in, stream_in

CALLS: tuple[ToolCall, ...] = (
    ToolCall("read", JsonObject.of(path="a.txt")),
    ToolCall("read", JsonObject.of(path="none.txt")),
    ToolCall("save", JsonObject.of(path="c.txt", content="gamma\n")),
    ToolCall("append", JsonObject.of(path="b.txt", content="more\n")),
    ToolCall("shell", JsonObject.of(command="ls")),
    ToolCall("shell", JsonObject.of(command="cd sub")),
    ToolCall("shell", JsonObject.of(command="export A=1")),
    ToolCall("python", JsonObject.of(code="1 + 1")),
    ToolCall("ask", JsonObject.of(question="Which?", choices=("red", "green"))),
    ToolCall("ask", JsonObject.of(question="Who?")),
    ToolCall("complete", JsonObject.of(text="All is done.")),
    ToolCall("subagent", JsonObject.of(task="Count the files.")),
    ToolCall("chats", JsonObject.of(query="alpha")),
    ToolCall("rag", JsonObject.of(query="alpha")),
    ToolCall("gh", JsonObject.of(command="pr list")),
    ToolCall("pair", JsonObject.of(path="b.txt")),
    ToolCall("careful", JsonObject.of(path="d.txt")),
    ToolCall("count", JsonObject()),
    ToolCall("tally", JsonObject()),
    ToolCall("twice", JsonObject.of(path="a.txt")),
    ToolCall("raises", JsonObject.of(text="no")),
    ToolCall("nothing", JsonObject()),
    ToolCall("critic", JsonObject.of(input="Is it good?")),
    ToolCall("transfer_to_writer", JsonObject.of(reason="It has to be written.")),
    ToolCall("transfer_to_reviewer", JsonObject()),
    ToolCall("transfer_to_critic", JsonObject()),
)
BOTH = "<tool-use>\n<read args='a.txt'/>\n<shell>\nls\n</shell>\n</tool-use>"
COMMANDS = (
    "/help",
    "/help undo",
    "/help shell",
    "/help nope",
    "/tools",
    "/undo",
    "/undo 2",
    "/undo x",
    "/redo",
    "/redo 2",
    "/rewind",
    "/rewind 0",
    "/rewind 1",
    "/rewind 2",
    "/edit Say it better.",
    "/edit 1 Say it better.",
    "/retry",
    "/fork",
    "/fork another",
    "/compact",
    "/replay",
    "/replay all",
    "/replay shell",
    "/impersonate I am done.",
    "/impersonate Let me.\n```shell\nls\n```",
    "/impersonate ```save a.txt\nhi\n```\n```count\n```",
    "/impersonate ```save a.txt\nhi",
    "/model",
    "/model scripted/other",
    "/model no/such",
    "/model default",
    "/agent",
    "/agent reviewer",
    "/agent writer",
    "/agent lost",
    "/agent none",
    "/config",
    "/config model",
    "/config nope",
    "/config limits.generations = 1",
    "/config limits.generations = default",
    "/config temperature = 9",
    "/config tools = -python",
    "/decide",
    "/decide 1.1.0.0 yes",
    "/decide 1.1.0.0 no not now",
    "/decide 1.1.0.0 always",
    '/decide 1.1.0.0 {"path": "c.txt"}',
    "/allow",
    "/allow write",
    "/allow run l*",
    "/allow nope",
    "/permission",
    "/permission edit",
    "/permission nope",
    "/rename",
    "/rename A better name",
    "/log",
    "/log 1",
    "/trace",
    "/trace 1",
    "/tokens",
    "/cost",
    "/export",
    "/export json a.json",
    "/exit",
    "/quit",
    "/shell ls",
    "/count",
    "/nope",
    "hi",
)
CHANGING = tuple(
    command for command in COMMANDS if command.split(" ")[0] in ("/undo", "/redo", "/rewind", "/edit", "/retry", "/replay", "/impersonate")
)
AGENTS = (
    AgentSpec(
        name="reviewer", instructions="Review, change nothing.", tools=("read", "shell"), handoffs=("writer", "critic"), helpers=("critic",)
    ),
    AgentSpec(name="writer", model="scripted/other", tools=("-python",), limits=said(Limits, generations=2), history=History.FILTERED),
    AgentSpec(name="critic", description="Finds faults.", history=History.NESTED, handoffs=("reviewer", "writer")),
    AgentSpec(name="lost", model="no/such"),
)
LED_TOOLS = tuple(
    tool for agent in ("reviewer", "critic") for tool in led_tools(ALL_TOOLS, ChatConfig(ProjectConfig(Config(agent=agent, agents=AGENTS))))
)
RULES = (None, None, Rule(Verdict.ALLOW, "write", "*"), Rule(Verdict.ALLOW), Rule(Verdict.DENY, "run", "*"), Rule(Verdict.ASK))
EDITS = (
    *(5 * (None,)),
    JsonObject.of(command="ls"),
    JsonObject.of(path="c.txt", content="delta\n"),
    JsonObject.of(path="d.txt"),
    JsonObject.of(nope=1),
)
NUMBER = JsonObject.of(
    type="object", properties=JsonObject.of(n=JsonObject.of(type="integer")), required=("n",), additionalProperties=False
)
FREE = ChatConfig(ProjectConfig(Config()))
RULED = (
    *(6 * (FREE,)),
    evolve(FREE, output=NUMBER),
    evolve(FREE, tool_choice="read", parallel_calls=False),
    evolve(FREE, tool_choice="required", stop_on=("*",)),
    evolve(FREE, tool_choice="none", output=NUMBER),
    evolve(FREE, stop_on=("read", "shell"), output=JsonObject.of(type="string")),
)
LIMITS = (
    *(3 * (Limits(),)),
    Limits(generations=2),
    Limits(generations=1, at_generations=AtGenerations.ANSWER, repairs=1),
    Limits(reply_bytes=300),
    Limits(generations=0, grace_s=0.0),
    Limits(turns=3, turn_s=5.0),
    Limits(tokens=20, turn_s=60.0),
    Limits(usd=0.01),
    Limits(request_s=4.0, conversation_s=120.0),
)
TALK: tuple[Move, ...] = (Say("one"), *(4 * (Finish(),)), Say("two"), *(4 * (Finish(),)))
USAGES = (None, Usage(input_tokens=10, output_tokens=2))


def calls() -> SearchStrategy[ToolCall]:
    """Calls of the tools there are, mostly such as work."""
    odd = st.builds(lambda kind: ToolCall("rubbish", JsonObject.of(text=kind)), st.integers(0, 11).map(str) | st.just("unprintable"))
    unfit = st.builds(lambda name, call: ToolCall(name, call.arguments), st.sampled_from([tool.name for tool in ALL_TOOLS]), tool_calls())
    return st.one_of(*(6 * [st.sampled_from(CALLS)]), odd, unfit, tool_calls())


def raw_calls() -> SearchStrategy[RawCall]:
    """Native calls as a model writes them, some of which can't be read."""
    sound = calls().map(lambda call: RawCall(call.name, dumps(call.arguments)))
    broken = st.builds(RawCall, st.sampled_from(("read", "shell", "nope", "")), st.sampled_from(("", "{", "[]", '{"path": "a', "null")))
    return st.one_of(*(4 * [sound]), broken)


def blocks() -> SearchStrategy[str]:
    """Calls as text, in Markdown or XML, some of them broken or with text behind them."""
    forms = st.sampled_from((MARKDOWN, MARKDOWN, XML))
    return st.builds(_block, forms, st.sampled_from(CALLS), st.sampled_from(("", "\n", "\nI wonder.", "\n\nMore.\n")))


def _block(form: TextFormat, call: ToolCall, after: str) -> str:
    tool = find_tool((*ALL_TOOLS, *LED_TOOLS), call.name)
    return after if tool is None else f"Let me.\n{form.render(call, tool)}{after}"


def streams(wire: Wire = Wire.CHAT) -> SearchStrategy[Stream]:
    """Replies in ``wire``: text, calls, both, nothing, cut, failed in the middle, no stream at all."""
    said = (
        st.sampled_from(("Done.", '{"n": 3}', '```json\n{"n": "3"}\n```', "", " ", "é😀 done", "```read\na", "```shell\nls\n```", BOTH))
        | texts()
        | blocks()
    )
    several = st.lists(raw_calls(), min_size=1, max_size=4).map(tuple)
    called = st.one_of(st.just(()), several, several)
    whole = st.builds(
        chat_stream,
        said,
        called,
        st.sampled_from(USAGES),
        reasoning=st.sampled_from(("", "", "Hm.")),
        finish_reason=st.sampled_from(("", "", "", "length", "content_filter")),
        piece_chars=st.integers(1, 30),
    )
    if wire is not Wire.CHAT:
        usages = st.sampled_from(tuple(usage or Usage() for usage in USAGES))
        reasoned, odd = st.sampled_from(("", "", "Hm.")), st.sampled_from((False, False, False, True))
        whole = st.builds(stream_in, st.just(wire), said, called, usages, reasoning=reasoned, refusal=odd, cut=odd)
    body = st.builds(chat_body, said, called)
    cut = st.builds(lambda data, at: data[: at % (len(data) + 1)], whole, st.integers(0, 4000))
    error = error_in(wire, "overloaded")
    broken = st.builds(lambda data, at: data[: at % (len(data) + 1)] + error, whole, st.integers(0, 4000))
    data = st.one_of(*(6 * [whole]), body, cut, broken, st.binary(max_size=20))
    return st.builds(Stream, data, problems())


def scripts(wire: Wire = Wire.CHAT) -> SearchStrategy[tuple[tuple[Stream, ...], ...]]:
    """What a model replies in the first turns."""
    return st.lists(st.lists(streams(wire), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(tuple)


def sim_configs(*, timed: bool = True, wire: Wire = Wire.CHAT) -> SearchStrategy[ChatConfig]:
    """Configs under which a conversation comes to something; ``timed``: also such as end a turn after some time."""
    return st.builds(
        _config,
        st.sampled_from(("scripted/model",) * 6 + ("", "no/such")),
        st.sampled_from((ToolFormat.NATIVE, ToolFormat.NATIVE, ToolFormat.MARKDOWN, ToolFormat.XML)),
        st.lists(st.sampled_from(RULES).filter(lambda rule: rule is not None), max_size=2).map(tuple),
        st.sampled_from(tuple(limits for limits in LIMITS if timed or (limits.turn_s, limits.request_s) == (None, None))),
        st.sampled_from((None, 200, 600, 2_000)),
        st.sampled_from((None, None, None, ("read", "shell", "count"))),
        st.sampled_from(("", "", "reviewer", "critic")),
        st.sampled_from((0, 0, 2)).map(lambda retries: evolve(PROVIDER, wire=wire, retries=retries)),
        st.sampled_from(RULED),
        rails(),
        st.sampled_from(FALLBACKS),
    )


def _config(
    model: str,
    tool_format: ToolFormat,
    rules: tuple[Rule, ...],
    limits: Limits,
    window: int | None,
    tools: tuple[str, ...] | None,
    agent: str,
    provider: Provider,
    ruled: ChatConfig,
    guardrails: tuple[Guardrail, ...],
    fallbacks: tuple[str, ...],
) -> ChatConfig:
    priced = ModelProfile(pattern="scripted/*", window_tokens=window, input_usd=1000.0, output_usd=1000.0)
    keep = Compaction(keep_turns=0 if window == 200 else 1)
    base = Config(
        model=model,
        providers=(provider,),
        tool_format=tool_format,
        rules=rules,
        limits=limits,
        agents=AGENTS,
        agent=agent,
        models=(priced,),
        compaction=keep,
        guardrails=guardrails,
        fallbacks=fallbacks,
    )
    cfg = evolve(ruled, project=ProjectConfig(base), workspace="/w", conversation="c")
    return cfg if tools is None else evolve(cfg, tools=tools)


def sims(wire: Wire = Wire.CHAT) -> SearchStrategy[Sim]:
    """Conversations that have not begun, each with a config and a script; small windows have many of them summed up."""
    summed = st.just(SUMMARY if wire is Wire.CHAT else Stream(stream_in(wire, "They said hello.")))
    summary = st.one_of(summed, summed, streams(wire))
    return st.builds(
        Sim, tools=st.just(ALL_TOOLS), cfg=sim_configs(wire=wire), script=scripts(wire), summary=summary, verdicts=verdicts(wire)
    )


def asked() -> SearchStrategy[Move]:
    """What a person does."""
    said = st.builds(Say, st.sampled_from(("Go on.", "", "Do it.")) | texts())
    commanded = st.builds(Command, st.sampled_from(COMMANDS) | st.sampled_from(CHANGING) | texts() | calls())
    return st.one_of(said, said, commanded, st.builds(Interrupt))


def moves(*, wild: bool = True) -> SearchStrategy[Move]:
    """Anything that can happen; ``wild``: also inputs that no driver gives."""
    pick = st.integers(0, 5)
    usual: list[SearchStrategy[Move]] = [
        asked(),
        st.builds(Deliver, pick, st.integers(1, 400)),
        *(4 * [st.builds(Finish, pick)]),
        st.builds(Decide, pick, st.booleans(), st.sampled_from(RULES), st.sampled_from(EDITS)),
    ]
    rare: list[SearchStrategy[Move]] = [
        st.builds(Break, pick),
        st.builds(Mismatch, pick),
        st.builds(Late, pick, st.booleans()),
        st.builds(Unknown, request_ids()),
        st.builds(Pass, st.sampled_from((0, 4_000, 60_000))),
        st.builds(Crash),
    ]
    return st.one_of(*usual, *usual, *rare, *([st.builds(Wild, inputs())] if wild else []))


def lives(*, wild: bool = False) -> SearchStrategy[tuple[Move, ...]]:
    """Moves in a row, which begin with something a person does; some with two turns, so that there is something to sum up."""
    begun = st.sampled_from(((), (), TALK))
    return st.builds(lambda talk, first, rest: (*talk, first, *rest), begun, asked(), st.lists(moves(wild=wild), min_size=8, max_size=30))
