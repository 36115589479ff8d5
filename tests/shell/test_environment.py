from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.config.values import Variable
from turnfold.shell.environment import VARIABLE_BYTES, base_environment, changes, laid_over, report_untrusted


def test_what_is_called_like_a_secret_is_never_in_the_base() -> None:
    names = (
        "LC_SECRET",
        "XDG_TOKEN",
        "LC_API_KEY",
        "XDG_DB_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "PGPASSWORD",
        "DATABASE_URL",
    )
    assert base_environment(dict.fromkeys(names, "x")) == ()


def test_base_is_sorted_and_holds_what_programs_need() -> None:
    environ = {"PATH": "/bin", "HOME": "/h", "LC_CTYPE": "C", "TERM": "xterm", "PWD": "/x", "SHLVL": "2"}
    assert [name for name, _ in base_environment(environ)] == ["HOME", "LC_CTYPE", "PATH", "TERM"]


names = st.text("ABCDEFG_", min_size=1, max_size=3).filter(lambda name: name != "_")
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_changes_laid_over_the_base_give_the_end(base: dict[str, str], end: dict[str, str]) -> None:
    assert laid_over(tuple(base.items()), changes(tuple(base.items()), tuple(end.items()))) == end


def test_what_could_not_be_passed_on_is_left_out() -> None:
    assert changes((), (("LONG", "x" * (VARIABLE_BYTES + 1)), ("RAW", "\udcff"), ("BASH_ENV", "x"), ("GOOD", "ü"))) == (
        Variable("GOOD", "ü"),
    )


@given(st.binary())
def test_any_report_is_read_without_an_exception(data: bytes) -> None:
    report_untrusted(data)
    report_untrusted(b"/w\n\0" + data + b"\0")


def test_the_last_whole_report_counts() -> None:
    first, second = b'/a\n\0declare -x A="1"\n\0', b'/b\n\0declare -x A="2"\n\0'
    report = report_untrusted(first + second + b"/c\n\0decl")
    assert report is not None
    assert (report.cwd, report.exported) == ("/b", (("A", "2"),))
