"""Settings from TOML: every form, every fault with its line, and what a project may not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result

from turnfold.core.codec.settings import read_config_untrusted, read_project_untrusted, read_variables_untrusted
from turnfold.core.codec.toml_lines import line_of
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import (
    DEFAULT_LIMITS,
    Limits,
    ModelProfile,
    Provider,
    Rule,
    SecretRef,
    ToolFormat,
    Variable,
    Verdict,
)
from turnfold.core.problem import Problem, path_text

EVERYTHING = """
model = "lab/big"
temperature = 1
max_tokens = 500
instructions = ""
tools = ["read", "shell"]
tool_format = "markdown"

[providers.lab]
base_url = "https://lab.example/v1/"
secret = "LAB_KEY"
timeout_s = 9.5

[providers.openai]
timeout_s = 30

[[profiles]]
pattern = "lab/*"
tool_format = "markdown"
grammar = true
instructions = "Be brief."
temperature = 0.5
max_tokens = 7

[[profiles]]
pattern = "*"

[[rules]]
verdict = "allow"
kind = "write"
pattern = "*.md"

[[rules]]
verdict = "deny"

[environment]
LANG = "C"

[limits]
generations = 3
command_s = 1
"""


def said(result: Result[object, tuple[Problem, ...]]) -> list[str]:
    """The faults, as they are printed."""
    assert isinstance(result, Failure)
    return [str(problem) for problem in result.failure()]


def config_faults(toml: str) -> list[str]:
    return said(read_config_untrusted(toml, "c.toml"))


def project_faults(toml: str, base: Config | None = None) -> list[str]:
    return said(read_project_untrusted(toml, "p.toml", base or Config()))


def test_every_setting() -> None:
    read = read_config_untrusted(EVERYTHING, "config.toml").unwrap()
    openai = next(provider for provider in Config().providers if provider.name == "openai")
    assert read == Config(
        model="lab/big",
        temperature=1.0,
        max_tokens=500,
        instructions="",
        tools=("read", "shell"),
        tool_format=ToolFormat.MARKDOWN,
        providers=(
            Provider(name="lab", base_url="https://lab.example/v1", secret=SecretRef("LAB_KEY"), timeout_s=9.5),
            Provider(name="openai", base_url=openai.base_url, secret=openai.secret, timeout_s=30.0),
        ),
        models=(
            ModelProfile(
                pattern="lab/*",
                tool_format=ToolFormat.MARKDOWN,
                grammar=True,
                instructions="Be brief.",
                temperature=0.5,
                max_tokens=7,
            ),
            ModelProfile(pattern="*"),
        ),
        rules=(Rule(Verdict.ALLOW, "write", "*.md"), Rule(Verdict.DENY)),
        environment=(Variable("LANG", "C"),),
        limits=Limits(generations=3, command_s=1.0),
    )
    assert isinstance(read.temperature, float)


def test_what_is_not_mentioned_is_missing() -> None:
    assert read_config_untrusted("", "c.toml").unwrap() == Config()
    assert read_project_untrusted("\n# nothing\n", "p.toml", Config(model="a/b")).unwrap() == ProjectConfig(Config(model="a/b"))


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("modle = 1", "c.toml:1: there is no setting 'modle' here; did you mean model? @ $.modle"),
        ("\nmodel = 1", "c.toml:2: model takes text in quotes, not a whole number. @ $.model"),
        ('model = ""', "c.toml:1: model is empty: write a value, or leave the line out. @ $.model"),
        ("model = true", "c.toml:1: model takes text in quotes, not true or false. @ $.model"),
        ("model = 2020-01-01", "c.toml:1: model takes text in quotes, not a date or time. @ $.model"),
        ("temperature = true", "c.toml:1: temperature takes a number, not true or false. @ $.temperature"),
        ("temperature = nan", "c.toml:1: temperature takes a number from 0 to 2, not nan. @ $.temperature"),
        ("temperature = 3", "c.toml:1: temperature takes a number from 0 to 2, not 3. @ $.temperature"),
        ("max_tokens = 1.0", "c.toml:1: max_tokens takes a whole number, not a number. @ $.max_tokens"),
        ("max_tokens = 0", "c.toml:1: max_tokens takes a whole number from 1 on, not 0. @ $.max_tokens"),
        ('tools = "read"', "c.toml:1: tools takes a list in brackets, not text. @ $.tools"),
        ('tools = ["a", 1]', "c.toml:1: tools[1] takes text in quotes, not a whole number. @ $.tools[1]"),
        (
            'tool_format = "markdwon"',
            'c.toml:1: tool_format takes one of "native", "markdown", not \'markdwon\'; did you mean markdown? @ $.tool_format',
        ),
        ("tool_format = 1", 'c.toml:1: tool_format takes one of "native", "markdown", not a whole number. @ $.tool_format'),
        ("limits = 1", "c.toml:1: limits takes a table, not a whole number. @ $.limits"),
        ("[limits]\ncommand_s = 0", "c.toml:2: limits.command_s takes a number over 0, not 0. @ $.limits.command_s"),
        ("[environment]\n'a b' = 'x'", "c.toml:2: 'a b' is no name of an environment variable. @ $.environment['a b']"),
        ("[providers.x]\n", "c.toml:1: providers.x needs base_url = …. @ $.providers.x"),
        (
            '[providers.x]\nbase_url = "ftp://x"',
            "c.toml:2: base_url is an address such as http://127.0.0.1:8080/v1, without a user, a query or spaces. @ $.providers.x.base_url",
        ),
        ('[providers."a/b"]\n', "c.toml:1: 'a/b' can't be a provider's name: models are called NAME/MODEL. @ $.providers['a/b']"),
        ("[[rules]]\nverdict = 'allow'\n[[rules]]\nkind = 'write'", "c.toml:3: rules[1] needs verdict = …. @ $.rules[1]"),
        (
            "[[rules]]\nverdict = 'ask'\nkind = 'rnu'",
            (
                'c.toml:3: rules[0].kind takes one of "*", "model", "read", "list", "write", "run", "python",'
                " not 'rnu'; did you mean run? @ $.rules[0].kind"
            ),
        ),
        (
            "[[profiles]]\npattern = 'a'\ngrammar = 1",
            "c.toml:3: profiles[0].grammar takes true or false, not a whole number. @ $.profiles[0].grammar",
        ),
        ("[[profiles]]\ngrammar = true", "c.toml:1: profiles[0] needs pattern = …. @ $.profiles[0]"),
        ("zebra = 1", "c.toml:1: there is no setting 'zebra' here; known are model"),
    ],
)
def test_a_fault_is_told_with_its_line_and_path(toml: str, fault: str) -> None:
    (told,) = config_faults(toml)
    assert told == fault or (fault.endswith("model") and told.startswith(fault))


def test_all_faults_are_told_at_once() -> None:
    assert len(config_faults('modle = 1\ntemperature = "x"\n[limits]\nx = 1\ngenerations = 0\n[providers.a]\nsecret = 1\n')) == 6


def test_a_key_in_the_place_of_its_name_is_not_said_back() -> None:
    (told,) = config_faults('[providers.openai]\nsecret = "sk-12345-abc"')
    assert "never the key itself" in told
    assert "12345" not in told


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("model = x", 1),
        ("a = 1\nmodel = \n", 2),
        ('a = "1\n', 1),
        ("a = 1\na = 2", 2),
        ('a = """x\n\n', 3),
        ("[a]\n[a]", 2),
        ("a = 1" * 2000, 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(toml: str, line: int) -> None:
    (told,) = config_faults(toml)
    assert told.startswith(f"c.toml:{line}: this is not TOML")


@pytest.mark.parametrize("toml", ["a = " + "[" * 5000, "a = " + "1" * 10_000, "a = 2020-13-40", "\0", "[[a]\n"])
def test_odd_text_is_a_fault_and_no_exception(toml: str) -> None:
    assert len(config_faults(toml)) == 1


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[[rules]]\nverdict = 'allow'", "p.toml:1: a project may not allow anything to itself"),
        ("[providers.openai]\nbase_url = 'http://evil.example/v1'", "p.toml:2: a project may not say where openai is"),
        ("[providers.mine]\nbase_url = 'http://evil.example/v1'", "p.toml:2: a project may not say where mine is"),
        ("[providers.new]\nbase_url = 'http://127.0.0.1/v1'\nsecret = 'OPENAI_API_KEY'", "p.toml:3: a project may not name a secret"),
        ("[providers.new]\nbase_url = 'http://evil.example/v1'", "p.toml:2: a project may not name a server elsewhere, new"),
        ("[providers.new]\nbase_url = 'http://127.0.0.1.evil.example/v1'", "p.toml:2: a project may not name a server elsewhere, new"),
        ("[environment]\nPATH = 'bin'", "p.toml:2: a project may not set PATH"),
        ("[environment]\nLD_PRELOAD = 'x.so'", "p.toml:2: a project may not set LD_PRELOAD"),
    ],
)
def test_a_project_may_not(toml: str, words: str) -> None:
    base = Config(providers=(Provider(name="mine", base_url="http://mine/v1", secret=SecretRef("K")),))
    (told,) = project_faults(toml, base)
    assert told.startswith(words)


