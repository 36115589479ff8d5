"""Where a value comes from: the layer that is named is the one whose removal changes it."""

from __future__ import annotations

from typing import Any, cast

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from tests.laws.layered import SETTINGS, mentions
from turnfold import explain as exported
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.explain import Explained, Overridden, dotted, explain, said_keys
from turnfold.core.config.layer import Layer, key_of
from turnfold.core.config.layers import ChatConfig, Config, Line, Origin, Overrides, ProjectConfig
from turnfold.core.config.missing import DEFAULT, MISSING, Missing
from turnfold.core.config.named import name_of
from turnfold.core.config.said import Said, said, saying
from turnfold.core.config.values import Limits, ModelProfile, Provider, Rule, Variable, Verdict
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem

ORIGINS = (
    Origin(layer="chat", place="now"),
    Origin(layer="environment", place="TURNFOLD_X"),
    Origin(layer="project", place="turnfold.toml"),
    Origin(layer="user", place="config.local.toml"),
    Origin(layer="user", place="config.toml"),
)


def config_of(name: str, mentioned: tuple[Any, ...]) -> ChatConfig:
    """Three layers, in which each origin says of the setting what is ``mentioned``, the highest first."""
    now, variable, project, local, own = (
        Overrides(origin=origin, **{name: value}) for origin, value in zip(ORIGINS, mentioned, strict=True)
    )
    return ChatConfig(ProjectConfig(Config(files=(local, own)), variables=(variable,), files=(project,)), overrides=(now,))


def without(value: Any, names: tuple[str, ...], key: str) -> Any:
    """What a layer says, without the part at ``names``, or what stands in its place."""
    if not names or isinstance(value, Missing):
        return MISSING
    name, rest = names[0], names[1:]
    if isinstance(value, tuple):
        kept = ((each, without(each, rest, "") if name_of(each, key) == name else each) for each in value)
        return tuple(left if left != MISSING else said_of(each) for each, left in kept if left != MISSING or rest)
    table = value if isinstance(value, JsonObject | Said) else said_of(value)
    pairs = table.members if isinstance(table, JsonObject) else tuple((each.name, each.value) for each in table.members)
    left = tuple((each, without(inner, rest, "") if each == name else inner) for each, inner in pairs)
    some = tuple((each, inner) for each, inner in left if inner != MISSING)
    return JsonObject(cast(Any, some)) if isinstance(table, JsonObject) else saying(cast(Any, some))


def said_of(value: Any) -> Said[Any]:
    """A whole value as the table that says all of its fields."""
    return saying((field.name, getattr(value, field.name)) for field in attrs.fields(type(value)))


def read(cfg: Layer, parts: tuple[str, ...]) -> Any:
    """The value as a program reads it."""
    value: Any = getattr(cfg, parts[0])
    for name in parts[1:]:
        if isinstance(value, tuple):
            value = next(each for each in value if name_of(each, key_of(parts[0])) == name)
            value = value.value if isinstance(value, Variable) else value
        else:
            value = value.get(name) if isinstance(value, JsonObject | Said) else getattr(value, name)
    return value


