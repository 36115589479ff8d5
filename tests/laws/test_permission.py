"""Laws of permission: total, monotone in denials, ordered by preset; nothing around a command makes it allowed."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import KINDS, Preset, Rule, Verdict
from turnfold.core.json import JsonObject
from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.likes import likes
from turnfold.core.world.permission import Allow, Ask, Deny, Permission, permit
from turnfold.core.world.requests import (
    Browsing,
    CallMcp,
    ChangeFiles,
    DeleteFile,
    FetchUrl,
    ListFiles,
    ReadFile,
    Request,
    RunProcess,
    RunPython,
    SearchChats,
    UseBrowser,
    WriteFile,
)

PATHS = st.sampled_from(("/w/a", "/w/src/a.py", "/w/.git/config", "/etc/passwd", "/w/../x", "/w/turnfold.toml", "/data/x"))
COMMANDS = st.sampled_from(
    (
        "ls",
        "cat a",
        "cat /etc/passwd",
        "git status",
        "git push -f",
        "rm x",
        "make",
        "sort -o a b",
        "cd src",
        "cd /",
        "A=1 make",
        "PATH=/x",
        "echo $x",
        "eval $x",
        "python x.py",
        "sudo make",
        "find . -delete",
        "echo a > b",
        "echo a > /etc/b",
        "f() { ls; }",
        "env",
        "bash -c 'make'",
        "'",
    )
)
SCRIPTS = st.lists(COMMANDS, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from(("; ", " && ", " | ", "\n")).map(lambda join: join.join(parts))
)
URLS = st.sampled_from(
    (
        "https://example.com/a",
        "http://localhost",
        "https://a@example.com.evil.org",
        "file:///x",
        "https://example.com\\@b",
        "\u00e9",
        "http://[",
    )
)
PATTERNS = st.sampled_from(
    (
        "*",
        "git *",
        "git push -f",
        "make",
        "make *",
        "rm *",
        "src/*",
        "/etc/*",
        "*.py",
        "example.com",
        "https://example.com/*",
        "ls",
        "PATH=*",
        "A=1 make",
    )
)
RULES = st.lists(st.builds(Rule, st.sampled_from(Verdict), st.sampled_from(KINDS), PATTERNS), max_size=4).map(tuple)


def run(script: str) -> RunProcess:
    return RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)


REQUESTS: st.SearchStrategy[Request] = st.one_of(
    PATHS.map(lambda path: ReadFile(path=path, limit_bytes=1)),
    PATHS.map(lambda path: ListFiles(path=path, limit=1)),
    PATHS.map(lambda path: WriteFile(path=path, text="", expected_digest="")),
    st.lists(PATHS.map(lambda path: DeleteFile(path=path, expected_digest="")), max_size=2).map(lambda all_: ChangeFiles(tuple(all_))),
    SCRIPTS.map(run),
    SCRIPTS.map(lambda code: RunPython(code=code, cwd="/w", environment=(), timeout_s=1, output_bytes=1)),
    URLS.map(lambda url: FetchUrl(url=url, limit_bytes=1, timeout_s=1)),
    st.builds(UseBrowser, action=st.sampled_from(Browsing), target=URLS | PATHS, timeout_s=st.just(1.0), output_bytes=st.just(1)),
    st.just(SearchChats(query="x", limit=1)),
    st.just(CallMcp(server="s", tool="t", arguments=JsonObject(), timeout_s=1)),
)


def chat(rules: tuple[Rule, ...] = (), preset: Preset = Preset.ASK) -> ChatConfig:
    return ChatConfig(ProjectConfig(Config()), workspace="/w", roots=("/data",), rules=rules, permission=preset)


def rank(permission: Permission) -> int:
    """How much is allowed."""
    return (Deny, Ask, Allow).index(type(permission))


@given(st.text(), RULES, st.sampled_from(Preset))
def test_permit_is_total_on_any_text(text: str, rules: tuple[Rule, ...], preset: Preset) -> None:
    cfg = chat(rules, preset)
    for request in (
        run(text),
        FetchUrl(url=text, limit_bytes=1, timeout_s=1),
        ReadFile(path=text, limit_bytes=1),
        evolve(run("ls"), cwd=text),
    ):
        assert isinstance(permit(request, cfg), Allow | Ask | Deny)
        likes(request, cfg)


@given(REQUESTS, RULES, st.sampled_from(KINDS), PATTERNS, st.sampled_from(Preset))
def test_a_denial_that_is_added_never_allows_more(
    request_: Request, rules: tuple[Rule, ...], kind: str, pattern: str, preset: Preset
) -> None:
    more = (*rules, Rule(Verdict.DENY, kind, pattern))
    assert rank(permit(request_, chat(more, preset))) <= rank(permit(request_, chat(rules, preset)))


@given(REQUESTS, RULES)
def test_what_a_stricter_preset_allows_every_looser_one_allows(request_: Request, rules: tuple[Rule, ...]) -> None:
    ranks = [rank(permit(request_, chat(rules, preset))) for preset in (Preset.READ_ONLY, Preset.ASK, Preset.EDIT, Preset.ALL)]
    assert ranks == sorted(ranks)


AROUND = st.sampled_from(
    (
        "%s; ls",
        "ls; %s",
        "ls && %s",
        "ls | %s",
        "%s | cat",
        "( %s )",
        "{ %s; }",
        "ls $(%s)",
        'ls "$(%s)"',
        "ls `%s`",
        "cat <(%s)",
        "! %s",
        "time %s",
        "if %s; then ls; fi",
        "while ls; do %s; done",
        "case a in a) %s;; esac",
        "nohup %s",
        "env %s",
        "xargs %s",
        "timeout 9 %s",
        "command %s",
        "bash -c '%s'",
        "eval '%s'",
        "trap '%s' EXIT",
        "find . -exec %s \\;",
        "echo a # b\n%s",
        "cat <<E\nx\nE\n%s",
        "ls > out; %s",
        "A=1 %s",
        "f() { %s; }",
        "coproc %s",
        "x=$(%s)",
        "[[ -n $(%s) ]]",
        "echo ${x:-$(%s)}",
        "ls \\\n; %s",
    )
)


@given(
    st.sampled_from(("rm x", "make", "git push origin", "python x.py", "curl http://a")),
    st.lists(AROUND, max_size=3),
    st.sampled_from(Preset),
)
def test_nothing_around_a_command_makes_it_allowed(command: str, around: list[str], preset: Preset) -> None:
    rules = (
        Rule(Verdict.ALLOW, "run", "git status *"),
        Rule(Verdict.ALLOW, "write"),
        Rule(Verdict.ALLOW, "run", "bash *"),
        Rule(Verdict.ALLOW, "run", "find *"),
    )
    script = command
    for frame in around:
        script = frame.replace("%s", script)
    said = permit(run(script), chat(rules, preset))
    assert isinstance(said, Allow) is (preset is Preset.ALL), script


@given(st.sampled_from(("rm x", "/bin/rm -rf x", "r''m x")), st.lists(AROUND, max_size=2))
def test_a_denied_command_is_denied_wherever_it_can_be_read(command: str, around: list[str]) -> None:
    script = command
    for frame in around:
        script = script if any(quote in frame and quote in script for quote in "'`") else frame.replace("%s", script)
    assert isinstance(permit(run(script), chat((Rule(Verdict.ALLOW), Rule(Verdict.DENY, "run", "rm *")))), Deny), script


@given(SCRIPTS, st.lists(AROUND, max_size=2))
def test_what_cannot_be_read_is_never_allowed_where_commands_are_denied(command: str, around: list[str]) -> None:
    script = command
    for frame in around:
        script = frame.replace("%s", script)
    read = read_script(script)
    if read.unread or any(each.unread for each in read.commands):
        assert not isinstance(permit(run(script), chat((Rule(Verdict.ALLOW), Rule(Verdict.DENY, "run", "rm *")))), Allow), script
        assert isinstance(permit(run(script), chat((Rule(Verdict.ALLOW),))), Allow), script


@given(REQUESTS, RULES, st.sampled_from((Preset.ASK, Preset.EDIT)))
def test_the_like_allows_what_it_was_made_of_and_nothing_that_is_denied(request_: Request, rules: tuple[Rule, ...], preset: Preset) -> None:
    cfg = chat(rules, preset)
    found = likes(request_, cfg)
    assert all(rule.verdict is Verdict.ALLOW and (rule.kind == "chats" or rule.pattern != "*") for rule in found)
    if found:
        assert not isinstance(permit(request_, cfg), Deny)
        assert permit(request_, evolve(cfg, rules=(*found, *rules))) == Allow()