@pytest.mark.parametrize(
    "name",
    "LESSOPEN MAKEFLAGS CC CXX GOFLAGS RUSTC_WRAPPER CARGO_BUILD_RUSTC npm_config_script_shell PIP_INDEX_URL XDG_CONFIG_HOME ZDOTDIR"
    " DOTNET_STARTUP_HOOKS GCONV_PATH SHELL TMPDIR SSL_CERT_FILE REQUESTS_CA_BUNDLE AWS_ENDPOINT_URL OPENAI_BASE_URL VIRTUAL_ENV".split(),
)
def test_a_project_may_not_set_what_has_other_code_run_or_other_servers_asked(name: str) -> None:
    assert len(project_faults(f"[environment]\n{name} = 'x'")) == 1


def test_a_project_may() -> None:
    toml = (
        "model = 'new/x'\n[[rules]]\nverdict = 'deny'\nkind = 'run'\npattern = 'git push*'\n[[rules]]\nverdict = 'ask'\n"
        "[providers.new]\nbase_url = 'http://127.0.0.1:1/v1'\n[providers.openai]\ntimeout_s = 5\n[environment]\nDEBUG = '1'\n"
    )
    read = read_project_untrusted(toml, "p.toml", Config()).unwrap()
    assert [rule.verdict for rule in read.rules] == [Verdict.DENY, Verdict.ASK]
    openai = next(provider for provider in read.providers if provider.name == "openai")
    assert (openai.timeout_s, openai.secret) == (5.0, SecretRef("OPENAI_API_KEY"))
    assert openai.base_url == "https://api.openai.com/v1"


