"""What a person sees: prose, acts, results; and what a stream may be cut into without changing it."""

from __future__ import annotations

import json

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from turnfold import BUILTIN_TOOLS, ChatConfig, CommandGiven, Config, Effect, ProjectConfig, Rule, ToolFormat, UserSaid, Verdict, run
from turnfold.cli.acts import act_pieces, result_pieces
from turnfold.cli.json_lines import effect_line
from turnfold.cli.prose import Prose, feed
from turnfold.cli.stored import transcript
from turnfold.cli.style import Piece, Style, painted
from turnfold.cli.view import View, shown
from turnfold.core.agent.effects import Delta, Publish, Record
from turnfold.core.agent.events import (
    CallCommanded,
    Check,
    Compacted,
    Impersonated,
    Redone,
    Renamed,
    RequestClosed,
    RequestOpened,
    Rewound,
    SummaryAsked,
)
from turnfold.core.agent.ids import GUARD, MODEL, RequestId
from turnfold.core.config.layers import Overrides
from turnfold.core.config.tables import Guarded, Sandbox, SandboxProfile
from turnfold.core.conversation.messages import AssistantMessage, ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.tools.preview import visible
from turnfold.core.world.answers import FileWritten, JobStarted, ProcessEnded, PythonEnded
from turnfold.core.world.requests import CallModel, Purpose, ReadFile, Request, RunProcess, RunPython, Wait, WriteFile
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.strategies import effects
from turnfold.testing.wire import chat_stream

NAMES = tuple(tool.name for tool in BUILTIN_TOOLS)
CFG = ChatConfig(ProjectConfig(Config(model="scripted/m", rules=(Rule(Verdict.ALLOW),))), workspace="/w", conversation="c")
BLOCK = "I write it.\n\n```save hello.txt\nhi\n```"


