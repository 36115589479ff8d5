"""What a child starts with: never more than its parent has, and the parent's rules."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agent.scripted import YES, after, call, config, reply, results, sim
from turnfold.core.agent.apply import apply
from turnfold.core.agent.children import child_config, child_tools, parent_config
from turnfold.core.agent.events import CallCommanded, RequestClosed, RequestOpened, Started
from turnfold.core.agent.ids import RequestId, child_id, depth_of, parent_of, parse_id_untrusted
from turnfold.core.agent.inputs import Resumed
from turnfold.core.agent.state import Past
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.said import said
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.extension import Extension
from turnfold.core.tools.spec import extended, extensions
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.permission import permit
from turnfold.core.world.requests import Request, StartChild
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Finish, Interrupt, Say, Wild
from turnfold.testing.simulated import finished
from turnfold.testing.strategies import request_ids, texts, values

AGENTS = (AgentSpec(name="critic", instructions="Be strict.", tools=("read",), limits=said(Limits, tokens=50, generations=3)),)
RULES = st.lists(st.builds(Rule, st.sampled_from(Verdict), st.sampled_from(("*", "read", "write", "run")), st.sampled_from(("*", "a*"))))
TOKENS, USD = st.none() | st.integers(0, 1000), st.none() | st.floats(0, 10)
REQUESTS = st.builds(
    StartChild,
    task=texts(),
    agent=st.sampled_from(("", "critic")),
    tools=st.none() | st.lists(st.sampled_from(tuple(tool.name for tool in BUILTIN_TOOLS)), max_size=3).map(tuple),
    generations=st.none() | st.integers(1, 50),
    tokens=st.none() | st.integers(1, 1000),
    usd=USD,
)
ID = RequestId(1, 1, 0, 0)
NO_LIMITS = Limits()


def under_way(children: int, used: Usage, rules: tuple[Rule, ...] = (), limits: Limits = NO_LIMITS) -> tuple[ChatConfig, Past]:
    """A conversation whose turn has so many children open."""
    base = Config(limits=limits, agents=AGENTS, rules=rules)
    call = ToolCall("subagent", JsonObject())
    past = apply(Past(), Started(conversation="c", cfg_digest="", tools_digest=""))
    past = apply(past, CallCommanded("/subagent", call, 0, (call,) * (children - 1)))
    for slot in range(children):
        past = apply(past, RequestOpened(request_id=RequestId(1, 0, slot, 0), request=StartChild(task="t")))
    return ChatConfig(ProjectConfig(base), workspace="/w", conversation="c"), evolve(past, usage=used)


@given(children=st.integers(1, 5), tokens=TOKENS, usd=USD, used=st.integers(0, 900), cost=st.floats(0, 9), requests=st.data())
def test_children_side_by_side_have_no_more_than_their_parent_has_left(
    children: int, tokens: int | None, usd: float | None, used: int, cost: float, requests: st.DataObject
) -> None:
    cfg, past = under_way(children, Usage(input_tokens=used, cost_usd=cost), limits=Limits(tokens=tokens, usd=usd))
    known = [child_config(requests.draw(REQUESTS), RequestId(1, 0, slot, 0), parent_config(cfg, past)) for slot in range(children)]
    limits = [child.limits for child in known if isinstance(child, ChatConfig)]
    assert len(limits) == children
    assert tokens is None or sum(each.tokens if each.tokens is not None else 10**9 for each in limits) <= max(tokens - used, 0)
    assert usd is None or sum(each.usd if each.usd is not None else 1e9 for each in limits) <= max(usd - cost, 0.0) + 1e-9


@given(request=REQUESTS, rules=RULES, acts=st.lists(values(Request), max_size=4))
def test_the_parents_rules_and_no_other_tools(request: StartChild, rules: list[Rule], acts: list[Request]) -> None:
    cfg, past = under_way(1, Usage(), tuple(rules))
    child = child_config(request, ID, parent_config(cfg, past))
    assert isinstance(child, ChatConfig)
    assert [permit(act, child) for act in acts] == [permit(act, cfg) for act in acts]
    handed = child_tools(request, BUILTIN_TOOLS, cfg)
    assert isinstance(handed, tuple)
    assert [tool.name for tool in handed] == [tool.name for tool in BUILTIN_TOOLS if request.tools is None or tool.name in request.tools]
    assert (child.conversation, child.name, child.workspace) == ("c~1.1.0.0", "", "/w")


def test_an_agent_or_tools_that_there_are_not() -> None:
    cfg, past = under_way(1, Usage())
    wrong = child_config(StartChild(task="t", agent="critc"), ID, parent_config(cfg, past))
    assert isinstance(wrong, Problem)
    assert "(there are: critic)" in wrong.message
    none = child_config(StartChild(task="t", agent="critic"), ID, ChatConfig(ProjectConfig(Config()), conversation="c"))
    assert isinstance(none, Problem)
    assert "none is described" in none.message
    tools = child_tools(StartChild(task="t", tools=("shel",)), BUILTIN_TOOLS, cfg)
    assert isinstance(tools, Problem)
    assert "did you mean shell?" in tools.message


def test_there_is_a_deepest_level() -> None:
    cfg, past = under_way(1, Usage(), limits=Limits(child_depth=1))
    child = child_config(StartChild(task="t"), ID, parent_config(cfg, past))
    assert isinstance(child, ChatConfig)
    deeper = child_config(StartChild(task="t"), ID, parent_config(child, Past()))
    assert isinstance(deeper, Problem)
    assert (deeper.code, "1 level deep" in deeper.message) == ("too-deep", True)


def test_the_agents_limits_bound_the_child_too() -> None:
    cfg, past = under_way(1, Usage(), limits=Limits(tokens=500))
    child = child_config(StartChild(task="t", agent="critic", generations=9), ID, parent_config(cfg, past))
    assert isinstance(child, ChatConfig)
    assert (child.agent, child.limits.tokens, child.limits.generations) == ("critic", 50, 3)


def test_what_a_child_cost_is_its_parents() -> None:
    _, past = under_way(2, Usage(input_tokens=1))
    ended = RequestClosed(RequestId(1, 0, 0, 0), ChildEnded(conversation="x", text="", ok=True, usage=Usage(input_tokens=5, cost_usd=1.0)))
    after = apply(past, ended)
    assert after.usage == Usage(input_tokens=6, cost_usd=1.0)
    assert apply(after, ended).usage == after.usage  # it is closed once


@given(parent=st.text(max_size=8), path=st.lists(request_ids().filter(lambda each: parse_id_untrusted(str(each)) == each), max_size=3))
def test_an_id_says_whose_child_it_is(parent: str, path: list[RequestId]) -> None:
    name = "p" + parent.replace("~", "")
    child = name
    for request_id in path:
        assert (parent_of(child_id(child, request_id)), depth_of(child_id(child, request_id))) == (child, depth_of(child) + 1)
        child = child_id(child, request_id)
    assert depth_of(child) == len(path)


def test_what_comes_with_tools_goes_down_with_or_without_them() -> None:
    says = Extension(instructions=lambda situation, cfg: "Be kind.")
    tools = (evolve(BUILTIN_TOOLS[0], extension=says), BUILTIN_TOOLS[1], extended("guard", says))
    for wanted, names in ((None, ["read", "save"]), (("save",), ["save"]), ((), [])):
        handed = child_tools(StartChild(task="t", tools=wanted), tools, ChatConfig(ProjectConfig(Config())))
        assert isinstance(handed, tuple)
        assert [tool.name for tool in handed if not tool.bare] == names
        assert extensions(handed, "") == (says, says)
    led = child_tools(
        StartChild(task="t"), tools, ChatConfig(ProjectConfig(Config(agent="critic", agents=(AgentSpec(name="critic", tools=("save",)),))))
    )
    assert isinstance(led, tuple)
    assert [(tool.name, tool.bare) for tool in led] == [("save", False), ("read", True), ("guard", True)]


@given(st.lists(st.sampled_from(("subagent", "critic")), min_size=1, max_size=4), st.sets(st.integers(0, 3)), st.booleans())
def test_what_is_known_of_lost_children_closes_their_calls_and_counts_once(names: list[str], known: set[int], stopped: bool) -> None:
    cfg = evolve(config(YES), agents=(evolve(AGENTS[0], helpers=("critic",), tools=None),), agent="critic")
    calls = tuple(call(name, **{"task" if name == "subagent" else "input": "x"}) for name in names)
    begun = after(sim(reply("", *calls), cfg=cfg), Say(), Finish(), *((Interrupt(),) if stopped else ()))
    spent = Usage(input_tokens=7, cost_usd=0.5)
    ids = ("d~1.1.0.0", *(child_id("c", RequestId(1, 1, slot, 0)) for slot in sorted(known)))
    ended = tuple(ChildEnded(conversation=each, text=f"did {each}", ok=True, usage=spent) for each in ids)
    lost = after(begun, Wild(Resumed(begun.now_ms, ended)))
    told = results(finished(lost))
    assert [slot for slot, text in enumerate(told) if text.startswith("did c~")] == sorted(known & set(range(len(names))))
    assert sum("unknown" in text for text in told) == len(names) - len(known & set(range(len(names))))
    assert (len(told), lost.state.past.usage.input_tokens) == (len(names), 7 * len(known & set(range(len(names)))))


def test_what_a_parent_has_to_answer_call_first_and_stop_on_is_its_own() -> None:
    wanted = JsonObject.of(type="object")
    spec = AgentSpec(name="judge", output=JsonObject.of(type="array"), tool_choice="read", stop_on=("read",))
    cfg, past = under_way(1, Usage())
    led = evolve(parent_config(cfg, past), output=wanted, tool_choice="required", stop_on=("*",), agents=(spec,))
    plain = child_config(StartChild(task="t"), ID, led)
    judging = child_config(StartChild(task="t", agent="judge"), ID, led)
    assert not isinstance(plain, Problem)
    assert not isinstance(judging, Problem)
    assert (led.output, plain.output, judging.output) == (wanted, JsonObject(), spec.output)
    assert (plain.tool_choice, judging.tool_choice) == ("", "read")
    assert (plain.stop_on, judging.stop_on) == ((), ("read",))
