"""Agents, end to end: one hands the conversation to another, who uses a helper; over real HTTP, in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.support import Bench, calls, says
from turnfold.testing.server import ScriptedServer

AGENTS = """
[agents.triage]
instructions = "Find who can help."
tools = ["read"]
handoffs = ["billing"]

[agents.billing]
instructions = "Know all bills."
description = "Answers what was paid and when."
model = "scripted/large"
helpers = ["clerk"]
history = "filtered"

[agents.clerk]
instructions = "Look things up. Answer with a number."
model = "scripted/small"
tools = ["read"]

[hooks.told]
on = ["HandedOff", "TurnEnded"]
command = "cat >> ../told"
"""
REPLIES = (
    calls("read", "I look.", path="bill.txt"),
    calls("transfer_to_billing", "One moment.", reason="It is about a bill."),
    calls("clerk", input="What is the sum in bill.txt?"),
    calls("read", path="bill.txt"),
    says("12 euros"),
    says("You paid 12 euros."),
    says("In May."),
)


def test_a_conversation_is_handed_to_a_specialist_who_has_a_helper(tmp_path: Path) -> None:
    with ScriptedServer(REPLIES) as server:
        bench = Bench.at(tmp_path, server.base_url)
        bench.write_config(bench.config.read_text(encoding="utf-8") + AGENTS)
        (bench.workspace / "bill.txt").write_text("12 euros, in May\n", encoding="utf-8")
        checked = bench.run("config", "check")
        first = bench.run("What did I pay?", "--agent", "triage", "--yes")
        second = bench.run("When?", "--resume", first.conversation)
    assert (checked.code, first.code, second.code) == (0, 0, 0), checked.out + first.err + second.err
    assert "billing leads the conversation from here on." in first.out
    assert first.out.endswith("You paid 12 euros.\n")
    assert second.out == "In May.\n"
    bodies = [json.loads(request.body) for request in server.requests]
    assert [body["model"] for body in bodies] == ["test", "test", "large", "small", "small", "large", "large"]
    told = json.dumps(bodies[2]["messages"])
    assert "Know all bills." in told
    assert "The reason: It is about a bill." in told
    assert "12 euros" not in told  # what its predecessor's tools said is filtered
    assert [message["content"] for message in bodies[3]["messages"]][1:] == ["What is the sum in bill.txt?"]
    assert "Look things up." in bodies[3]["messages"][0]["content"]
    assert bodies[5]["messages"][-1]["content"] == "12 euros"
    events = [json.loads(line) for line in (tmp_path / "told").read_text(encoding="utf-8").splitlines()]
    assert [event.get("agent") or event["reason"] for event in events] == ["billing", "completed", "completed", "completed"]
    assert "500 tokens" in first.err or "600 tokens" in first.err  # the helper's are among them


def test_a_dry_run_runs_no_hook_and_one_that_fails_is_told_at_the_terminal(tmp_path: Path) -> None:
    with ScriptedServer((says("Well."), says("Well."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        bench.write_config(bench.config.read_text(encoding="utf-8") + '[hooks.bad]\non = ["TurnEnded"]\ncommand = "touch ran; exit 3"\n')
        dry = bench.run("Say it.", "--dry-run")
        assert (dry.code, dry.out, (bench.workspace / "ran").exists()) == (0, "Well.\n", False)
        real = bench.run("Say it.")
    assert (real.code, real.out, (bench.workspace / "ran").exists()) == (0, "Well.\n", True)
    assert "The hook bad failed after TurnEnded: it ended with 3." in real.err
