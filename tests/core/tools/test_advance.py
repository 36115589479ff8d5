"""A tool's code may be anyone's: whatever it does, what comes out is a ``Next`` that can be judged, kept and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Variable
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Blame, Problem, model_problem
from turnfold.core.tools.advance import advance_untrusted
from turnfold.core.tools.spec import Call, Done, Need, Next, Refuse, ToolSpec, find_tool
from turnfold.core.world.requests import ReadFile, RunProcess
from turnfold.testing.sample_tools import SAMPLE_TOOLS

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w")


def advanced(advance: Callable[[Call, ChatConfig], object], arguments: JsonObject = JsonObject()) -> Next:
    tool = ToolSpec(
        name="t", description="", parameters=JsonObject.of(type="object"), advance=cast(Callable[[Call, ChatConfig], Next], advance)
    )
    return advance_untrusted("t", tool, Call(arguments), (tool,), CFG)


def problem_of(due: Next) -> Problem:
    assert isinstance(due, Refuse)
    return due.problem


def process(environment: object = (), timeout_s: object = 1.0) -> RunProcess:
    variables = cast(tuple[Variable, ...], environment)
    return RunProcess(script="ls", cwd="/w", environment=variables, timeout_s=cast(float, timeout_s), output_bytes=1)


def test_a_tool_that_there_is_not_is_refused_with_the_names_that_there_are() -> None:
    assert "The tools are" in problem_of(advance_untrusted("t", None, Call(JsonObject()), SAMPLE_TOOLS, CFG)).message


def test_arguments_that_do_not_fit_are_refused_before_the_tool_is_asked() -> None:
    tool = find_tool(SAMPLE_TOOLS, "raises")
    due = advance_untrusted("raises", tool, Call(JsonObject.of(path=1)), SAMPLE_TOOLS, CFG)
    assert problem_of(due).blame is Blame.MODEL


def test_what_a_tool_raises_is_a_refusal_that_blames_the_tool() -> None:
    def raising(call: Call, cfg: ChatConfig) -> Next:
        raise ValueError("on purpose \ud800")

    problem = problem_of(advanced(raising))
    assert problem.blame is Blame.TOOL
    assert "ValueError: on purpose \ufffd" in problem.message


def test_an_exception_whose_text_raises_is_told_by_its_class() -> None:
    class UnprintableError(Exception):
        def __str__(self) -> str:  # type: ignore[explicit-override]
            raise ValueError("no text")

    def raising(call: Call, cfg: ChatConfig) -> Next:
        raise UnprintableError

    assert "raised UnprintableError" in problem_of(advanced(raising)).message


@pytest.mark.parametrize(
    "due",
    [
        None,
        Need(()),
        Need(cast(tuple[ReadFile, ...], 5)),
        Need(cast(tuple[ReadFile, ...], [ReadFile(path="/a", limit_bytes=1)])),
        Need(cast(tuple[ReadFile, ...], ("a",))),
        Need((ReadFile(path=cast(str, None), limit_bytes=1),)),
        Need((ReadFile(path="/\ud800", limit_bytes=1),)),
        Need((ReadFile(path="/a", limit_bytes=cast(int, "1")),)),
        Need((ReadFile(path="/a", limit_bytes=True),)),
        Need((process(timeout_s=float("inf")),)),
        Need((process(timeout_s="1"),)),
        Need((process(environment=[]),)),
        Need((process(environment=(1,)),)),
        Need((process(environment=(Variable(cast(str, 1), "a"),)),)),
        Need((process(environment=(Variable("A", cast(str, 1)),)),)),
        Done(cast(str, b"")),
        Done("", cast(JsonObject, {})),
        Done("", ok=cast(bool, 1)),
        Done("", JsonObject.of(a=float("nan"))),
        Done("", JsonObject.of(a=cast(JsonValue, object()))),
        Refuse(cast(Problem, "no")),
    ],
    ids=lambda due: repr(due).partition(" at 0x")[0],  # the same in every process
)
def test_rubbish_is_a_refusal_that_blames_the_tool(due: object) -> None:
    assert problem_of(advanced(lambda call, cfg: due)).blame is Blame.TOOL


def test_a_memory_that_is_too_deep_to_be_read_again_is_refused() -> None:
    def deep(call: Call, cfg: ChatConfig) -> Next:
        value: JsonValue = ()
        for _ in range(150):
            value = (value,)
        return Done("", JsonObject.of(a=value))

    assert "deep" in problem_of(advanced(deep)).message


def test_what_is_sound_passes_as_it_is() -> None:
    request = process(environment=(Variable("A", "1"), Variable("B", None)), timeout_s=1)
    refused = Refuse(model_problem("no", "No."))
    for due in (Need((request,)), Done("yes", JsonObject.of(a=(1, JsonObject.of(b=None)))), Done("no", ok=False), refused):
        assert advanced(lambda call, cfg, due=due: due) == due  # type: ignore[misc]


def test_text_and_memory_hold_only_what_text_can() -> None:
    due = advanced(lambda call, cfg: Done("\ud800", JsonObject.of(a=cast(JsonValue, ["\udfff"]))))
    assert due == Done("\ufffd", JsonObject.of(a=("\ufffd",)))


def test_where_there_are_no_tools_the_refusal_says_so() -> None:
    assert "and no other" in problem_of(advance_untrusted("t", None, Call(JsonObject()), (), CFG)).message


def test_a_name_that_is_nearly_a_tools_names_that_tool() -> None:
    assert "Did you mean tally?" in problem_of(advance_untrusted("taly", None, Call(JsonObject()), SAMPLE_TOOLS, CFG)).message
