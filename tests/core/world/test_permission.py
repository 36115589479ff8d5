"""Permission: denials win, then the highest layer's first rule, then caution."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.config.briefing import Briefing, Skill
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Provider, Rule, Verdict
from turnfold.core.world.permission import Allow, Ask, Deny, Permission, permit, relative
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, Request, RunProcess, RunPython, WriteFile

MODEL = CallModel(provider=Provider(name="a", base_url="b"), model="c", upto=1)


def chat(*rules: Rule, workspace: str = "/w") -> ChatConfig:
    return ChatConfig(ProjectConfig(Config(rules=rules)), workspace=workspace)


def read(path: str) -> Request:
    return ReadFile(path=path, limit_bytes=1)


def write(path: str) -> Request:
    return WriteFile(path=path, text="", expected_digest="")


def run(script: str) -> Request:
    return RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)


def python(code: str) -> Request:
    return RunPython(code=code, cwd="/w", environment=(), timeout_s=1, output_bytes=1)


@pytest.mark.parametrize(
    ("request_", "decided"),
    [
        (MODEL, Allow()),
        (read("/w/a"), Allow()),
        (ListFiles(path="/w", limit=1), Allow()),
        (read("/etc/passwd"), Ask("It is outside the workspace.")),
        (read("/w/../etc/passwd"), Ask("It is outside the workspace.")),
        (read("/wx/a"), Ask("It is outside the workspace.")),
        (write("/etc/passwd"), Ask("It is outside the workspace.")),
        (write("/w/a"), Ask("It changes a file.")),
        (run("ls"), Allow()),
        (run("ls /etc"), Ask("It is outside the workspace.")),
        (run("make"), Ask("It runs a command: make")),
        (python("1"), Ask("It runs code.")),
    ],
    ids=str,
)
def test_without_rules(request_: Request, decided: Permission) -> None:
    assert permit(request_, chat()) == decided


@pytest.mark.parametrize(
    ("rule", "request_", "allowed"),
    [
        (Rule(Verdict.ALLOW), write("/etc/x"), True),
        (Rule(Verdict.ALLOW, "write"), write("/w/x"), True),
        (Rule(Verdict.ALLOW, "write"), write("/etc/x"), False),
        (Rule(Verdict.ALLOW, "write", "/etc/*"), write("/etc/x"), True),
        (Rule(Verdict.ALLOW, "write", "src/*"), write("/w/src/x"), True),
        (Rule(Verdict.ALLOW, "write", "src/*"), write("/w/src/../x"), False),
        (Rule(Verdict.ALLOW, "read"), write("/w/x"), False),
        (Rule(Verdict.ALLOW, "run", "git *"), run("git status"), True),
        (Rule(Verdict.ALLOW, "run", "git *"), run("git status; rm -rf ."), False),
        (Rule(Verdict.ALLOW, "run", "git *"), run("git $(rm -rf .)"), False),
        (Rule(Verdict.ALLOW, "run", "git *"), run("git status\nrm -rf ."), False),
        (Rule(Verdict.ALLOW, "run"), run("a; b"), True),
        (Rule(Verdict.ASK, "run", "*"), run("ls"), False),
    ],
    ids=str,
)
def test_one_rule(rule: Rule, request_: Request, allowed: bool) -> None:
    assert isinstance(permit(request_, chat(rule)), Allow) is allowed


@pytest.mark.parametrize("path", ["/etc/x", "//etc/x", "///etc/x", "/w/../etc/x", "/etc/./x", "//w/../etc/x"])
def test_a_denial_is_not_evaded_by_spelling(path: str) -> None:
    cfg = chat(Rule(Verdict.ALLOW), Rule(Verdict.DENY, "*", "/etc/*"))
    assert isinstance(permit(read(path), cfg), Deny)


@given(path=st.lists(st.sampled_from(("a", ".", "..", "", "w")), max_size=6).map("/".join))
def test_what_is_inside_stays_inside(path: str) -> None:
    seen = relative(f"//w/{path}", "/w")
    assert seen.startswith("/") or ".." not in seen.split("/")
    assert seen == relative(f"/w/{path}", "//w/")


def test_a_denial_wins_whatever_its_layer() -> None:
    user = Config(rules=(Rule(Verdict.DENY, "run", "rm *"),))
    cfg = ChatConfig(ProjectConfig(user, rules=(Rule(Verdict.ALLOW),)), workspace="/w")
    assert isinstance(permit(run("rm a; b"), cfg), Deny)
    assert isinstance(permit(run("ls"), cfg), Allow)


def test_the_first_rule_that_speaks_decides() -> None:
    assert isinstance(permit(run("ls"), chat(Rule(Verdict.ASK, "run", "ls"), Rule(Verdict.ALLOW))), Ask)
    assert isinstance(permit(run("ls"), chat(Rule(Verdict.ALLOW), Rule(Verdict.ASK, "run", "ls"))), Allow)


def test_the_root_as_workspace_holds_everything() -> None:
    assert relative("/", "/") == "."
    assert relative("/a/b", "/") == "a/b"


ROOTED = evolve(
    chat(),
    roots=("/data", "data"),
    briefing=Briefing(skills=(Skill(name="s", description="d", path="/home/me/skills/s/SKILL.md"),)),
)


@pytest.mark.parametrize("path", ["/data", "/data/a/b", "//data/./a", "/home/me/skills/s/SKILL.md", "/home/me/skills/s/more/x.py"])
def test_extra_roots_and_the_folders_of_skills_are_read_as_the_workspace_is(path: str) -> None:
    assert permit(read(path), ROOTED) == Allow()
    assert permit(ListFiles(path=path, limit=1), ROOTED) == Allow()
    assert permit(write(path), ROOTED) == Ask("It is outside the workspace.")


@pytest.mark.parametrize("path", ["/database/x", "/data/../etc/passwd", "/home/me/skills/t/SKILL.md", "/home/me/skills", "/", "/home"])
def test_what_is_beside_them_is_not(path: str) -> None:
    assert permit(read(path), ROOTED) == Ask("It is outside the workspace.")


@pytest.mark.parametrize("pattern", ["*.env", "/data/*", "secret/*", "*"])
def test_a_rule_speaks_of_a_root_as_of_the_workspace(pattern: str) -> None:
    for verdict, decided in ((Verdict.DENY, Deny), (Verdict.ASK, Ask)):
        cfg = evolve(ROOTED, rules=(Rule(verdict, "read", pattern),))
        assert isinstance(permit(read("/data/secret/.env"), cfg), decided)
