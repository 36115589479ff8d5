"""The old calls give what the new ones do, warn where they are called, and keep nothing."""

from __future__ import annotations

import asyncio
import inspect
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold import BUILTIN_TOOLS, ChatConfig, ChatState, Config, ProjectConfig, execute_command, fold
from turnfold.compat import Bound, bind
from turnfold.core.agent.state import usable
from turnfold.core.journal import recorded
from turnfold.testing.lives import COMMANDS, sim_configs
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.strategies import texts

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

CFG = ChatConfig(ProjectConfig(Config(model="ollama/qwen3", tools=("read", "shell"))), workspace="/w", conversation="c")


@given(st.sampled_from(COMMANDS) | texts(), sim_configs())
def test_a_command_does_what_the_new_call_does(command: str, cfg: ChatConfig) -> None:
    bound = bind(ALL_TOOLS, cfg)
    first = bound.execute_command(command)
    assert first == execute_command(command, ALL_TOOLS, cfg)
    state = ChatState(fold(recorded(first)))
    assert bound.execute_command("/undo", state) == execute_command("/undo", ALL_TOOLS, cfg, state)


@given(sim_configs())
def test_what_is_asked_for_is_what_was_given(cfg: ChatConfig) -> None:
    bound = bind(ALL_TOOLS, cfg)
    assert bound.get_config() is cfg
    assert bound.get_model() == cfg.model
    assert bound.get_tools() == usable(ALL_TOOLS, cfg)
    assert [bound.get_tool(tool.name) for tool in ALL_TOOLS] == [tool if tool in bound.get_tools() else None for tool in ALL_TOOLS]


def test_a_context_is_another_config_and_leaving_it_does_nothing() -> None:
    bound = bind(BUILTIN_TOOLS, CFG)
    other = ChatConfig(CFG.project, model="ollama/other")
    with bound.ChatContext(other) as ctx:
        assert ctx == bind(BUILTIN_TOOLS, other)
        assert bound.get_config() is CFG
        assert ctx.get_config() is other
    assert ctx.get_model() == "ollama/other"


def test_a_context_lets_what_is_raised_in_it_pass() -> None:
    with pytest.raises(KeyError), bind((), CFG).ChatContext(CFG):
        raise KeyError


def test_side_by_side_they_never_see_each_other() -> None:
    bounds = tuple(bind(BUILTIN_TOOLS, ChatConfig(CFG.project, model=f"ollama/{number}")) for number in range(8))

    def asked(bound: Bound) -> tuple[str, ...]:
        with bound.ChatContext(bound.cfg) as ctx:
            return tuple(ctx.get_model() for _ in range(200))

    async def in_tasks() -> list[tuple[str, ...]]:
        async def one(bound: Bound) -> tuple[str, ...]:
            await asyncio.sleep(0)
            return asked(bound)

        return await asyncio.gather(*map(one, bounds))

    expected = [(bound.cfg.model,) * 200 for bound in bounds]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(asked, bounds)) == expected
    assert asyncio.run(in_tasks()) == expected


def test_each_call_warns_at_its_own_line_and_names_the_new_one() -> None:
    bound = bind(BUILTIN_TOOLS, CFG)
    calls = (
        (bound.get_config, "pass cfg itself"),
        (bound.get_model, "cfg.model"),
        (bound.get_tools, "usable(tools, cfg)"),
        (lambda: bound.get_tool("read"), "find_tool(tools, name)"),
        (lambda: bound.execute_command("/help"), "turnfold.execute_command(cmd, tools, cfg, state)"),
        (lambda: bound.ChatContext(CFG), "pass cfg to the calls"),
    )
    for call, new in calls:
        with pytest.warns(DeprecationWarning, match=re.escape(new)) as seen:
            call()
        assert [warning.filename for warning in seen] == [__file__]


def test_the_warning_stands_at_the_line_of_the_call() -> None:
    bound = bind(BUILTIN_TOOLS, CFG)
    with pytest.warns(DeprecationWarning, match="get_config") as seen:
        bound.get_config()
    lines, start = inspect.getsourcelines(test_the_warning_stands_at_the_line_of_the_call)
    assert lines[seen[0].lineno - start].strip() == "bound.get_config()"


def test_a_line_that_calls_often_warns_once() -> None:
    bound = bind(BUILTIN_TOOLS, CFG)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default", DeprecationWarning)
        for _ in range(5):
            bound.get_config()
        bound.get_config()
    assert len(seen) == 2
