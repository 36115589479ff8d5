"""Tools whose work is done outside: one request, and its answer as the model reads it."""

from __future__ import annotations

import pytest
from attrs import evolve

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import DEFAULT_LIMITS
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.outside import NOTHING, function_tool, server_tool
from turnfold.core.tools.spec import Call, Done, Need, Next, Refuse, ToolSpec
from turnfold.core.world.answers import Answer, Exchange, FilesListed, Returned
from turnfold.core.world.images import Image
from turnfold.core.world.requests import CallMcp, CallPython, Request

CFG = ChatConfig(ProjectConfig(Config()))
ROLL = function_tool("roll", "Roll.", JsonObject.of(type="object"))
FIND = server_tool("docs__find", "Find.", JsonObject.of(type="object"), "docs", "find", 9.0)
ARGUMENTS = JsonObject.of(a=1)
ASKED: tuple[Request, ...] = (CallPython("roll", ARGUMENTS), CallMcp(server="docs", tool="find", arguments=ARGUMENTS, timeout_s=9.0))
PICTURE = Image("image/png", "")


@pytest.mark.parametrize(("spec", "request_"), [(ROLL, ASKED[0]), (FIND, ASKED[1])])
def test_one_request_is_asked_for_and_its_answer_told(spec: ToolSpec, request_: CallPython | CallMcp) -> None:
    assert spec.advance(Call(ARGUMENTS), CFG) == Need((request_,))

    def after(outcome: Answer | Problem) -> Next:
        return spec.advance(Call(ARGUMENTS, (Exchange(request_, outcome),)), CFG)

    assert after(Returned(text="six")) == Done("six")
    assert after(Returned(text="no", ok=False)) == Done("no", ok=False)
    assert after(Returned(text="", images=(PICTURE,))) == Done("", images=(PICTURE,))
    assert after(Returned(text="")) == Done(NOTHING)
    assert after(PROBLEM) == Refuse(PROBLEM)
    assert isinstance(after(FilesListed(entries=())), Refuse)


PROBLEM = model_problem("x", "No.")


def test_a_long_text_is_cut_as_any_output() -> None:
    small = evolve(CFG, limits=evolve(DEFAULT_LIMITS, output_bytes=100))
    done = ROLL.advance(Call(ARGUMENTS, (Exchange(ASKED[0], Returned(text="x" * 1000)),)), small)
    assert isinstance(done, Done)
    assert "[cut here: 900 bytes]" in done.text
