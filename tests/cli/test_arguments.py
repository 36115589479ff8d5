"""From argv to a plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.cli.arguments import Checkup, Listing, Showing, Talk, Told, Tracing, Version, parse_arguments
from turnfold.cli.exits import Exit


@pytest.mark.parametrize(
    ("line", "plan"),
    [
        ("", Talk()),
        ("hi", Talk(prompt="hi")),
        ("hi a.txt b.txt", Talk(prompt="hi", files=("a.txt", "b.txt"))),
        ("hi --yes a.txt -m x/y", Talk(prompt="hi", files=("a.txt",), yes=True, model="x/y")),
        ("hi --agent reviewer", Talk(prompt="hi", agent="reviewer")),
        ("--tools read,shell, hi", Talk(prompt="hi", tools=("read", "shell"))),
        ("hi --tools=", Talk(prompt="hi", tools=())),
        ("hi --resume", Talk(prompt="hi", resume="")),
        ("--resume -- hi", Talk(prompt="hi", resume="")),
        ("--resume abc hi", Talk(prompt="hi", resume="abc")),
        ("-- list", Talk(prompt="list")),
        ("-- -5 --yes", Talk(prompt="-5", files=("--yes",))),
        ("-n hi --json -w /x --name n", Talk(prompt="hi", dry_run=True, json=True, workspace="/x", name="n")),
        ("hi --sandbox read-only", Talk(prompt="hi", sandbox="read-only")),
        ("list", Listing()),
        ("list --json", Listing(json=True)),
        ("show abc", Showing("abc")),
        ("show --json abc", Showing("abc", json=True)),
        ("trace abc", Tracing("abc")),
        ("trace abc 2 --json", Tracing("abc", 2, "json")),
        ("trace abc --otlp-json --content", Tracing("abc", form="otlp-json", content=True)),
        ("trace abc --html", Tracing("abc", form="html")),
        ("trace abc 2 --html page.html", Tracing("abc", 2, "html", file="page.html")),
        ("-r /export", Talk(prompt="/export", resume="")),
        ("-r abc /export", Talk(prompt="/export", resume="abc")),
        ("doctor", Checkup()),
        ("doctor -w /x", Checkup("/x")),
        ("--version", Version()),
    ],
)
def test_plans(line: str, plan: object) -> None:
    assert parse_arguments(line.split()) == plan


@pytest.mark.parametrize("line", ["--help", "-h", "hi --help", "list -h", "show --help", "trace --help", "doctor --help"])
def test_help_is_told(line: str) -> None:
    told = parse_arguments(line.split())
    assert isinstance(told, Told)
    assert (told.code, told.text[:15]) == (Exit.DONE, "usage: turnfold")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--ye hi", "did you mean --yes?"),
        ("-x", "goes after --"),
        ("trace", "which conversation?"),
        ("trace abc two", "a turn is a number, not 'two'"),
        ("trace abc --json --html", "choose one of --html and --json"),
        ("list abc", "there is nothing to do with abc"),
        ("hi --model", "expected one argument"),
        ("hi --yes --dry-run", "contradict"),
    ],
)
def test_wrong_arguments_are_told(line: str, words: str) -> None:
    told = parse_arguments(line.split())
    assert isinstance(told, Told)
    assert told.code is Exit.USAGE
    assert words in told.text


@given(st.lists(st.text() | st.sampled_from(["--", "--resume", "--tools", "-m", "show", "--json=1", "-", "-yn"])))
def test_nothing_raises(argv: list[str]) -> None:
    parse_arguments(argv)