def parts_of(name: str, mentioned: tuple[Any, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    keys = tuple(key.replace('"', "") for key in said_keys(config_of(name, mentioned)))  # the names of these layers have no dots
    return st.sampled_from([*(tuple(key.split(".")) for key in keys), (name,)])


@given(st.data())
def test_the_layer_that_is_named_is_the_one_whose_removal_changes_the_value(data: st.DataObject) -> None:
    setting = data.draw(st.sampled_from(SETTINGS))
    name = setting.alias or ""
    mentioned = data.draw(st.tuples(*(mentions(setting) | st.just(MISSING) for _ in ORIGINS)))
    parts = data.draw(parts_of(name, mentioned))
    explained = explain(config_of(name, mentioned), dotted(parts))
    assert isinstance(explained, Explained)
    named = [(explained.layer, explained.place), *((each.layer, each.place) for each in explained.overrode)]
    for index, origin in enumerate(ORIGINS):
        less = tuple(without(each, parts[1:], key_of(name)) if at == index else each for at, each in enumerate(mentioned))
        after = explain(config_of(name, less), dotted(parts))
        if (origin.layer, origin.place) not in named:
            assert after == explained  # it says nothing of the key, so it makes no difference
        elif index == [(each.layer, each.place) for each in ORIGINS].index(named[0]):
            assume(isinstance(after, Explained))
            assert isinstance(after, Explained)
            following = named[1:] or [("default", "")]
            assert (after.layer, after.place) == following[0]
            assert [(each.layer, each.place) for each in after.overrode] == following[1:]
            assert after.overrode == explained.overrode[1:]


@bounded(max_examples=60)
@given(st.data())
def test_the_value_is_what_is_read(data: st.DataObject) -> None:
    setting = data.draw(st.sampled_from(SETTINGS))
    name = setting.alias or ""
    mentioned = data.draw(st.tuples(*(mentions(setting) | st.just(MISSING) for _ in ORIGINS)))
    cfg = config_of(name, mentioned)
    for key in said_keys(cfg):
        explained = explain(cfg, key)
        assert isinstance(explained, Explained), "every key of every layer is explainable"
        try:
            value = read(cfg, tuple(key.replace('"', "").split(".")))
        except (StopIteration, AttributeError):
            value = None  # a layer above has put the table in which it stood away
        assert explained.value == (None if isinstance(value, Missing) else value)
    assert exported(cfg, name).value == getattr(cfg, name)  # type: ignore[union-attr]  # a setting's name is a key


@given(
    st.text()
    | st.lists(
        st.sampled_from(("model", "limits", "providers", ".", '"', "'", "\\", "usd", "a/b.c", "openai", "rules", " ", "[0]", "é"))
    ).map("".join)
)
def test_no_text_is_too_much(key: str) -> None:
    cfg = ProjectConfig(Config(model="a/b", models=(ModelProfile(pattern="a/b.c"),)), rules=(Rule(Verdict.DENY),))
    found = explain(cfg, key)
    assert isinstance(found, Explained) or found.code == "unknown-setting"


def place(layer: Layer, key: str) -> tuple[str, str]:
    found = explain(layer, key)
    assert isinstance(found, Explained)
    return found.layer, found.place


def test_keywords_count_to_their_layer_and_have_no_place() -> None:
    cfg = ChatConfig(ProjectConfig(Config(model="a/b", temperature=1.0), temperature=0.5), max_tokens=9)
    assert [place(cfg, key) for key in ("model", "temperature", "max_tokens", "agent")] == [
        ("user", ""),
        ("project", ""),
        ("chat", ""),
        ("default", ""),
    ]
    assert place(Layer(model="a/b"), "model") == ("chat", "")


def test_a_file_is_named_with_the_line() -> None:
    lines = (Line("$.limits.usd", 4), Line("$.providers.work.base_url", 9), Line("$.rules[0]", 12), Line("$.parameters", 20))
    work = said(Provider, name="work", base_url="http://x/v1")
    file = Overrides(
        limits=said(Limits, usd=1.0),
        providers=(work,),
        rules=(Rule(Verdict.DENY),),
        parameters=JsonObject.of(top_p=1),
        model="a/b",
        origin=Origin(layer="user", place="config.toml", lines=lines),
    )
    keys = ("limits.usd", "limits", "providers.work.base_url", "providers", "rules", "parameters.top_p", "model")
    assert [place(Config(files=(file,)), key)[1] for key in keys] == [
        "config.toml:4",
        "config.toml:4",
        "config.toml:9",
        "config.toml:9",
        "config.toml:12",
        "config.toml:20",
        "config.toml",
    ]


def test_an_agent_is_named_and_lies_under_what_the_conversation_says() -> None:
    spec = AgentSpec(name="reviewer", model="c/d", tools=("read",), limits=said(Limits, turns=3))
    project = ProjectConfig(Config(model="a/b", agents=(spec,)), agent="reviewer")
    assert explain(ChatConfig(project), "model") == Explained(
        key="model",
        value="c/d",
        layer="chat",
        place="agent reviewer",
        overrode=(Overridden(value="a/b", layer="user", place=""),),
    )
    assert place(ChatConfig(project, model="e/f"), "model") == ("chat", "")
    assert place(ChatConfig(project), "limits.turns") == ("chat", "agent reviewer")
    assert place(ChatConfig(project), "agent") == ("project", "")


def test_what_is_put_back_is_said() -> None:
    cfg = ProjectConfig(Config(model="a/b", limits=said(Limits, command_s=9.0)), model=DEFAULT, limits=said(Limits, command_s=DEFAULT))  # type: ignore[arg-type]
    assert explain(cfg, "model") == Explained(
        key="model", value="", layer="project", place="", overrode=(Overridden(value="a/b", layer="user", place=""),)
    )
    again = explain(ChatConfig(cfg, limits=said(Limits, command_s=1.0)), "limits.command_s")
    assert isinstance(again, Explained)
    assert [each.value for each in again.overrode] == [300.0, 9.0]
    away = ProjectConfig(Config(parameters=JsonObject.of(top_p=1)), parameters=DEFAULT)
    assert explain(ChatConfig(away, parameters=JsonObject.of(top_p=2)), "parameters.top_p") == Explained(
        key="parameters.top_p",
        value=2,
        layer="chat",
        place="",
        overrode=(Overridden(value=None, layer="project", place=""), Overridden(value=1, layer="user", place="")),
    )
    rules = ProjectConfig(Config(rules=(Rule(Verdict.DENY),)), rules=DEFAULT)
    assert place(rules, "rules") == ("user", "")


def test_names_with_dots_and_slashes_can_be_written_in_quotes_or_not() -> None:
    cfg = Config(models=(ModelProfile(pattern="a/b.c", window_tokens=9), ModelProfile(pattern="a/b", window_tokens=8)))
    keys = ('models."a/b.c".window_tokens', "models.'a/b.c'.window_tokens", "models.a/b.c.window_tokens", "models.a/b.window_tokens")
    found = [explain(cfg, key) for key in keys]
    assert [each.value for each in found if isinstance(each, Explained)] == [9, 9, 9, 8]
    assert all(isinstance(each, Explained) and each.key.startswith('models."a/b') for each in found)
    assert isinstance(explain(cfg, "models.a/b.c"), Explained)
    assert isinstance(explain(cfg, "models.a/b.c."), Problem)
    assert isinstance(explain(cfg, 'models."a/b'), Problem)
    assert isinstance(explain(cfg, r'models."a\q"'), Problem)
    assert isinstance(explain(cfg, 'models."a/b"x'), Problem)


def test_the_environment_is_explained_by_name() -> None:
    cfg = ProjectConfig(Config(environment=(Variable("CI", "1"),)), environment=(Variable("CI", None), Variable("B", "2")))
    explained = explain(cfg, "environment.CI")
    assert isinstance(explained, Explained)
    assert (explained.value, explained.layer, explained.overrode) == (None, "project", (Overridden(value="1", layer="user", place=""),))


def test_a_shipped_provider_is_the_defaults_until_it_is_changed() -> None:
    assert place(Config(), "providers.ollama.base_url") == ("default", "")
    assert place(Config(providers=(said(Provider, name="ollama", timeout_s=9.0),)), "providers.ollama.base_url") == ("default", "")
    assert place(Config(providers=(said(Provider, name="ollama", timeout_s=9.0),)), "providers.ollama.timeout_s") == ("user", "")


def test_a_shipped_table_is_the_defaults_and_has_a_place() -> None:
    table = Overrides(models=(said(ModelProfile, pattern="a/b", window_tokens=9),), origin=Origin(layer="default", place="models.toml"))
    cfg = Config(files=(Overrides(model="a/b", origin=Origin(layer="user")), table))
    assert place(cfg, "models.a/b.window_tokens") == ("default", "models.toml")
    assert said_keys(cfg) == ("model", 'models."a/b".window_tokens')
    assert said_keys(cfg, shipped=False) == ("model",)


def test_a_whole_value_hides_what_stands_below_it() -> None:
    low = said(Provider, name="work", headers=JsonObject.of(X="1"))
    cfg = ProjectConfig(Config(providers=(low,)), providers=(Provider(name="work", base_url="http://x/v1"),))
    assert explain(cfg, "providers.work.headers.X") == Explained(
        key="providers.work.headers.X",
        value=None,
        layer="project",
        place="",
        overrode=(Overridden(value="1", layer="user", place=""),),
    )


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("modle", 'There is no setting "modle"; did you mean model or models?'),
        ("", 'There is no setting "".'),
        ("limits.command", 'There is no "command" in limits; did you mean command_s?'),
        ("providers.opnai", 'There is no "opnai" in providers; did you mean openai?'),
        ("model.name", "There is nothing inside of model."),
        ("providers.openai.secret.name", "There is nothing inside of providers.openai.secret."),
        ("roots.a", "There is nothing inside of roots."),
        ("environment.CI", 'There is no "CI" in environment.'),
        ("x" * 99, f'There is no setting "{"x" * 60}…".'),
    ],
)
def test_what_is_no_setting_is_told(key: str, sentence: str) -> None:
    found = explain(Config(model="a/b"), key)
    assert isinstance(found, Problem)
    assert found.message == sentence


def test_what_an_agents_limits_do_not_say_is_told() -> None:
    found = explain(Config(agents=(AgentSpec(name="r", limits=said(Limits, turns=1)),)), "agents.r.limits.turn")
    assert isinstance(found, Problem)
    assert found.message == 'There is no "turn" in agents.r.limits; did you mean turns?'


def test_all_keys_that_are_said_are_listed_in_the_order_of_the_document() -> None:
    spec = said(AgentSpec, name="r", limits=said(Limits, turns=1), output=JsonObject.of(type="object"))
    work = said(Provider, name="work")
    cfg = ChatConfig(
        ProjectConfig(Config(limits=said(Limits, usd=1.0), agents=(spec,), providers=(work,)), limits=Limits(), rules=()),
        model="a/b",
        environment=(Variable("CI", "1"),),
        parameters=JsonObject.of(top_p=1),
    )
    assert said_keys(cfg) == (
        "model",
        "parameters.top_p",
        "agents.r.limits.turns",
        "agents.r.output.type",
        "providers.work",
        "environment.CI",
        "limits",
        "limits.usd",
    )
    assert all(isinstance(explain(cfg, key), Explained) for key in said_keys(cfg))