def test_variables_lie_over_the_project_and_under_the_conversation() -> None:
    project = ProjectConfig(Config(model="u/u"), model="p/p", max_tokens=5)
    variables = (
        ("TURNFOLD_HOME", "/x"),
        ("TURNFOLD_MAX_TOKENS", " "),
        ("TURNFOLD_MODEL", "e/e"),
        ("TURNFOLD_TEMPERATURE", "0.5"),
        ("TURNFOLD_TOOLS", "read, shell,"),
        ("TURNFOLD_TOOL_FORMAT", "markdown"),
    )
    laid = read_variables_untrusted(variables, project).unwrap()
    assert (laid.model, laid.max_tokens, laid.temperature, laid.tools) == ("e/e", 5, 0.5, ("read", "shell"))
    assert laid.tool_format is ToolFormat.MARKDOWN
    assert ChatConfig(laid, model="c/c").model == "c/c"
    assert read_variables_untrusted((("TURNFOLD_MAX_TOKENS", "12"),), project).unwrap().max_tokens == 12


def test_faults_of_variables_name_the_variable() -> None:
    wrong = (("TURNFOLD_MAX_TOKENS", "many"), ("TURNFOLD_TEMPERATURE", "-1"), ("TURNFOLD_TOOL_FORMAT", "xml"))
    told = said(read_variables_untrusted(wrong, ProjectConfig(Config())))
    assert told[0].startswith("TURNFOLD_TEMPERATURE: temperature takes a number")
    assert told[1].startswith("TURNFOLD_MAX_TOKENS: max_tokens takes a whole number")
    assert told[2].startswith("TURNFOLD_TOOL_FORMAT: tool_format takes one of")


def test_limits_not_mentioned_are_the_default_ones() -> None:
    limits = read_config_untrusted("[limits]\ngenerations = 1\n", "c.toml").unwrap().limits
    assert limits.command_s == DEFAULT_LIMITS.command_s


def test_lines_are_found_by_path() -> None:
    toml = 'a.b = 1\n"c d" = 2\n[x]\ny = 3\n[[z]]\nk = 1\n[[z]]\nk = 2\n'
    paths = (("a", "b"), ("c d",), ("x", "y"), ("z", 1, "k"), ("z", 0), ("x", "none"), ("none",))
    assert [line_of(toml, path) for path in paths] == [1, 2, 4, 8, 5, 3, 0]
    assert path_text(("a b", 0, "c")) == "$['a b'][0].c"


@given(st.text())
def test_no_text_raises(toml: str) -> None:
    read_config_untrusted(toml, "c.toml")
    read_project_untrusted(toml, "p.toml", Config())


@given(
    st.dictionaries(
        st.sampled_from(["model", "tools", "rules", "providers", "limits", "profiles", "environment"]), st.integers() | st.text()
    )
)
def test_wrong_types_are_never_coerced(values: dict[str, int | str]) -> None:
    toml = "".join(f"{name} = {value if isinstance(value, int) else 7}\n" for name, value in values.items())
    read = read_config_untrusted(toml, "c.toml")
    assert isinstance(read, Failure) == bool(values)
