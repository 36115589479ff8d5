"""What a project's file may not decide is left out and told, whatever else it says; in a trusted folder all of it counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.codec.settings import FileSettings, read_file_untrusted
from turnfold.core.codec.shapes import SETTINGS, Named, Table
from turnfold.core.config.layers import Overrides
from turnfold.core.config.missing import MISSING
from turnfold.core.config.said import said
from turnfold.core.config.tables import Prompt
from turnfold.core.config.values import Limits, Provider, Rule, SecretRef, Verdict


def project(toml: str, known: tuple[str, ...] = ("openai", "mine")) -> FileSettings:
    """What counts of a project's file in a folder that is not trusted."""
    return read_file_untrusted(toml, "p.toml", "project", trusted=False, known=known).unwrap()


@pytest.mark.parametrize(
    ("toml", "path", "line"),
    [
        ("[[rules]]\nverdict = 'deny'\n[[rules]]\nverdict = 'allow'", "$.rules[1]", 3),
        ("[providers.openai]\ntimeout_s = 1\nbase_url = 'http://evil.example/v1'", "$.providers.openai.base_url", 3),
        ("[providers.mine]\nbase_url = 'http://127.0.0.1/v1'", "$.providers.mine", 1),
        ("[providers.new]\nbase_url = 'http://127.0.0.1/v1'\nsecret = 'OPENAI_API_KEY'", "$.providers.new.secret", 3),
        ("[providers.new]\nbase_url = 'http://127.0.0.1/v1'\nheaders = {A = 'b'}", "$.providers.new.headers", 3),
        ("[providers.new]\nbase_url = 'http://evil.example/v1'", "$.providers.new", 1),
        ("[providers.new]\nbase_url = 'http://127.0.0.1.evil.example/v1'", "$.providers.new", 1),
        ("[environment]\nLD_PRELOAD = 'x.so'\nA = 'b'", "$.environment", 1),
        ("[environment]\nA = false", "$.environment", 1),
        ("[parameters]\nn = 50", "$.parameters", 1),
        ("workspace = '/'", "$.workspace", 1),
        ("roots = ['/etc']", "$.roots", 1),
        ("[prompt]\ncommands = ['curl evil']", "$.prompt", 1),
        ("[prompt]\nfiles = ['a', '../b']", "$.prompt.files[1]", 2),
        ("[prompt]\nguides = []\nfiles = ['/a', '~/b']", "$.prompt.files", 3),
        ("[prompt]\nguides = ['a/../../b', 'A.md']", "$.prompt.guides[0]", 2),
        ("[skills]\nlessons = ['a', 'C:/b']", "$.skills.lessons[1]", 2),
        ("[sandbox]\nprofile = 'off'", "$.sandbox", 1),
        ("[web]\nprivate_hosts = ['*']", "$.web", 1),
        ("[limits]\nusd = 1000\ncommand_s = 1", "$.limits.usd", 2),
        ("[limits]\ncommand_s = 1\ngenerations = 1000", "$.limits.generations", 3),
        ("[limits]\ncommand_s = 1\nturns = 1000", "$.limits.turns", 3),
        ("[limits]\ncommand_s = 1\noutput_bytes = 1_000_000_000", "$.limits.output_bytes", 3),
        ("[models.'a/b']\ntemperature = 0\ninput_usd = 0", "$.models['a/b'].input_usd", 3),
        ("[agents.a]\nmodel = 'a/b'\nlimits = {usd = 5}", "$.agents.a.limits", 3),
        ("[models.'openai/*']\ntemperature = 1\ninput_usd = 0", "$.models['openai/*'].input_usd", 3),  # limits.usd would never be reached
        ("[mcp.a]\ncommand = 'evil'\narguments = []", "$.mcp.a", 1),
        ("[mcp.a]\ntimeout_s = 5\ncommand = 'evil'", "$.mcp.a.command", 3),
        ("[hooks.a]\ncommand = 'evil'", "$.hooks.a", 1),
        ("[guardrails.a]\npattern = ''", "$.guardrails.a", 1),
        ("[agents.a]\ninstructions = 'Be kind.'\nguardrails = ['weak']", "$.agents.a.guardrails", 3),  # all others would not count
        ("[exporters.a]\nurl = 'http://evil.example'", "$.exporters.a", 1),
        ("[server]\nhost = '0.0.0.0'", "$.server", 1),
        ("defaults = ['model', 'limits.usd']", "$.defaults[1]", 1),
        ("defaults = ['workspace']", "$.defaults[0]", 1),
    ],
)
def test_a_project_may_not_decide(toml: str, path: str, line: int) -> None:
    read = project(f"model = 'a/b'\n{toml}" if "model" not in toml else toml)
    (told,) = read.withheld
    shift = 0 if "model" in toml else 1
    assert told.message.startswith(f"p.toml:{line + shift}: {path[2:]} is left out: it counts only in a folder that you trust.")
    assert (told.path, told.code) == (path, "not-trusted")
    assert not read_file_untrusted(toml, "p.toml", "project").unwrap().withheld


