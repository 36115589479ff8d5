"""Functions as tools, called by the shell: what they take, give, raise, and how they stop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable
from datetime import date
from enum import Enum
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypedDict

import attrs
import pytest
from attrs import evolve
from typing_extensions import override

from tests.shell.support import PATIENCE_S, nothing_left
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, run, run_async
from turnfold.core.config.values import DEFAULT_LIMITS, Rule, Verdict
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.json import JsonObject, freeze
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Blame, Problem
from turnfold.core.world.answers import Returned
from turnfold.core.world.images import Image
from turnfold.core.world.requests import CallPython
from turnfold.shell.functions.calls import AnyFunction, functions_of, with_functions
from turnfold.shell.functions.signature import Caller
from turnfold.shell.functions.tool import FunctionTool, tool
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="c")
ALLOWED = evolve(CFG, rules=(Rule(Verdict.ALLOW, "function"),))


def arguments(said: dict[str, Any]) -> JsonObject:
    frozen = freeze(said)
    assert isinstance(frozen, JsonObject)
    return frozen


def called(function: AnyFunction, said: dict[str, Any] | None = None, scope: Scope | None = None, **more: Any) -> Returned | Problem:
    port = functions_of(function, **more)
    return port.act(CallPython(function.spec.name, arguments(said or {})), CFG, scope or Scope())


def text_of(outcome: Returned | Problem) -> str:
    return outcome.text if isinstance(outcome, Returned) else outcome.message


class Unit(Enum):
    CELSIUS = "C"
    FAHRENHEIT = "F"


@attrs.frozen
class Item:
    """One thing.

    Attributes:
        name: What it is called.
        count: How many there are.
    """

    name: str
    count: int = attrs.field(default=1, validator=attrs.validators.gt(0))
    parts: list[Item] = attrs.field(factory=list)


class Options(TypedDict, total=False):
    deep: bool


@tool
def order(  # noqa: D417 - the others speak for themselves
    items: list[Item],
    unit: Unit = Unit.CELSIUS,
    where: Literal["here", "there"] = "here",
    note: str | None = None,
    options: Options = {},  # noqa: B006 - as users write it
) -> str:
    """Order things.

    Args:
        items: What is wanted.
        unit: In which
            unit.
    """
    return f"{items} {unit} {where} {note} {options}"


def test_the_tool_is_still_the_function() -> None:
    assert order([], Unit.FAHRENHEIT) == "[] Unit.FAHRENHEIT here None {}"
    assert repr(order) == f"FunctionTool(spec={order.spec!r})"


def test_the_docstring_and_the_types_are_what_a_model_is_told() -> None:
    properties = order.spec.parameters["properties"]
    assert order.spec.description == "Order things."
    assert isinstance(properties, JsonObject)
    assert properties["unit"] == freeze({"type": "string", "enum": ["C", "F"], "description": "In which unit.", "default": "C"})
    items = properties["items"]
    assert isinstance(items, JsonObject)
    item = items["items"]
    assert isinstance(item, JsonObject)
    assert (items["description"], item["description"]) == ("What is wanted.", "One thing.")
    assert order.spec.parameters["required"] == ("items",)


def test_arguments_are_values_of_the_types() -> None:
    said = {"items": [{"name": "a", "parts": [{"name": "b", "count": 2.0}]}], "unit": "F", "note": None, "options": {"deep": True}}
    whole = "[Item(name='a', count=1, parts=[Item(name='b', count=2, parts=[])])] Unit.FAHRENHEIT here None {'deep': True}"
    assert called(order, said) == Returned(text=whole)


def test_all_that_is_wrong_is_said_at_once_with_its_place() -> None:
    refused = called(order, {"items": [{"name": "a"}, {}, {"name": "c", "count": "x"}], "unit": "K", "nte": "x"})
    assert isinstance(refused, Problem)
    assert (refused.code, refused.blame) == ("bad-arguments", Blame.MODEL)
    for fault in (
        '$.items[2].count must be an integer, not the string "x"',
        "$.items[1].name is missing: a string",
        '$.unit must be one of the string "C", the string "F"',
        "$.nte is unknown; did you mean note?",
    ):
        assert fault in refused.message


def test_nothing_is_coerced() -> None:
    for wrong in ("12", True, 1.5, None, [1]):
        assert "$.items[0].count" in text_of(called(order, {"items": [{"name": "a", "count": wrong}]}))


def test_what_a_class_checks_itself_is_told_with_its_place() -> None:
    refused = called(order, {"items": [{"name": "a", "parts": [{"name": "b", "count": -1}]}]})
    assert isinstance(refused, Problem)
    assert refused.message.startswith("The arguments don't fit:\n- $.items[0].parts[0] is refused: ValueError: 'count' must be > 0")


def test_what_is_deep_in_a_class_that_holds_itself_is_checked_as_well() -> None:
    deep = {"name": "a", "parts": [{"name": "b", "parts": [{"name": 3, "more": 1}]}]}
    message = text_of(called(order, {"items": [deep]}))
    assert "- $.items[0].parts[0].parts[0].name must be a string" in message
    assert "- $.items[0].parts[0].parts[0].more is unknown" in message


def test_what_the_decorator_is_told_wins() -> None:
    @tool(name="all-of-it", description="Say it.", serial=True)
    def same(first: int, /, second: int = 2) -> str:
        """Another thing."""
        return f"{first} {second}"

    assert (same.spec.name, same.spec.description, same.spec.serial) == ("all-of-it", "Say it.", True)


def test_every_kind_of_parameter_can_be_given() -> None:
    @tool
    def everything(first: int, /, second: int = 2, *numbers: float, third: Annotated[int, "the third"] = 3, **more: str) -> str:
        return f"{first} {second} {numbers} {third} {more}"

    assert text_of(called(everything, {"first": 1})) == "1 2 () 3 {}"
    said = {"first": 1, "numbers": [1, 2.5], "third": 4, "more": {"first": "x", "y": "z"}}
    assert text_of(called(everything, said)) == "1 2 (1.0, 2.5) 4 {'first': 'x', 'y': 'z'}"
    assert "$.more.third is not allowed" in text_of(called(everything, {"first": 1, "more": {"third": "x"}}))


def test_a_strict_tool_wants_every_parameter() -> None:
    @tool(strict=True)
    def add(a: int, b: int = 1) -> int:
        return a + b

    assert add.spec.parameters["required"] == ("a", "b")
    assert "$.b is missing" in text_of(called(add, {"a": 1}))
    assert text_of(called(add, {"a": 1, "b": 2})) == "3"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("hi", "hi"),
        (None, ""),
        (3, "3"),
        ([1, {"a": None}], '[1,{"a":null}]'),
        (Item("a"), '{"name":"a","count":1,"parts":[]}'),
        ({"at": PurePosixPath("/w"), "on": date(2026, 1, 2), Unit.CELSIUS: Unit.CELSIUS}, '{"at":"/w","on":"2026-01-02","C":"C"}'),
        ({float("nan"): float("inf")}, '{"nan":"inf"}'),
        (frozenset((2, 1)), "[1,2]"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_a_result_is_text_or_json(given: object, text: str) -> None:
    @tool
    def give() -> object:
        return given

    assert called(give) == Returned(text=text)


def test_a_result_can_be_an_image() -> None:
    picture = Image("image/png", "iVBORw==")

    @tool
    def show(how: int) -> object:
        return (picture, ["see", picture], Returned(text="no", ok=False), Image("image/tiff", ""))[how]

    assert called(show, {"how": 0}) == Returned(text="", images=(picture,))
    assert called(show, {"how": 1}) == Returned(text="see", images=(picture,))
    assert called(show, {"how": 2}) == Returned(text="no", ok=False)
    assert "none of image/png" in text_of(called(show, {"how": 3}))


def test_what_can_not_be_told_is_a_fault_of_the_tool() -> None:
    @tool
    def give(how: int) -> object:
        ring: list[object] = []
        ring.append(ring)
        return (object(), ring, Returned(text=3), 10**5000)[how]  # type: ignore[arg-type]

    for how in range(4):
        fault = called(give, {"how": how})
        assert isinstance(fault, Problem)
        assert (fault.code, fault.blame) == ("function-failed", Blame.TOOL)


def test_a_long_result_is_cut() -> None:
    @tool
    def give() -> str:
        return "x" * 1_000_000

    small = evolve(CFG, limits=evolve(DEFAULT_LIMITS, output_bytes=1000))
    told = functions_of(give).act(CallPython("give", JsonObject()), small, Scope())
    assert isinstance(told, Returned)
    assert len(told.text) < 1200
    assert "[cut here: 999,000 bytes]" in told.text


class Bad(Exception):
    @override
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no such city"), "fail raised ValueError: no such city"),
        (SystemExit(3), "fail raised SystemExit: 3"),
        (KeyError(), "fail raised KeyError."),
        (Bad(), "fail raised Bad."),
        (ValueError("x" * 5000), "fail raised ValueError: " + "x" * 2000 + "…"),
        (asyncio.CancelledError(), "fail raised CancelledError."),
    ],
)
def test_what_is_raised_is_a_problem(error: BaseException, message: str) -> None:
    @tool
    def fail() -> None:
        raise error

    problem = called(fail)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.message, problem.blame) == ("function-failed", message, Blame.TOOL)


def test_a_person_who_interrupts_is_heard() -> None:
    @tool
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        called(stop)


def test_an_async_function_has_a_loop_of_its_own_and_leaves_nothing() -> None:
    started: list[asyncio.Task[None]] = []

    @tool
    async def wait(text: str) -> str:
        started.append(asyncio.create_task(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        return text.upper()

    with nothing_left():
        assert called(wait, {"text": "hi"}) == Returned(text="HI")
    assert started[0].cancelled()


def test_an_async_function_may_use_threads() -> None:
    @tool
    async def wait(text: str) -> str:
        return await asyncio.to_thread(str.upper, text)

    assert called(wait, {"text": "hi"}) == Returned(text="HI")


def test_an_async_function_that_raises_is_a_problem() -> None:
    @tool
    async def fail() -> None:
        raise ValueError("later")

    assert text_of(called(fail)) == "fail raised ValueError: later"


def test_a_function_may_give_something_to_be_awaited() -> None:
    class Later:
        def __await__(self) -> Any:
            return asyncio.sleep(0, "done").__await__()

    @tool
    def give() -> Awaitable[str]:
        return Later()

    assert called(give) == Returned(text="done")


def test_an_async_function_can_be_called_where_a_loop_runs_already() -> None:
    @tool
    async def wait() -> str:
        return "done"

    @tool
    async def fail() -> str:
        raise ValueError("later")

    async def within() -> tuple[str, str]:
        return text_of(called(wait)), text_of(called(fail))

    assert asyncio.run(within()) == ("done", "fail raised ValueError: later")


def cancelling(begun: threading.Event, scope: Scope) -> None:
    begun.wait(PATIENCE_S)
    scope.cancel()


def test_a_cancel_stops_what_is_awaited() -> None:
    begun, ended = threading.Event(), threading.Event()

    @tool
    async def wait() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    scope = Scope()
    canceller = threading.Thread(target=cancelling, args=(begun, scope))
    canceller.start()
    outcome = called(wait, scope=scope)
    canceller.join()
    assert isinstance(outcome, Problem)
    assert outcome.code == "cancelled"
    assert ended.is_set()


def test_a_cancel_does_not_wait_for_one_that_will_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnfold.shell.functions.awaiting.GRACE_S", 0.05)
    scope = Scope()

    @tool
    async def stubborn() -> None:
        scope.cancel()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    outcome = called(stubborn, scope=scope)
    assert isinstance(outcome, Problem)
    assert outcome.code == "cancelled"


def test_a_function_that_is_not_async_can_look_whether_it_shall_stop() -> None:
    scope = Scope()

    @tool
    def look(caller: Caller, text: str) -> str:
        before = caller.cancelled
        scope.cancel()
        return f"{text} {caller.workspace} {before} {caller.cancelled}"

    assert look.spec.parameters["required"] == ("text",)
    assert text_of(called(look, {"text": "hi"}, scope)) == "hi /w False True"


def test_what_was_cancelled_before_never_begins() -> None:
    scope = Scope()
    scope.cancel()
    assert isinstance(called(order, {"items": []}, scope), Problem)


def test_async_functions_can_run_on_a_loop_that_is_handed_in() -> None:
    async def within() -> tuple[Returned | Problem, Returned | Problem, Returned | Problem]:
        here, begun = asyncio.get_running_loop(), threading.Event()

        @tool
        async def where() -> str:
            return str(asyncio.get_running_loop() is here)

        @tool
        async def wait() -> None:
            begun.set()
            await asyncio.sleep(3600)

        scope = Scope()
        asked = asyncio.to_thread(called, where, loop=here)
        stopped = asyncio.to_thread(called, wait, scope=scope, loop=here)
        stopping = asyncio.to_thread(cancelling, begun, scope)
        told, left, _ = await asyncio.gather(asked, stopped, stopping)
        return told, left, called(where, loop=here)

    told, left, blocked = asyncio.run(within())
    assert told == Returned(text="True")
    assert isinstance(left, Problem)
    assert left.code == "cancelled"
    assert isinstance(blocked, Problem)
    assert blocked.code == "no-loop"


def test_an_unknown_function_is_a_problem_and_two_of_one_name_an_error() -> None:
    unknown = functions_of(order).act(CallPython("ordr", JsonObject()), CFG, Scope())
    assert isinstance(unknown, Problem)
    assert "did you mean order?" in unknown.message
    with pytest.raises(ValueError, match="two functions called order"):
        functions_of(order, order)


def test_a_world_is_handed_functions_besides_those_it_has() -> None:
    @tool
    def one() -> str:
        return "1"

    world = with_functions(with_functions(fake_world(), order), one)
    for name in ("one", "order"):
        outcome = world.functions.act(CallPython(name, arguments({} if name == "one" else {"items": []})), CFG, Scope())
        assert isinstance(outcome, Returned)
    world.functions.close("c")
    world.functions.close_all()


@pytest.mark.parametrize("driver", ["run", "run_async"])
def test_a_conversation_uses_a_function_as_any_tool(driver: str) -> None:
    @tool
    def shout(text: str) -> str:
        """Say it loud."""
        return text.upper()

    calls = (RawCall("shout", '{"text": "hi"}'), RawCall("shout", '{"text": 3}'))
    world = with_functions(fake_world((chat_stream(calls=calls), chat_stream("Done."))), shout)
    tools = (*BUILTIN_TOOLS, shout.spec)
    result = run("Shout.", tools, ALLOWED, world) if driver == "run" else asyncio.run(run_async("Shout.", tools, ALLOWED, world))
    told = [message.text for message in result.state.past.log if isinstance(message, ToolMessage)]
    assert told[0] == "HI"
    assert "$.text must be a string, not 3: write it in quotes" in told[1]


def test_a_person_is_asked_before_a_function_is_called() -> None:
    ran: list[str] = []

    @tool
    def act() -> None:
        ran.append("x")

    world = with_functions(fake_world((chat_stream(calls=(RawCall("act", "{}"),)),)), act)
    result = run("Act.", (act.spec,), CFG, world)
    assert len(result.questions) == 1
    assert ran == []


def refusal(function: Any) -> str:
    with pytest.raises(TypeError) as told:
        tool(function)
    return str(told.value)


def test_what_no_model_could_be_told_is_refused_where_the_tool_is_made() -> None:
    def untyped(a) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
    def binary(a: bytes) -> None: ...
    def keys(a: dict[int, str]) -> None: ...
    def late(a: int, caller: Caller) -> None: ...
    def lost(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
    def yields(a: int) -> Any:
        yield a

    assert "can't be a tool: the parameter a has no type: write a: str" in refusal(untyped)
    assert "the parameter a: bytes has no form in JSON" in refusal(binary)
    assert "the names of a JSON object are text, not int" in refusal(keys)
    assert "a Caller can only be the first parameter" in refusal(late)
    assert "a type can't be found (name 'Nowhere' is not defined)" in refusal(lost)
    assert "from_generator" in refusal(yields)
    assert "is no name for a tool" in refusal(lambda: None)
    with pytest.raises(TypeError, match="members of any name"):

        @tool(strict=True)
        def open_object(a: dict[str, int]) -> None: ...


def test_making_a_tool_imports_the_reader_of_docstrings_and_not_the_sdk() -> None:
    assert isinstance(order, FunctionTool)
    assert "docstring_parser" in sys.modules
