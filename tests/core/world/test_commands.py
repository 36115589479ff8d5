"""Judging scripts: which rule speaks of which command, what redirections and variables ask for, and what is said of it."""

from __future__ import annotations

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Preset, Rule, Verdict
from turnfold.core.world.commands import SHOWN, judged_script
from turnfold.core.world.verdicts import Allow, Ask, Deny, Permission


def judged(script: str, *rules: str, preset: Preset = Preset.ASK, cwd: str = "/w") -> Permission:
    """What is said of ``script`` under ``rules``, each a verdict, a kind and a pattern."""
    made = tuple(Rule(Verdict(verdict), kind, pattern) for verdict, kind, pattern in (rule.split(" ", 2) for rule in rules))
    return judged_script(script, cwd, ChatConfig(ProjectConfig(Config()), workspace="/w", roots=("/data",), rules=made, permission=preset))


@pytest.mark.parametrize(
    ("script", "rules", "allowed"),
    [
        ("make", ("allow run make",), True),
        ("make", ("allow run make *",), True),
        ("make test", ("allow run make *",), True),
        ("make test", ("allow run make",), False),
        ("makefoo", ("allow run make *",), False),
        ("make && npm test", ("allow run make *",), False),
        ("make && npm test", ("allow run make *", "allow run npm *"), True),
        ("make | head -5; cd src && ls", ("allow run make *",), True),
        ("/tmp/make x", ("allow run make *",), False),
        ("m'ak'e x", ("allow run make *",), True),
        ("git commit -m 'a b'", ("allow run git commit -m 'a b'",), True),
        ('git commit -m "a b"', ('allow run git commit -m "a b"',), True),
        ("make $x", ("allow run make *",), False),
        ("make *.o", ("allow run make *",), False),
        ("make $x", ("allow run *",), True),
        ("CI=1 make", ("allow run make *",), False),
        ("CI=1 make", ("allow run CI=1 make *",), True),
        ("CI=$x make", ("allow run CI=* make *",), False),
        ("git push -f", ("allow run git *",), False),
        ("git push -f", ("allow run git push -f",), True),
        ("sort -o '[a]' b", ("allow run sort -o '[[]a]' b",), True),
        ("sudo make", ("allow run make *",), False),
        ("sudo make", ("allow run sudo *",), False),
        ("sudo make", ("allow run sudo *", "allow run make *"), True),
        ("time nice make", ("allow run make *",), True),
        ("ls | xargs make", ("allow run make *",), False),
        ("bash -c 'make'", ("allow run make *",), True),
        ("bash -c 'make; rm x'", ("allow run make *", "allow run bash *"), False),
        ("cat x | bash", ("allow run bash *",), False),
        ("ssh h make", ("allow run ssh *",), False),
        ("ssh h make", ("allow run ssh h make",), True),
        ("source venv/bin/activate", ("allow run source *",), False),
        ("make", ("ask run make *", "allow run *"), False),
        ("make; ls", ("allow run *", "ask run make *"), True),
        ("ls; make x$y", ("ask run make *", "allow run *"), False),
        ("f() { ls; }", ("allow run ls",), False),
        ("f() { ls; }", ("allow run *",), True),
        ("f() { ls; }", ("ask run *",), False),
        ("make > out", ("allow run make *",), False),
        ("make > out", ("allow run make *", "allow write *"), True),
        ("make > /etc/out", ("allow run make *", "allow write *"), False),
        ("make > /etc/out", ("allow run *",), True),
        ("make > out", ("allow * *",), True),
        ("make 2>/dev/null < in", ("allow run make *",), True),
        ("make < /etc/in", ("allow run make *",), False),
        ("make < /data/in", ("allow run make *",), True),
        ("make > $x", ("allow run make *", "allow write *"), False),
        ("make < $x", ("allow run make *",), False),
        ("x=1; make", ("allow run make *",), True),
        ("for i in 1 2; do make; done", ("allow run make *",), True),
        ("PATH=/x; make", ("allow run make *",), False),
        ("PATH=/x; make", ("allow run make *", "allow run PATH=*"), True),
        ("PATH=$x; make", ("allow run make *", "allow run PATH=*"), False),
        ("PATH=$x; make", ("allow run *",), True),
        ("PATH=$x", ("ask run PATH=*", "allow run *"), False),
        ("http_proxy=x; make", ("allow run make *",), False),
        ("for PATH in x; do make; done", ("allow run make *",), False),
        ("alias ls=x", ("allow run make *",), False),
    ],
)
def test_rules_for_commands(script: str, rules: tuple[str, ...], allowed: bool) -> None:
    assert isinstance(judged(script, *rules), Allow) is allowed


@pytest.mark.parametrize(
    ("script", "pattern"),
    [
        ("rm x", "rm *"),
        ("rm", "rm *"),
        ("ls; rm x", "rm *"),
        ("A=1 sudo /bin/rm -rf x", "rm *"),
        ("ls | xargs rm", "rm *"),
        ("rm $x", "rm *"),
        ("f() { rm x; }", "rm *"),
        ("'rm' x && (", "rm *"),
        ("echo a.env", "*.env"),
        ("make", "*"),
    ],
)
def test_a_denial_finds_its_command(script: str, pattern: str) -> None:
    assert isinstance(judged(script, "allow * *", f"deny run {pattern}"), Deny)


