"""The tools ``grep`` and ``find``: what they ask for, and how they tell what was found."""

from __future__ import annotations

import pytest

from tests.core.tools.worlds import config
from turnfold.core.config.values import Limits, ToolFormat
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm.call_format import parse, text_format
from turnfold.core.problem import model_problem
from turnfold.core.tools.builtin.find import FIND
from turnfold.core.tools.builtin.grep import GREP
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.core.world.answers import Exchange, FilesSearched, Match
from turnfold.core.world.requests import SearchFiles


def asked(tool: ToolSpec, arguments: JsonObject) -> SearchFiles:
    need = tool.advance(Call(arguments), config())
    assert isinstance(need, Need), need
    (request,) = need.requests
    assert isinstance(request, SearchFiles)
    return request


def told(tool: ToolSpec, arguments: JsonObject, answer: FilesSearched, limits: Limits | None = None) -> str:
    end = tool.advance(Call(arguments, (Exchange(asked(tool, arguments), answer),)), config(limits=limits))
    assert isinstance(end, Done), end
    return end.text


@pytest.mark.parametrize(
    ("path", "root", "names"),
    [
        ("", "/w", ()),
        (".", "/w", ()),
        ("src", "/w/src", ()),
        ("/etc", "/etc", ()),
        ("*.py", "/w", ("*.py",)),
        ("src/*.py", "/w/src", ("/*.py",)),
        ("src/**/test_?.py", "/w/src", ("/**/test_?.py",)),
        ("src/*/a.py", "/w/src", ("/*/a.py",)),
        ("*/a.py", "/w", ("/*/a.py",)),
        ("/*.py", "/", ("/*.py",)),
        ("*.{js,ts}", "/w", ("*.js", "*.ts")),
        ("src/*.{a,b}.{c,d}", "/w/src", ("/*.{a,b}.{c,d}",)),
        ("!x*", "/w", ("\\!x*",)),
        ("../*.py", "/", ("/*.py",)),
    ],
)
def test_a_path_is_a_folder_and_what_is_meant_in_it(path: str, root: str, names: tuple[str, ...]) -> None:
    request = asked(FIND, JsonObject.of(path=path))
    assert (request.root, request.names, request.pattern) == (root, names, "")


def test_grep_asks_for_lines() -> None:
    request = asked(GREP, JsonObject.of(path="src", pattern="a b\n", ignore_case=True, hidden=True))
    assert request == SearchFiles(root="/w/src", pattern="a b", ignore_case=True, hidden=True, limit=200)


@pytest.mark.parametrize(
    ("arguments", "code"), [(JsonObject.of(pattern="a\nb"), "bad-pattern"), (JsonObject.of(pattern="\n"), "bad-pattern")]
)
def test_a_pattern_is_one_line(arguments: JsonObject, code: str) -> None:
    end = GREP.advance(Call(arguments), config())
    assert isinstance(end, Refuse)
    assert (end.problem.code, end.problem.path) == (code, "$.pattern")


@pytest.mark.parametrize("tool", [GREP, FIND], ids=lambda tool: tool.name)
def test_a_name_with_a_control_character_is_refused(tool: ToolSpec) -> None:
    end = tool.advance(Call(JsonObject.of(path="a\nb", pattern="x")), config())
    assert isinstance(end, Refuse)
    assert end.problem.code == "bad-path"


@pytest.mark.parametrize("tool", [GREP, FIND], ids=lambda tool: tool.name)
def test_a_problem_is_passed_on(tool: ToolSpec) -> None:
    arguments = JsonObject.of(path="src", pattern="x")
    problem = model_problem("not-found", "There is no /w/src.")
    assert tool.advance(Call(arguments, (Exchange(asked(tool, arguments), problem),)), config()) == Refuse(problem)


def test_lines_are_told_with_their_files_and_numbers() -> None:
    found = (Match(path="a.py", line=3, text="  x = 1"), Match(path="d/b\n.py", line=12, text="x"))
    answer = FilesSearched(found=found, omitted=5, skipped=1)
    assert told(GREP, JsonObject.of(path="src", pattern="x"), answer) == (
        "src/a.py:3:  x = 1\n'src/d/b\\n.py':12:x\n[5 lines more: write a narrower glob, or search a folder below]\n"
        "[not searched: 1 file that can't be read, no text or too long]"
    )


def test_what_there_is_no_room_for_is_counted() -> None:
    found = tuple(Match(path=f"{number:03}.txt") for number in range(40))
    text = told(FIND, JsonObject(), FilesSearched(found=found, omitted=2), Limits(output_bytes=100))
    assert text.split("\n") == [f"{number:03}.txt" for number in range(12)] + [
        "[30 files more: write a narrower glob, or search a folder below]"
    ]


def test_that_nothing_is_found_is_said() -> None:
    assert told(GREP, JsonObject.of(pattern="x+"), FilesSearched(found=())) == "No line matches `x+`."
    assert told(FIND, JsonObject(), FilesSearched(found=(), skipped=2)) == (
        "There is no such file.\n[not searched: 2 files that can't be read, no text or too long]"
    )


def test_the_file_itself_is_named() -> None:
    assert told(GREP, JsonObject.of(path="d/a.py", pattern="x"), FilesSearched(found=(Match(path=".", line=1, text="x"),))) == "d/a.py:1:x"


@pytest.mark.parametrize("format", [ToolFormat.MARKDOWN, ToolFormat.XML], ids=lambda format: format.value)
@pytest.mark.parametrize("tool", [GREP, FIND], ids=lambda tool: tool.name)
def test_the_worked_example_is_read_back_in_every_format(tool: ToolSpec, format: ToolFormat) -> None:
    call = ToolCall(tool.name, tool.examples[0].arguments)
    form = text_format(format)
    assert form is not None
    assert parse(form.render(call, tool), format, (tool,)) == (call,)
    assert asked(tool, call.arguments).names
