"""``/config``: what is said, where it comes from, and what can be changed."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import after, config, notices, problems, sim
from turnfold.core.agent.commands.config import CHANGEABLE, shown_value
from turnfold.core.agent.events import Reconfigured
from turnfold.core.agent.state import ChatState, effective
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.missing import DEFAULT
from turnfold.core.config.said import said, saying
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import Limits, Provider, SecretRef, ToolFormat, Variable
from turnfold.core.json import JsonObject
from turnfold.testing.moves import Command
from turnfold.testing.simulated import CONFIG, PROVIDER


def change(line: str, cfg: ChatConfig = CONFIG) -> Overrides:
    """The change that the line records."""
    (found,) = (event.change for event in after(sim(cfg=cfg), Command(line)).events if isinstance(event, Reconfigured))
    return found


def test_what_is_said_is_listed_with_its_layer() -> None:
    origin = evolve(Overrides().origin, layer="user", place="/h/config.toml")
    cfg = ChatConfig(ProjectConfig(Config(files=(Overrides(model="a/b", origin=origin),))), max_tokens=7)
    assert notices(after(sim(cfg=cfg), Command("/config"))) == ('model = "a/b"   from user (/h/config.toml)\nmax_tokens = 7  from chat',)
    assert "No layer says anything" in notices(after(sim(cfg=ChatConfig(ProjectConfig(Config()))), Command("/config")))[0]


def test_a_key_is_explained_with_what_it_lies_over() -> None:
    cfg = ChatConfig(ProjectConfig(Config(model="a/b"), model="c/d"))
    assert notices(after(sim(cfg=cfg), Command("/config model"))) == ('model = "c/d"\nfrom project\nover "a/b", from user',)
    assert problems(after(sim(cfg=cfg), Command("/config modle")))[0].code == "unknown-setting"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("temperature = 1", Overrides(temperature=1.0)),
        ("temperature=0.5", Overrides(temperature=0.5)),
        ("max_tokens = 100", Overrides(max_tokens=100)),
        ("max_tokens = default", Overrides(max_tokens=DEFAULT)),
        ("instructions = Be brief.", Overrides(instructions="Be brief.")),
        ('instructions = "5"', Overrides(instructions="5")),
        ("instructions = 5 = V", Overrides(instructions="5 = V")),
        ("tools = read, shell", Overrides(tools=("read", "shell"))),
        ('tools = ["+todo"]', Overrides(tools=("+todo",))),
        ("tools = []", Overrides(tools=())),
        ("tool_format = markdown", Overrides(tool_format=ToolFormat.MARKDOWN)),
        ('tool_format = "native"', Overrides(tool_format=ToolFormat.NATIVE)),
        ("limits.usd = 2", Overrides(limits=said(Limits, usd=2.0))),
        ("limits.turns = 3", Overrides(limits=said(Limits, turns=3))),
        ("compaction.auto = false", Overrides(compaction=said(Compaction, auto=False))),
        ("compaction.model = scripted/x", Overrides(compaction=said(Compaction, model="scripted/x"))),
        ('compaction.model = ""', Overrides(compaction=said(Compaction, model=""))),
    ],
)
def test_a_value_is_read_by_its_setting(line: str, wanted: Overrides) -> None:
    assert change(f"/config {line}") == wanted


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("temperature = 3", "temperature takes a number, at least 0, at most 2, or default; not '3'."),
        ("temperature = warm", "takes a number"),
        ("temperature = true", "takes a number"),
        ("temperature = 1e999", "takes a number"),
        ("limits.usd = " + "9" * 400, "takes a number"),
        ("max_tokens = 0", "a whole number, at least 1"),
        ("max_tokens = 1.5", "a whole number"),
        ("max_tokens = true", "a whole number"),
        ("limits.turn_s = 0", "a number, over 0"),
        ("compaction.auto = 1", "true or false"),
        ("compaction.auto = yes", "true or false"),
        ("compaction.model = nope", "There is no provider for the model"),
        ("tools = +a b", "all or none of them with + or -"),
        ("tools = [1]", "names of tools"),
        ("tools = +", "names of tools"),
        ("tool_format = yaml", "takes native or markdown or xml"),
        ("limits.trns = 3", "did you mean limits.turns or "),
        ("model = a/b", "'model' can't be changed here"),
        ("= 3", "'' can't be changed here"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(line: str, sentence: str) -> None:
    done = after(sim(), Command(f"/config {line}"))
    assert sentence in problems(done)[0].message
    assert done.state == ChatState()


def test_a_change_holds_from_then_on_and_default_puts_it_back() -> None:
    cfg = config(limits=Limits(turns=5))
    done = after(sim(cfg=cfg), Command("/config limits.turns = 3"))
    assert effective(cfg, done.state.past).limits == Limits(turns=3)
    assert notices(done)[-1] == "limits.turns is now 3."
    back = after(done, Command("/config limits.turns = default"))
    assert effective(cfg, back.state.past).limits == Limits()
    assert notices(back)[-1] == "limits.turns is now as by default."


def test_every_field_of_the_tables_can_be_changed() -> None:
    keys = [each.key for each in CHANGEABLE]
    assert {"limits.grace_s", "compaction.keep_first", "tools"} <= set(keys)
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (1.5, "1.5"),
        ("a\nb", '"a\\nb"'),
        (ToolFormat.NATIVE, '"native"'),
        (SecretRef("KEY"), "the secret KEY"),
        (DEFAULT, "the default"),
        (JsonObject.of(a=1), '{"a":1}'),
        (saying((("name", "x"), ("retries", DEFAULT))), '{name = "x", retries = the default}'),
        ((PROVIDER,), f"[{shown_value(PROVIDER)}]"),
        (float("inf"), "inf"),
    ],
)
def test_values_are_shown_as_a_person_reads_them(value: object, text: str) -> None:
    assert shown_value(value) == text


@pytest.mark.parametrize("line", ["/config", "/config environment", "/config environment.API_TOKEN", "/config providers.x"])
def test_what_is_called_like_a_secret_is_not_shown(line: str) -> None:
    provider = Provider(name="x", headers=JsonObject.of(**{"X-Api-Key": "geheim"}))
    cfg = ChatConfig(ProjectConfig(Config(environment=(Variable("API_TOKEN", "geheim"), Variable("CI", "1")), providers=(provider,))))
    told = notices(after(sim(cfg=cfg), Command(line)))[-1]
    assert "geheim" not in told
    assert "***" in told