def test_a_denied_file_is_denied_to_commands_that_look_and_to_redirections() -> None:
    assert judged("cat a.env", "deny read *.env") == Deny("A rule of the configuration denies this (read).")
    assert judged("make > a.env", "allow run *", "deny write *.env") == Deny("A rule of the configuration denies this (write).")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("ls; make  test", "It runs a command: make test"),
        ("git push -f", "It runs a command: git push -f (it can't be taken back)"),
        ("$x", "It runs a command that can't be read, for which program it runs is computed: $x"),
        ("'", "It can't be read: it is no bash that can be read."),
        ("ls > out", "It writes a file: out"),
        ("ls < /etc/x", "It reads a file: /etc/x"),
        ("ls > $x", "It writes a file whose name is computed: > $x"),
        ("A=1", "It sets a variable that programs may read: A=1"),
        ("cat '~/x'", "It reads a file in a home folder."),
        ("cat /etc/x", "It is outside the workspace."),
        ("cd .. && ls", "It is outside the workspace."),
        ("cd - && ls", "It runs a command: cd -; It is outside the workspace."),
        ("cd a; cd ..; cat ../x", "It is outside the workspace."),
        ("pushd a && ls", "It runs a command: pushd a; It is outside the workspace."),
        ("make " + "x" * 100, "It runs a command: " + ("make " + "x" * 100)[: SHOWN - 1] + "…"),
    ],
)
def test_the_question_says_which_part_is_asked_for(script: str, said: str) -> None:
    assert judged(script) == Ask(said)


def test_where_a_folder_is_entered_what_follows_may_happen_there() -> None:
    assert judged("cd src && cat ../x") == Ask("It is outside the workspace.")  # where there is no src
    assert judged("cd src && cat x") == Allow()
    assert judged("cd /w/src/../lib && cat x") == Allow()
    assert judged("cd /data && ls") == Allow()
    assert judged("cat ../x", cwd="/w/src") == Allow()
    assert judged("ls", cwd="/etc") == Ask("It is outside the workspace.")
    assert judged("pwd", cwd="/etc") == Allow()
    assert isinstance(judged("; ".join(f"cd {name}" for name in "abcdefgh") + "; cat x"), Ask)


def test_presets_over_commands() -> None:
    for script, said in (
        ("ls", (Allow, Allow, Allow, Allow)),
        ("make", (Deny, Ask, Ask, Allow)),
        ("ls > out", (Deny, Ask, Ask, Allow)),
        ("ls > .git/hooks/x", (Deny, Ask, Ask, Allow)),
        ("ls > /etc/x", (Deny, Ask, Ask, Allow)),
        ("ls > $x", (Deny, Ask, Ask, Allow)),
        ("'", (Deny, Ask, Ask, Allow)),
        ("A=1", (Deny, Ask, Ask, Allow)),
        ("cat ~", (Deny, Ask, Ask, Allow)),
        ("cat '~'", (Deny, Ask, Ask, Allow)),
        ("cat /etc/x", (Ask, Ask, Ask, Allow)),
    ):
        assert tuple(type(judged(script, preset=preset)) for preset in Preset) == said, script
    assert judged("make > out", "allow run *", preset=Preset.READ_ONLY) == Allow()
    edit = ChatConfig(ProjectConfig(Config()), workspace="/w", permission=Preset.EDIT)
    assert judged_script("ls > out", "/w", edit, confined=True) == Allow()
    assert isinstance(judged_script("ls > .git/x", "/w", edit, confined=True), Ask)
    assert judged("ls > out", "allow write *", preset=Preset.EDIT) == Allow()
    assert judged("make", "allow run make", preset=Preset.READ_ONLY) == Allow()
    assert isinstance(judged("make", "ask run make", preset=Preset.ALL), Ask)
    assert isinstance(judged("$x", "deny run rm *", preset=Preset.ALL), Ask)


def test_a_rule_with_a_long_command_is_denied_in_short() -> None:
    said = judged("make " + "x" * 200, "deny run make *")
    assert isinstance(said, Deny)
    assert len(said.reason) < 200


@pytest.mark.parametrize(
    "script", ["grep -rn KEY .", "grep --recursive KEY src", "rg --hidden KEY", "rg -g .env KEY", "ag KEY", "diff -r a b"]
)
def test_what_reads_all_files_of_a_folder_is_asked_for_where_a_rule_denies_reading(script: str) -> None:
    assert judged(script) == Allow()
    said = judged(script, "deny read *.env")
    assert isinstance(said, Ask)
    assert "a rule denies" in said.reason
    assert isinstance(judged(script, "deny * *.env", preset=Preset.READ_ONLY), Ask)
    assert judged(script, "deny write *.env") == Allow()
    assert judged(script, "deny read *.env", f"allow run {script}") == Allow()


def test_where_a_rule_denies_reading_what_names_its_files_needs_no_question() -> None:
    for script in ("cat a.py", "grep -n KEY a.py", "diff a b", "find . -name '*.py'", "ls -R"):
        assert judged(script, "deny read *.env") == Allow(), script


def test_a_folder_that_must_not_be_listed_is_looked_into_by_no_command() -> None:
    assert isinstance(judged("ls keys", "deny list keys"), Deny)
    assert isinstance(judged("cd keys && find", "deny list keys"), Deny)
    assert judged("ls src", "deny list keys") == Allow()
