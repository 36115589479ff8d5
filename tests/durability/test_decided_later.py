"""Approval as plain data (issue 5, point 5): a paused run is stored, shown elsewhere, and decided a week later in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import evolve

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, run
from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided, Input
from turnfold.core.codec.codec import INPUT, QUESTION, decode_untrusted, encode
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.shell.journal import SqliteJournal
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.wire import chat_stream

ROOT = Path(__file__).parents[2]
CALLS = tuple(RawCall("shell", json.dumps({"command": command})) for command in ("make", "git push", "rm -r build"))
CFG = ChatConfig(ProjectConfig(Config(model="scripted/model", providers=(SCRIPTED,))), workspace="/w", conversation="c")

# Goes on with the conversation as far as the decisions (lines of standard input) let it, and tells what it asks then.
LATER = """
import sys
from attrs import evolve
from turnfold import BUILTIN_TOOLS, load, run
from turnfold.core.agent.asked import questions_of
from turnfold.core.codec.codec import INPUT, QUESTION, decode_untrusted, encode
from turnfold.core.world.answers import ProcessEnded
from turnfold.shell.journal import SqliteJournal
from turnfold.testing.fake_world import fake_world
from turnfold.testing.fakes import FakeClock
from turnfold.testing.wire import chat_stream

journal = SqliteJournal(__import__("pathlib").Path(sys.argv[1]))
state = load(journal.load("c"))
cfg = journal.config(state.past.cfg_digest)
ran = {each: ProcessEnded(exit_code=0, output=each, cwd="/w") for each in ("make", "make test", "git push", "rm -r build")}
world = evolve(fake_world((chat_stream("All is done."),), commands=ran), journal=journal, clock=FakeClock(7 * 24 * 3600 * 1000))
for line in sys.stdin:
    state = run(decode_untrusted(INPUT, line).unwrap(), BUILTIN_TOOLS, cfg, world, state=state).state
for question in questions_of(state, cfg, BUILTIN_TOOLS):
    print(encode(QUESTION, question))
print("ran", *(request.script for request in world.processes.ran), sep="|")
print("said", state.past.log[-1].text, sep="|")
"""


def later(path: Path, *decisions: Decided) -> tuple[tuple[Question, ...], list[str], str]:
    """What another process asks after these decisions, what it ran, and what was said last."""
    lines = "".join(encode(INPUT, decided) + "\n" for decided in decisions)
    done = subprocess.run(
        [sys.executable, "-c", LATER, str(path)], input=lines, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    *asked, ran, said = done.stdout.splitlines()
    return tuple(decode_untrusted(QUESTION, line).unwrap() for line in asked), ran.split("|")[1:], said.partition("|")[2]


def paused(path: Path, **more: Any) -> tuple[Question, ...]:
    """A run that waits for three decisions."""
    journal = SqliteJournal(path)
    result = run("go", BUILTIN_TOOLS, evolve(CFG, **more), evolve(fake_world((chat_stream("", CALLS),)), journal=journal))
    journal.close()
    return result.asked


def test_a_week_later_another_process_decides_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    here = paused(path)
    there, ran, _ = later(path)
    assert [each.request_id for each in there] == [each.request_id for each in here[:1]], "a serial tool's calls wait for each other"
    assert (there[0].preview, there[0].arguments, ran) == (here[0].preview, JsonObject.of(command="make"), [])
    assert there[0].always == (Rule(Verdict.ALLOW, "run", "make *"),)
    second, ran, _ = later(path, Decided(there[0].request_id, True, arguments=JsonObject.of(command="make test")))
    assert ran == ["make test"]
    third, ran, _ = later(path, Decided(second[0].request_id, False, "Not on a Friday."))
    assert ran == []
    none, ran, said = later(path, Decided(third[0].request_id, True))
    assert (none, ran, said) == ((), ["rm -r build"], "All is done.")


def test_what_was_not_decided_stays_asked_while_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = SqliteJournal(path)
    calls = (RawCall("shell", '{"command": "make"}'), RawCall("save", '{"path": "a.txt", "content": "a\\n"}'))
    run("go", BUILTIN_TOOLS, CFG, evolve(fake_world((chat_stream("", calls),)), journal=journal))
    journal.close()
    asked, _, _ = later(path)
    assert [each.tool for each in asked] == ["shell", "save"]
    left, ran, _ = later(path, Decided(asked[1].request_id, True))
    assert ([each.request_id for each in left], ran) == ([asked[0].request_id], [])
    done, ran, said = later(path, Decided(left[0].request_id, True))
    assert (done, ran, said) == ((), ["make"], "All is done.")


def test_a_decision_is_an_input_like_any_other() -> None:
    decided: Input = Decided(paused_id(), True, arguments=JsonObject.of(command="ls"), rules=(Rule(Verdict.ALLOW, "run", "ls *"),))
    assert decode_untrusted(INPUT, encode(INPUT, decided)).unwrap() == decided


def paused_id() -> Any:
    """The id of a question."""
    result = run("go", BUILTIN_TOOLS, CFG, fake_world((chat_stream("", CALLS),)))
    return result.asked[0].request_id