def told(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


def seen(effects: list[Effect], cfg: ChatConfig) -> str:
    """What the effects of a run look like."""
    view, text = View(cfg=cfg, tools=NAMES), ""
    for effect in effects:
        news = shown(view, effect)
        view, text = news.view, text + told(news.pieces)
    return text


def fed(text: str, sizes: list[int], names: tuple[str, ...] = NAMES) -> tuple[str, Prose]:
    prose, out, start = Prose(), "", 0
    for size in [*sizes, len(text)]:
        news = feed(prose, text[start : start + size], names)
        prose, out, start = news.prose, out + news.text, start + size
    return out, prose


@given(
    st.lists(st.sampled_from(["a", "\n", "`", "```", "save", "shell x", " ", "```save a\n", "```python", "```js\n", "é"])),
    st.lists(st.integers(1, 5)),
)
def test_any_cutting_shows_the_same(parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    assert fed(text, sizes) == fed(text, [])


@given(st.text(alphabet="ab`\n "), st.lists(st.integers(1, 3)))
def test_prose_without_tool_names_is_shown_but_for_a_held_line(text: str, sizes: list[int]) -> None:
    out, prose = fed(text, sizes)
    assert out + prose.held == text
    assert fed(text, sizes, ()) == (text, Prose(seen=len(text), told=len(text)))


def test_a_block_of_another_language_is_prose() -> None:
    assert fed("```js\nx\n```\n", [1] * 20)[0] == "```js\nx\n```\n"


@given(st.lists(st.integers(1, 200)))
def test_a_long_call_is_told_once(sizes: list[int]) -> None:
    view, text, start = View(cfg=evolve(CFG, tool_format=ToolFormat.MARKDOWN), tools=NAMES), "", 0
    reply = "I write.\n```save a.txt\n" + "line\n" * 200 + "```"
    for size in [*sizes, len(reply)]:
        delta = Delta(request_id=RequestId(1, 1, MODEL, 0), number=0, text=reply[start : start + size])
        news = shown(view, Publish(delta))
        view, text, start = news.view, text + told(news.pieces), start + size
    assert text == "I write.\n… save a.txt\n"


def test_a_very_long_opening_line_is_not_held_for_ever() -> None:
    assert fed("```save " + "x" * 5000, [7] * 1000)[1].calling
    assert not fed("```savexx" + "x" * 5000, [7] * 1000)[1].calling


def test_a_run_looks_the_same_live_and_in_its_transcript() -> None:
    for tool_format, reply in ((ToolFormat.MARKDOWN, BLOCK), (ToolFormat.NATIVE, "Only talk.\n```save x\nno call\n```\n")):
        cfg = evolve(CFG, tool_format=tool_format)
        world = fake_world((chat_stream(reply), chat_stream("Done.")))
        effects: list[Effect] = []
        result = run("make it", BUILTIN_TOOLS, cfg, world, watch=effects.append)
        assert result.problem is None
        live = seen(effects, result.cfg)
        kept = "".join(transcript(world.journal.load("c"), result.cfg, NAMES, colour=False))
        assert kept == "> make it\n" + live
        assert live.count("I write it.") == (tool_format is ToolFormat.MARKDOWN)
        assert live.count("no call") == (tool_format is ToolFormat.NATIVE)


def test_what_a_guardrail_asks_and_waits_for_in_the_midst_of_a_reply_leaves_it_as_it_is() -> None:
    cfg = evolve(CFG, tool_format=ToolFormat.MARKDOWN)
    effects: list[Effect] = []
    result = run("make it", BUILTIN_TOOLS, cfg, fake_world((chat_stream(BLOCK), chat_stream("Done."))), watch=effects.append)
    check = Check(name="topic", on=Guarded.INPUT, generation=1)
    asking = CallModel(provider=SCRIPTED, model="g", upto=0, purpose=Purpose.GUARDRAIL)
    wanted: tuple[Request, ...] = (asking, Wait(5), asking)
    beside = tuple(
        Record(number, RequestOpened(request_id=RequestId(1, 1, GUARD, number), request=request, at_ms=0, check=check))
        for number, request in enumerate(wanted)
    )
    plain = seen(effects, result.cfg)
    places = [place for place, each in enumerate(effects) if isinstance(each, Publish) and isinstance(each.what, Delta)]
    for place in places[:-3]:
        assert seen([*effects[:place], *beside, *effects[place:]], result.cfg) == plain


@given(st.lists(st.integers(1, 20)))
def test_elements_that_are_calls_are_not_shown(sizes: list[int]) -> None:
    cfg = evolve(CFG, tool_format=ToolFormat.XML)
    view, text, start = View(cfg=cfg, tools=NAMES), "", 0
    reply = "A <b>, and\n<tool>\n<tool-use>\n<shell>\nls\n</shell>\n</tool-use>"
    for size in [*sizes, len(reply)]:
        delta = Delta(request_id=RequestId(1, 1, MODEL, 0), number=0, text=reply[start : start + size])
        news = shown(view, Publish(delta))
        view, text, start = news.view, text + told(news.pieces), start + size
    assert text == "A <b>, and\n<tool>\n"


def test_a_block_that_is_no_call_after_all_is_shown() -> None:
    cfg = evolve(CFG, tool_format=ToolFormat.MARKDOWN)
    text = "See:\n~~~\n```save x\nhi\n```\n~~~\nThat is how.\n"
    effects: list[Effect] = []
    run("how?", BUILTIN_TOOLS, cfg, fake_world((chat_stream(text),)), watch=effects.append)
    assert seen(effects, cfg) == text


def test_changed_settings_count() -> None:
    """After a change of format the view reads replies in the new one."""
    from turnfold.core.agent.events import Reconfigured

    view = View(cfg=CFG, tools=NAMES)
    change = Overrides(tool_format=ToolFormat.MARKDOWN)
    view = shown(view, Record(0, Reconfigured(change))).view
    assert shown(view, Record(1, Reconfigured(change))).pieces == ()
    assert told(shown(evolve(view, replay=True), Record(1, Reconfigured(change))).pieces) == "(settings changed)\n"


def test_events_that_change_no_text_are_a_short_line_of_the_transcript() -> None:
    spoken = AssistantMessage(text="I am the model.", place="1.0")
    lines = (
        (Renamed("new", 1), "(called new from here on)\n"),
        (Renamed("", 1), "(its name taken away)\n"),
        (Rewound(2, 1), "(turn 2 and all after it taken back)\n"),
        (Compacted(4, "All was well."), "(the first 4 messages told to the model as a summary from here on)\n"),
        (Redone(1), "(what was taken back last is there again)\n"),
        (SummaryAsked("/compact", 1), "> /compact\n"),
        (CallCommanded("/shell ls", ToolCall("shell", JsonObject.of(command="ls")), 1), "> /shell ls\n"),
    )
    for event, line in lines:
        assert told(shown(View(cfg=CFG, tools=NAMES, replay=True), Record(0, event)).pieces) == line
        assert told(shown(View(cfg=CFG, tools=NAMES), Record(0, event)).pieces) == ""
    for replay in (False, True):
        view = View(cfg=CFG, tools=NAMES, replay=replay)
        assert told(shown(view, Record(0, Impersonated(spoken))).pieces) == "I am the model.\n"


def test_what_a_command_ran_in_is_said_of_the_first_and_of_one_that_ran_otherwise() -> None:
    outcomes = (
        (ProcessEnded(exit_code=0, output="", cwd="/w"), "  (not in a sandbox: with all your rights)\n"),
        (PythonEnded(output=""), ""),
        (JobStarted("a", "bubblewrap"), "  (in a sandbox, by bubblewrap)\n"),
        (ProcessEnded(exit_code=0, output="", cwd="/w", sandbox="bubblewrap"), ""),
        (FileWritten(""), ""),
        (PythonEnded(output=""), "  (not in a sandbox: with all your rights)\n"),
    )
    view = View(cfg=CFG, tools=NAMES)
    for outcome, line in outcomes:
        news = shown(view, Record(0, RequestClosed(RequestId(1, 0, 0, 0), outcome)))
        assert told(news.pieces) == line
        view = news.view
    wanted = View(cfg=evolve(CFG, sandbox=Sandbox(profile=SandboxProfile.WORKSPACE)), tools=NAMES)
    news = shown(wanted, Record(0, RequestClosed(RequestId(1, 0, 0, 0), outcomes[0][0])))
    assert told(news.pieces) == "  (not in a sandbox, since none works here: with all your rights)\n"


@given(effects())
def test_every_effect_is_one_json_line_or_none(effect: Effect) -> None:
    line = effect_line(effect)
    assert line == "" or (list(json.loads(line)) and line.count("\n") == 1)
    assert bool(line) == isinstance(effect, Record | Publish)


def test_acts() -> None:
    read = ReadFile(path="/w/a\x1b.txt", limit_bytes=1)
    assert told(act_pieces(read, (), CFG)) == "read a\\x1b.txt\n"
    write = WriteFile(path="/w/a.txt", text="1\n" * 100, expected_digest="")
    assert "… 60 more lines …" in told(act_pieces(write, (), CFG))
    assert told(act_pieces(write, (), CFG, whole=True)).count("+1\n") == 100
    command = RunProcess(script="ls\npwd", cwd="/w/sub", environment=(), timeout_s=1, output_bytes=1)
    assert told(act_pieces(command, (), CFG)) == "run:\n  ls\n  pwd\n"
    assert told(act_pieces(command, (), CFG, whole=True)) == "run:\n  ls\n  pwd\n  in /w/sub\n"
    code = RunPython(code="1+1", cwd="/w", environment=(), timeout_s=1, output_bytes=1)
    assert act_pieces(code, (), CFG) == (Piece("python: 1+1\n", Style.ACT),)


@given(st.text(), st.booleans())
def test_a_person_who_decides_sees_every_character(script: str, python: bool) -> None:
    request: RunProcess | RunPython
    if python:
        request = RunPython(code=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)
    else:
        request = RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)
    lines = told(act_pieces(request, (), CFG, whole=True)).removeprefix("python:" if python else "run:").split("\n")
    assert "\n".join(line.removeprefix("  ") for line in lines).strip() == visible(script.strip()).strip()


def test_a_long_command_is_seen_whole() -> None:
    request = RunProcess(script="echo " + "x" * 10_000 + "; rm -rf .", cwd="/w", environment=(), timeout_s=1, output_bytes=1)
    assert request.script in told(act_pieces(request, (), CFG, whole=True))


def test_results_are_bounded_marked_and_safe() -> None:
    text = told(result_pieces("shell", "\n".join(f"line {n}\x1b[2J" for n in range(1000)), ok=False))
    assert text.startswith("  ✗ shell failed\n  │ line 0\\x1b[2J\n")
    assert len(text.splitlines()) < 40
    assert "\x1b" not in text


def test_colour_is_closed_on_every_line() -> None:
    assert painted(Piece("a\n\nb", Style.BAD), colour=True) == "\x1b[1;31ma\x1b[0m\n\n\x1b[1;31mb\x1b[0m"
    assert painted(Piece("a\n", Style.BAD), colour=False) == "a\n"
    assert painted(Piece("a\n"), colour=True) == "a\n"


def test_a_command_is_shown() -> None:
    effects: list[Effect] = []
    run(CommandGiven("/tools"), BUILTIN_TOOLS, CFG, fake_world(), watch=effects.append)
    assert "shell: " in seen(effects, CFG)
    assert UserSaid("x").at_ms == 0