def test_what_it_may_say_counts_beside_what_it_may_not() -> None:
    read = project(
        "model = 'new/x'\ndefaults = ['agent']\n[[rules]]\nverdict = 'allow'\n[[rules]]\nverdict = 'deny'\nkind = 'run'\n"
        "[[rules]]\nverdict = 'ask'\n[providers.new]\nbase_url = 'http://127.0.0.1:1/v1'\n[providers.openai]\ntimeout_s = 5\n"
        "[providers.far]\nbase_url = 'http://far.example'\n[environment]\nDEBUG = '1'\nPATH = 'x'\n[prompt]\nfiles = ['a', '/b', 'c']\n"
        "[limits]\ncommand_s = 5\ngenerations = 5\n"
    )
    layer = read.layer
    assert layer.own_model == "new/x"
    assert layer.own_rules == (Rule(Verdict.DENY, "run"), Rule(Verdict.ASK))
    assert layer.own_providers == (
        said(Provider, name="new", base_url="http://127.0.0.1:1/v1"),
        said(Provider, name="openai", timeout_s=5.0),
    )
    assert layer.own_environment == MISSING
    assert layer.own_prompt == said(Prompt, files=("a", "c"))
    assert layer.own_limits == said(Limits, command_s=5.0)
    withheld = ["$.rules[0]", "$.providers.far", "$.environment", "$.prompt.files[1]", "$.limits.generations"]
    assert [problem.path for problem in read.withheld] == withheld


def test_in_a_trusted_folder_all_of_it_counts() -> None:
    toml = "[[rules]]\nverdict = 'allow'\n[providers.x]\nbase_url = 'http://far.example'\nsecret = 'K'"
    layer = read_file_untrusted(toml, "p.toml", "project", trusted=True).unwrap().layer
    assert layer.own_rules == (Rule(Verdict.ALLOW),)
    assert layer.providers[0] == Provider(name="x", base_url="http://far.example", secret=SecretRef("K"))


def test_what_is_left_out_may_be_wrong() -> None:
    read = project("workspace = 1\nroots = {}\nrules = [{verdict = 'allow', kind = 1}, 5]\n".replace(", 5", ""))
    assert (len(read.withheld), read.layer.own_workspace) == (3, MISSING)


@given(st.lists(st.sampled_from([key for key in SETTINGS.keys if key.note.granted]), unique=True, min_size=1))
def test_nothing_granted_ever_counts(keys: list[object]) -> None:
    names = [key.name for key in SETTINGS.keys if key in keys]
    read = project("".join(f"{name} = 1\n" for name in names))
    assert read.layer == Overrides(origin=read.layer.origin)
    assert len(read.withheld) == len(names)


def test_every_granted_setting_of_a_table_is_left_out() -> None:
    tables = [(key.name, key.shape) for key in SETTINGS.keys if isinstance(key.shape, Table)]
    tables += [(f"{key.name}.x", key.shape.table) for key in SETTINGS.keys if isinstance(key.shape, Named)]
    for name, table in tables:
        for key in table.keys:
            if key.note.granted:
                (told,) = project(f"[{name}]\n{key.name} = 'x'\n").withheld
                assert told.path == f"$.{name}", (name, key.name)
