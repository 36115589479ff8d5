"""What a person sees before a request is performed."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import TEXTS, config, digest
from turnfold.core.config.values import Provider, Variable
from turnfold.core.json import JsonObject
from turnfold.core.problem import model_problem
from turnfold.core.tools.diff import diff_lines
from turnfold.core.tools.preview import LIMIT_BYTES, preview, visible
from turnfold.core.tools.textlines import split_lines
from turnfold.core.world.answers import Exchange, FileRead, FilesListed
from turnfold.core.world.requests import (
    AskHuman,
    CallMcp,
    CallModel,
    CallPython,
    ChangeFiles,
    DeleteFile,
    FormField,
    ListFiles,
    ReadFile,
    Request,
    RunProcess,
    RunPython,
    StartChild,
    Wait,
    WriteFile,
)

CFG = config()
LISTED = Exchange(ListFiles(path="/w", limit=1), FilesListed(entries=()))
READ = ReadFile(path="/w/a.txt", limit_bytes=1)


def write(text: str, expected_digest: str = "") -> WriteFile:
    return WriteFile(path="/w/a.txt", text=text, expected_digest=expected_digest)


def run(script: str, *environment: Variable) -> RunProcess:
    return RunProcess(script=script, cwd="/w/sub", environment=environment, timeout_s=1, output_bytes=1)


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (CallModel(provider=Provider(name="p", base_url="http://h/v1"), model="m", upto=1), "Ask p/m for a reply (http://h/v1)"),
        (READ, "Read a.txt"),
        (ReadFile(path="/etc/a\nb", limit_bytes=1), "Read /etc/a\\nb"),
        (ListFiles(path="/w", limit=1), "List ."),
        (Wait(1500), "Wait 1.5 s"),
        (write("hi\nyou"), "Create a.txt (2 lines):\n+hi\n+you\\ no newline at the end"),
        (write(""), "Create a.txt (0 lines):\n(empty)"),
        (write("hi\n", "d"), "Replace a.txt, whose text was not read, by 1 line:\n+hi"),
        (run("ls\n"), "Run a command in /w/sub\nls"),
        (
            run("a\n\x1b[8mb", Variable("A", "1\n"), Variable("B", None)),
            "Run a command in /w/sub\n  with A=1\\n\n  without B\na\n\\x1b[8mb",
        ),
        (RunPython(code="1+1", cwd="/w", environment=(), timeout_s=1, output_bytes=1), "Run Python in /w\n1+1"),
        (
            ChangeFiles((write("hi\n"), DeleteFile(path="/w/b.txt", expected_digest="d"))),
            "Create a.txt (1 line):\n+hi\nDelete b.txt",
        ),
        (CallMcp(server="s", tool="t", arguments=JsonObject.of(a=1), timeout_s=1), 'Call t of the server s with:\n{"a":1}'),
        (CallPython("f", JsonObject.of(a=1)), 'Call f with:\n{"a":1}'),
        (AskHuman(question="Which?", fields=(FormField(name="x", choices=("a", "b")), FormField(name="y"))), "Which?\n  x: a / b\n  y"),
        (StartChild(task="Do it."), "Have another conversation do:\nDo it."),
        (StartChild(task="Do it.", agent="r"), "Have r do:\nDo it."),
    ],
)
def test_a_request_is_shown_as_the_act_it_is(request_: Request, shown: str) -> None:
    assert preview(request_, (), CFG) == shown


def test_a_change_is_shown_against_the_text_read_last() -> None:
    first, last = (Exchange(READ, FileRead(text=text, digest=digest(text))) for text in ("1\n", "1\n2\n"))
    assert preview(write("1\n3\n", digest("1\n2\n")), (first, last, LISTED), CFG) == "Change a.txt:\n@@ -1,2 +1,2 @@\n 1\n-2\n+3"
    assert preview(write("1\n2\n", digest("1\n2\n")), (last,), CFG) == "Change a.txt:\n(no change)"
    assert preview(write("1\n"), (Exchange(READ, model_problem("not-found", "no")), LISTED), CFG).startswith("Create a.txt")
    assert preview(write("1\n", "other"), (last,), CFG).startswith("Replace a.txt")


def test_long_ones_are_bounded_with_a_word() -> None:
    for request in (run("x\n" * 100_000), write("x\n" * 100_000)):
        shown = preview(request, (), CFG)
        assert len(shown) < 2 * LIMIT_BYTES
        assert "too long to be shown whole" in shown
    many = preview(run("ls", *(Variable(f"A{number}", "x" * 5000) for number in range(50))), (), CFG)
    assert "and 10 more variables" in many
    assert len(many) < 60_000


SAFE = set("\n\t")


@given(st.text(), st.text(), st.text(), st.lists(st.builds(Variable, name=st.text(), value=st.text() | st.none())))
def test_nothing_that_a_terminal_obeys_is_printed(path: str, text: str, old: str, environment: list[Variable]) -> None:
    exchange = Exchange(ReadFile(path=path, limit_bytes=1), FileRead(text=old, digest="d"))
    requests: tuple[Request, ...] = (
        WriteFile(path=path, text=text, expected_digest="d"),
        RunProcess(script=text, cwd=path, environment=tuple(environment), timeout_s=1, output_bytes=1),
        RunPython(code=text, cwd=path, environment=tuple(environment), timeout_s=1, output_bytes=1),
        ListFiles(path=path, limit=1),
    )
    for request in requests:
        shown = preview(request, (exchange,), CFG)
        assert all(each.isprintable() or each in SAFE or ord(each) > 0x7F for each in shown)
        assert visible(shown) == shown


def applied(old: str, lines: tuple[str, ...]) -> str:
    """``old`` with the diff applied, as `patch` does it."""
    before = split_lines(old)
    result: tuple[str, ...] = ()
    place = 0
    for line in lines:
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            first = int(start) - (1 if count != "0" else 0)
            result, place = result + before[place:first], first
            continue
        text = line[1:].removesuffix("\\ no newline at the end") if line.endswith("\\ no newline at the end") else line[1:] + "\n"
        if line[0] != "+":
            assert before[place] == text
            place += 1
        if line[0] != "-":
            result += (text,)
    return "".join(result + before[place:])


@given(TEXTS, TEXTS, TEXTS)
def test_a_diff_leads_from_the_old_text_to_the_new(old: str, new: str, around: str) -> None:
    for before, after in ((old, new), (around + "\n" + old + "\n" + around, around + "\n" + new + "\n" + around)):
        assert applied(before, diff_lines(before, after)) == after


def test_a_big_diff_costs_no_square_and_is_right() -> None:
    head, tail = "h\n" * 5, "t\n" * 5
    old = head + "".join(f"{number}\n" for number in range(20_000)) + tail
    new = head + "".join(f"{number}\n" for number in range(20_000, 0, -1)) + tail
    before = process_time()
    lines = diff_lines(old, new)
    assert process_time() - before < 2
    assert applied(old, lines) == new
    assert lines[0] == "@@ -3,20006 +3,20006 @@"
    assert lines[1:4] == (" h", " h", " h")
