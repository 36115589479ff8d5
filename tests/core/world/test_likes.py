"""The like of a request: the very rules that *always* adds."""

from __future__ import annotations

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Preset, Rule, Verdict
from turnfold.core.json import JsonObject
from turnfold.core.world.likes import likes
from turnfold.core.world.requests import (
    AskHuman,
    Browsing,
    CallMcp,
    CallPython,
    ChangeFiles,
    DeleteFile,
    FetchUrl,
    FormField,
    ReadFile,
    Request,
    RunProcess,
    RunPython,
    SearchChats,
    StartJob,
    UseBrowser,
    WriteFile,
)

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w")


def told(request: Request, cfg: ChatConfig = CFG) -> list[str]:
    assert all(rule.verdict.value == "allow" for rule in likes(request, cfg))
    return [f"{rule.kind} {rule.pattern}" for rule in likes(request, cfg)]


@pytest.mark.parametrize(
    ("script", "rules"),
    [
        ("git status -s", ["run git status *"]),
        ("make", ["run make *"]),
        ("pytest tests -x", ["run pytest *"]),
        ("npm run build -- -x", ["run npm run build *"]),
        ("npm test", ["run npm test *"]),
        ("git --version", ["run git *"]),
        ("python x.py 1", ["run python x.py *"]),
        ("python -m pytest -q", ["run python -m pytest *"]),
        ("bash x.sh", ["run bash x.sh *"]),
        ("CI=1 make", ["run CI=1 make *"]),
        ("cd src && ls | make", ["run make *"]),
        ("mkdir a; touch a/b", ["run mkdir *", "run touch *"]),
        ("make a; make b", ["run make a *", "run make b *"]),
        ("sudo -n apt install x", ["run sudo -n apt install *", "run apt install *"]),
        ("sudo", ["run sudo *"]),
        ("make > out/log 2>&1", ["write out/*", "run make *"]),
        ("make > log 2>/dev/null", ["write log", "run make *"]),
        ("make < in", ["run make *"]),
        ("timeout 5 make", ["run make *"]),
        ("'./a b' '[x]'", ["run './a b' *"]),
        ("x=1; make", ["run make *"]),
        ("git push -f", []),
        ("git push -f; make", []),
        ("make $x", []),
        ("eval $x", []),
        ("make; '", []),
        ("cat x | bash", []),
        ("PATH=/x; make", []),
        ("cat /etc/x b < /data", ["read /data", "read /etc/x"]),
        ("cat '~/x'", []),
        ("a1; a2; a3; a4; a5; a6; a7", []),
        ("python -c x", []),
    ],
)
def test_scripts(script: str, rules: list[str]) -> None:
    assert told(RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)) == rules
    assert told(StartJob(script=script, cwd="/w", environment=(), output_bytes=1)) == rules


@pytest.mark.parametrize(
    ("request_", "rules"),
    [
        (WriteFile(path="/w/src/a[1].py", text="", expected_digest=""), ["write src/*"]),
        (WriteFile(path="/w/a[1].py", text="", expected_digest=""), ["write a[[]1].py"]),
        (WriteFile(path="/etc/x", text="", expected_digest=""), ["write /etc/x"]),
        (ReadFile(path="/etc/x", limit_bytes=1), ["read /etc/x"]),
        (ChangeFiles((DeleteFile(path="/w/a/b", expected_digest=""), DeleteFile(path="/w/a/c", expected_digest=""))), ["write a/*"]),
        (FetchUrl(url="https://Example.com/x?y", limit_bytes=1, timeout_s=1), ["fetch example.com"]),
        (FetchUrl(url="https://a\\b", limit_bytes=1, timeout_s=1), []),
        (UseBrowser(action=Browsing.OPEN, target="http://a.org", timeout_s=1, output_bytes=1), ["browse a.org"]),
        (UseBrowser(action=Browsing.CLICK, target="#b", timeout_s=1, output_bytes=1), ["browse click"]),
        (UseBrowser(action=Browsing.SCREENSHOT, target="/w/a.png", timeout_s=1, output_bytes=1), []),
        (RunPython(code="1", cwd="/w", environment=(), timeout_s=1, output_bytes=1), []),
        (CallPython("f", JsonObject()), ["function f"]),
        (CallMcp(server="s", tool="t*", arguments=JsonObject(), timeout_s=1), ["mcp s/t[*]"]),
        (SearchChats(query="x", limit=1), ["chats *"]),
        (AskHuman(question="?", fields=(FormField(name="a"),)), []),
    ],
    ids=str,
)
def test_other_requests(request_: Request, rules: list[str]) -> None:
    assert told(request_) == rules


def test_what_is_denied_has_no_like() -> None:
    strict = ChatConfig(ProjectConfig(Config()), workspace="/w", permission=Preset.READ_ONLY)
    assert told(RunProcess(script="make", cwd="/w", environment=(), timeout_s=1, output_bytes=1), strict) == [
        "run make *"
    ]  # a rule would allow it


def test_the_like_of_what_reads_all_files_is_its_command_where_a_rule_denies_reading() -> None:
    denying = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=(Rule(Verdict.DENY, "read", "*.env"),))
    assert told(RunProcess(script="rg KEY | head", cwd="/w", environment=(), timeout_s=1, output_bytes=1), denying) == ["run rg *"]
