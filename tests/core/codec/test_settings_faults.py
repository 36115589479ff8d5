"""Faults of config files: each with its line and path, all at once, and never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result

from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.codec.shapes import SETTINGS
from turnfold.core.problem import Problem


def messages(result: Result[object, tuple[Problem, ...]]) -> list[str]:
    """The faults, as they are printed."""
    assert isinstance(result, Failure)
    return [str(problem) for problem in result.failure()]


def config_faults(toml: str) -> list[str]:
    return messages(read_file_untrusted(toml, "c.toml", "user"))


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("modle = 1", "c.toml:1: there is no setting 'modle' here; did you mean model or models? @ $.modle"),
        ("\nmodel = 1", "c.toml:2: model takes text in quotes, not a whole number. @ $.model"),
        ('model = ""', "c.toml:1: model is empty: write a value, or leave the line out. @ $.model"),
        ("model = true", "c.toml:1: model takes text in quotes, not true or false. @ $.model"),
        ("model = 2020-01-01", "c.toml:1: model takes text in quotes, not a date or time. @ $.model"),
        ("temperature = true", "c.toml:1: temperature takes a number, not true or false. @ $.temperature"),
        ("temperature = nan", "c.toml:1: temperature takes a number from 0 to 2, not nan. @ $.temperature"),
        ("temperature = 3", "c.toml:1: temperature takes a number from 0 to 2, not 3. @ $.temperature"),
        ("max_tokens = 1.0", "c.toml:1: max_tokens takes a whole number, not a number. @ $.max_tokens"),
        ("max_tokens = 0", "c.toml:1: max_tokens takes a whole number from 1 on, not 0. @ $.max_tokens"),
        (f"max_tokens = {2**63}", f"c.toml:1: max_tokens takes a whole number from 1 on, not {2**63}. @ $.max_tokens"),
        ('tools = "read"', "c.toml:1: tools takes a list in brackets, not text. @ $.tools"),
        ('tools = ["a", 1]', "c.toml:1: tools[1] takes text in quotes, not a whole number. @ $.tools[1]"),
        (
            'tools = ["a", "-b"]',
            "c.toml:1: tools either names all tools, or changes the list below with +NAME and -NAME; here are both. @ $.tools",
        ),
        ('tools = ["+"]', 'c.toml:1: tools has "+" without a name: write "+NAME". @ $.tools'),
        (
            'tool_format = "markdwon"',
            'c.toml:1: tool_format takes one of "native", "markdown", "xml", not \'markdwon\'; did you mean markdown? @ $.tool_format',
        ),
        ('tool_format = "zz"', 'c.toml:1: tool_format takes one of "native", "markdown", "xml", not \'zz\'. @ $.tool_format'),
        ("tool_format = 1", 'c.toml:1: tool_format takes one of "native", "markdown", "xml", not a whole number. @ $.tool_format'),
        ("limits = 1", "c.toml:1: limits takes a table, not a whole number. @ $.limits"),
        ("providers = 1", "c.toml:1: providers takes a table, not a whole number. @ $.providers"),
        ("parameters = 1", "c.toml:1: parameters takes a table, not a whole number. @ $.parameters"),
        ("parameters = {a = inf}", "c.toml:1: parameters.a is inf, which JSON has no word for. @ $.parameters.a"),
        (
            "parameters.a = [2020-01-01]",
            "c.toml:1: parameters.a[0] is a date or time, which JSON has no word for: write it as text. @ $.parameters.a[0]",
        ),
        ("[limits]\ncommand_s = 0", "c.toml:2: limits.command_s takes a number over 0, not 0. @ $.limits.command_s"),
        ("[server]\nport = 70000", "c.toml:2: server.port takes a whole number from 0 to 65535, not 70000. @ $.server.port"),
        ("[environment]\n'a b' = 'x'", "c.toml:2: 'a b' is no name of an environment variable. @ $.environment['a b']"),
        (
            "[environment]\na = 1",
            "c.toml:2: environment.a takes text in quotes, or false to remove it, not a whole number. @ $.environment.a",
        ),
        ('[environment]\na = "\\u0000"', "c.toml:2: environment.a has a NUL character, which no variable can hold. @ $.environment.a"),
        (
            '[providers.x]\nbase_url = "ftp://x"',
            (
                "c.toml:2: providers.x.base_url is an address such as http://127.0.0.1:8080/v1, without a user, a query or spaces."
                " @ $.providers.x.base_url"
            ),
        ),
        (
            '[providers."a/b"]\n',
            "c.toml:1: 'a/b' can't be a name here: names are made of letters, digits, _, - and dots. @ $.providers['a/b']",
        ),
        ("[providers.x]\nsecret = 1", "c.toml:2: providers.x.secret takes text in quotes, not a whole number. @ $.providers.x.secret"),
        ("[providers.x]\nheaders = 1", "c.toml:2: providers.x.headers takes a table, not a whole number. @ $.providers.x.headers"),
        (
            "[providers.x]\nheaders = {A = 1}",
            'c.toml:2: providers.x.headers.A takes text in quotes, or {secret = "NAME"}, not a whole number. @ $.providers.x.headers.A',
        ),
        (
            '[providers.x]\nheaders = {A = "b\\nC: d"}',
            "c.toml:2: providers.x.headers.A has a line break or another control character, which can't be sent. @ $.providers.x.headers.A",
        ),
        (
            '[providers.x]\nheaders = {"A:" = "b"}',
            "c.toml:2: 'A:' can't be a name here: it has no spaces, no colon and only ASCII letters. @ $.providers.x.headers['A:']",
        ),
        ('[models.""]', "c.toml:1: '' is no pattern of a model: write provider/name, where * stands for any text. @ $.models['']"),
        (
            "[guardrails.a]\npattern = '('",
            "c.toml:2: guardrails.a.pattern is no regular expression: missing ), unterminated subpattern at position 0. @ $.guardrails.a.pattern",
        ),
        ("rules = {}", "c.toml:1: rules takes tables, each under [[rules]], not a table. @ $.rules"),
        ("rules = [1]", "c.toml:1: rules[0] takes a table, not a whole number. @ $.rules[0]"),
        ("[[rules]]\nverdict = 'allow'\n[[rules]]\nkind = 'write'", "c.toml:3: rules[1] needs verdict = …. @ $.rules[1]"),
        (
            "[[rules]]\nverdict = 'ask'\nkind = 'rnu'",
            (
                'c.toml:3: rules[0].kind takes one of "read", "list", "write", "run", "python", "fetch", "browse", "function", "mcp", "child", "chats", "job", "model", "*",'
                " not 'rnu'; did you mean run? @ $.rules[0].kind"
            ),
        ),
        (
            "[models.a]\ngrammar = 1",
            "c.toml:2: models.a.grammar takes true or false, not a whole number. @ $.models.a.grammar",
        ),
        ("[models.a]\nmust_call = true", "c.toml:2: there is no setting 'must_call' here"),
        ("extends = 1", "c.toml:1: extends takes text in quotes or a list of it, not a whole number. @ $.extends"),
        ('extends = ""', "c.toml:1: extends is empty: write a value, or leave the line out. @ $.extends"),
        ("defaults = 'model'", "c.toml:1: defaults takes a list of the names of settings, not text. @ $.defaults"),
        ("defaults = [1]", "c.toml:1: defaults[0] takes text in quotes, not a whole number. @ $.defaults[0]"),
        (
            "defaults = ['limits.usb']",
            "c.toml:1: there is no setting 'limits.usb' to put back; did you mean limits.usd or limits.turns or limits.turn_s? @ $.defaults[0]",
        ),
        (
            "defaults = ['zzzzzzzz']",
            "c.toml:1: there is no setting 'zzzzzzzz' to put back; write a name such as model, or limits.usd. @ $.defaults[0]",
        ),
        (
            "defaults = ['tools']",
            "c.toml:1: tools can't be put back: only single settings can, such as model or limits.usd. @ $.defaults[0]",
        ),
        (
            "defaults = ['limits']",
            "c.toml:1: limits can't be put back: only single settings can, such as model or limits.usd. @ $.defaults[0]",
        ),
        ("model = 'a/b'\ndefaults = ['model']", "c.toml:2: model is set in this file, too: keep one of the two. @ $.defaults[0]"),
        (
            "defaults = ['limits.usd']\nlimits.usd = 1",
            "c.toml:1: limits.usd is set in this file, too: keep one of the two. @ $.defaults[0]",
        ),
        ("zebra = 1", "c.toml:1: there is no setting 'zebra' here; known are extends, defaults, model"),
    ],
)
def test_a_fault_is_told_with_its_line_and_path(toml: str, fault: str) -> None:
    (told,) = config_faults(toml)
    assert told == fault or (fault.endswith(("model", "here")) and told.startswith(fault))


def test_all_faults_are_told_at_once() -> None:
    assert len(config_faults('modle = 1\ntemperature = "x"\nextends = 1\ndefaults = 1\n[limits]\nx = 1\ngenerations = 0\n')) == 6


def test_of_very_many_faults_the_first_are_told() -> None:
    told = config_faults("".join(f"zz{index} = 1\n" for index in range(1234)))
    assert len(told) == 101
    assert told[-1] == "c.toml: there are 1,134 more of these."


def test_a_key_in_the_place_of_its_name_is_not_said_back() -> None:
    for toml in ('[providers.openai]\nsecret = "sk-12345-abc"', '[providers.a]\nheaders = {A = {secret = "sk-12345-abc"}}'):
        (told,) = config_faults(toml)
        assert "never the key itself" in told
        assert "12345" not in told


@pytest.mark.parametrize(
    ("toml", "line"),
    [("model = x", 1), ("a = 1\nmodel = \n", 2), ('a = "1\n', 1), ('a = """x\n\n', 3), ("a = 1" * 2000, 1)],
)
def test_what_is_no_toml_is_told_with_its_line(toml: str, line: int) -> None:
    (told,) = config_faults(toml)
    assert told.startswith(f"c.toml:{line}: this is not TOML")


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("model = 'a'\nmodel = 'b'", "c.toml:2: model is set twice"),
        ("[limits]\nusd = 1\n[limits]\n", "c.toml:3: [limits] is set twice"),
        ("limits.usd = 1\n[limits]\n", "c.toml:2: [limits] is set twice"),
        ("limits = {usd = 1, usd = 2}", "c.toml:1: usd is set twice"),
        ("limits = {usd = 1}\nlimits.turns = 2", "c.toml:2: limits.turns is set twice"),
        ('a = """\n"""\na = """\n"""', "c.toml:4: what stands here is set twice"),
    ],
)
def test_what_is_set_twice_is_named(toml: str, told: str) -> None:
    (found,) = config_faults(toml)
    assert found == f"{told} in this file: keep one of the two."


@pytest.mark.parametrize(
    "toml",
    ["a = " + "[" * 5000, "[parameters]\n" + "a." * 200 + "b = 1", "a = " + "1" * 10_000, "a = 2020-13-40", "\0", "[[a]\n", "\ufeffa = 1"],
)
def test_odd_text_is_a_fault_and_no_exception(toml: str) -> None:
    assert len(config_faults(toml)) == 1


@given(st.text())
def test_no_text_raises(toml: str) -> None:
    read_file_untrusted(toml, "c.toml", "user")
    read_file_untrusted(toml, "p.toml", "project", trusted=False)


@given(
    st.dictionaries(st.sampled_from([key.name for key in SETTINGS.keys if key.name not in ("temperature", "max_tokens")]), st.integers())
)
def test_wrong_types_are_never_coerced(values: dict[str, int]) -> None:
    toml = "".join(f"{name} = {value}\n" for name, value in values.items())
    assert isinstance(read_file_untrusted(toml, "c.toml", "user"), Failure) == bool(values)
