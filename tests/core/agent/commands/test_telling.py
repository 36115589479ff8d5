"""Commands that tell: log, trace, tokens, cost, export, exit."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, call, config, log, notices, problems, reply, sim
from turnfold.core.agent.commands.transcript import as_json, as_markdown, shortened
from turnfold.core.agent.effects import Document, Leave, Publish, Recall, TellTrace
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits, ModelProfile
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.markdown import parse
from turnfold.core.problem import model_problem
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Command, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, finished

SHELL = ToolCall("shell", JsonObject.of(command="ls"))


def spoken() -> Sim:
    return finished(after(sim(reply("Let me.", call("shell", command="ls")), cfg=config(YES)), Say("What is here?")))


def published(done: Sim) -> Document:
    (effect,) = done.history[-1].step.effects
    assert isinstance(effect, Publish)
    assert isinstance(effect.what, Document)
    return effect.what


def test_the_log_is_shown_in_short_with_its_turns() -> None:
    done = finished(after(spoken(), Say("x" * 600)))
    assert notices(after(done, Command("/log")))[-1].split("\n")[:4] == [
        "1  you: What is here?",
        "1  model: Let me. (calls shell)",
        "1  shell: ran ls in /w",
        "1  model: Done.",
    ]
    assert notices(after(done, Command("/log 2")))[-1] == f"2  you: {500 * 'x'}…\n2  model: Done."
    assert "(failed)" in shortened(Past(log=Log.of(ToolMessage(call_id="", tool="t", text="no", ok=False))), 1)


def test_a_trace_takes_the_whole_journal_so_the_shell_tells_it() -> None:
    done = after(spoken(), Command("/undo"))
    assert after(done, Command("/trace")).history[-1].step.effects == (Recall(TellTrace(0)),)
    assert after(done, Command("/trace 1")).history[-1].step.effects == (Recall(TellTrace(1)),)
    assert problems(after(done, Command("/trace 2")))[0].code == "bad-argument"
    assert problems(after(done, Command("/trace x")))[0].code == "bad-argument"
    assert problems(after(sim(), Command("/trace")))[0].code == "nothing-to-trace"


def priced(*, limits: Limits = Limits(), **facts: float | int) -> ChatConfig:  # noqa: B008 - a value
    return ChatConfig(ProjectConfig(Config(model="a/b", models=(ModelProfile(pattern="a/b", **facts),), limits=limits)))  # type: ignore[arg-type]  # facts by name


def rows(cfg: ChatConfig, usage: Usage, line: str) -> dict[str, str]:
    """The two columns that the command shows."""
    told = notices(after(evolve(sim(cfg=cfg), state=ChatState(Past(events=1, usage=usage))), Command(line)))[-1]
    return {row.split("  ")[0]: row.split("  ")[-1].strip() for row in told.split("\n")}


def test_tokens_are_counted_and_bounded() -> None:
    usage = Usage(input_tokens=1200, cached_tokens=1000, output_tokens=30)
    plain = rows(priced(), usage, "/tokens")
    assert (plain["read"], plain["of these, from the cache"], plain["written"]) == ("1,200", "1,000", "30")
    assert plain["window of the model"] == "not known"
    bounded = rows(priced(window_tokens=128_000, limits=Limits(tokens=5000)), usage, "/tokens")
    assert bounded["window of the model"].startswith("128,000 (")  # how full depends on the tools that are offered
    assert bounded["limit of both (limits.tokens)"] == "5,000"
    assert plain["in the next request, about"] == bounded["in the next request, about"]
    assert rows(priced(window_tokens=0), usage, "/tokens")["window of the model"].startswith("0 (")


def test_cost_is_told_with_prices_and_limit() -> None:
    assert rows(priced(), Usage(cost_usd=0.01234, unpriced_tokens=40), "/cost") == {
        "so far": "$0.0123",
        "tokens without a known price": "40",
        "prices of a/b": "not known",
    }
    told = rows(priced(input_usd=0.25, output_usd=2.0, limits=Limits(usd=5.0)), Usage(cost_usd=1234.5), "/cost")
    assert told == {"so far": "$1,234.50", "limit (limits.usd)": "$5.00", "prices of a/b": "$0.2500 read, $2.00 written (a million tokens)"}
    assert rows(ChatConfig(ProjectConfig(Config())), Usage(), "/cost") == {"so far": "$0.00"}


def test_calls_that_are_text_in_their_format_are_exported_once() -> None:
    for text in ("```shell\nls\n```", "<tool-use><shell>ls</shell></tool-use>"):
        message = AssistantMessage(text=text, place="1.1", calls=(ToolCall("shell", JsonObject.of(command="ls")),))
        assert as_markdown(Past(log=Log.of(message)), "c", ALL_TOOLS).count("shell") == text.count("shell")


def test_an_export_is_a_document() -> None:
    done = spoken()
    assert published(after(done, Command("/export"))).path == ""
    assert published(after(done, Command("/export"))).text.startswith(
        "# c\n\n## User\n\nWhat is here?\n\n## Assistant\n\nLet me.\n\n```shell\nls\n```\n"
    )
    for line, path in (("/export a b.md", "a b.md"), ("/export markdown x.json", "x.json")):
        document = published(after(done, Command(line)))
        assert (document.path, document.text[:4]) == (path, "# c\n")
    for line, path in (("/export json", ""), ("/export talk.JSON", "talk.JSON"), ("/export json x.md", "x.md")):
        document = published(after(done, Command(line)))
        assert (document.path, json.loads(document.text)["conversation"]) == (path, "c")
    assert problems(after(done, Command("/export a\nb")))[0].code == "bad-argument"
    assert problems(after(sim(), Command("/export")))[0].code == "nothing-to-export"
    named = after(done, Command("/rename My talk"), Command("/export"))
    assert published(named).text.startswith("# My talk\n")


LOG: tuple[Message, ...] = (
    UserMessage("Look.", "a.txt is there."),
    AssistantMessage(text="Let me.\n```shell\nls\n```", place="1.1", calls=(SHELL,)),
    ToolMessage(call_id="1.1.0", tool="shell", text="```\nodd\n```\n"),
    AssistantMessage(
        text="", place="1.2", calls=(SHELL, ToolCall("gone", JsonObject.of(a=1)), BrokenCall("read", "{", model_problem("x", "No JSON.")))
    ),
    ToolMessage(call_id="1.2.0", tool="shell", text="", ok=False),
    AssistantMessage(text="So", place="1.3", reasoning="Hm.", cut=True),
)


def test_markdown_holds_every_call_once_in_fences_that_nothing_closes() -> None:
    text = as_markdown(Past(log=Log.of(*LOG)), "", ALL_TOOLS)
    assert text.startswith("# Conversation\n\n## User\n\na.txt is there.\n\nLook.\n")
    assert parse(text, ALL_TOOLS) == (SHELL, SHELL)
    assert '```gone --json\n{"a":1}\n```' in text
    assert "```broken read\n{\n```" in text
    assert "### Output of shell\n\n````\n```\nodd\n```\n````\n" in text
    assert "### Output of shell (failed)" in text
    assert text.endswith("So\n\n(cut)\n")


def test_json_holds_every_message_with_ids_that_fit() -> None:
    messages = json.loads(as_json(Past(log=Log.of(*LOG)), "x"))["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert messages[0] == {"role": "user", "text": "Look.", "context": "a.txt is there."}
    assert messages[1]["calls"] == [{"id": "1.1.0", "tool": "shell", "arguments": {"command": "ls"}}]
    assert messages[3]["calls"][2] == {"id": "1.2.2", "tool": "read", "text": "{", "problem": "No JSON."}
    assert messages[5] == {"role": "assistant", "text": "So", "reasoning": "Hm.", "cut": True}
    assert json.loads(as_json(Past(log=Log.of(UserMessage("a"))), "x"))["messages"] == [{"role": "user", "text": "a"}]


@pytest.mark.parametrize("line", ["/exit", "/quit"])
def test_leaving_is_a_wish_and_no_event(line: str) -> None:
    done = spoken()
    left = after(done, Command(line))
    assert left.history[-1].step.effects == (Publish(Leave()),)
    assert log(left) == log(done)
