"""The corpora of shell splitting and safety as data: reading and permission mean the same, but for what differences.json lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.corpora.differences import differences
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.bash.script import Way, Words
from turnfold.core.world.permission import Allow, permit
from turnfold.core.world.requests import RunProcess
from turnfold.core.world.safe import look

HERE = Path(__file__).parent
CORPORA = HERE.parents[1].parent / "shared" / "corpora"
TOPICS = ("shell_split", "shell_safety")
DIFFERENCES = {topic: differences(topic) for topic in TOPICS}

Case = dict[str, Any]  # JSON as the corpus has it


def allowed(script: str, *patterns: str) -> bool:
    """Whether ``script`` needs no question in /w, with what is allowed by these, each a kind and a pattern."""
    rules = tuple(Rule(Verdict.ALLOW, *pattern.split(" ", 1)) for pattern in patterns)
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=rules)
    return isinstance(permit(RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1), cfg), Allow)


def names(script: str) -> tuple[Words, ...]:
    return tuple(each.words for each in read_script(script).commands)


def split_alike(case: Case) -> bool:
    """What the reference refuses is unread here; what it splits holds, in the order of its parts, the commands that we read in the whole."""
    script = case["in"]["args"][0]
    if "error" in case:
        return bool(read_script(script).unread)
    return not read_script(script).unread and names(script) == sum((names(part) for part in case["out"]), ())


def matched(case: Case) -> bool:
    """The reference allows a few forms of gh and git by lists of its own: here that is a rule."""
    rules = ("run gh issue list *", "run gh pr list *", "run git log --oneline *")
    return allowed(case["in"]["args"][0], *rules) is case["out"]


def allow_listed(case: Case) -> bool:
    return allowed(case["in"]["args"][0]) is case["out"]


def deny_listed(case: Case) -> bool:
    """What the reference refuses at once is asked for here, even where a rule allows all that its programs do."""
    script = case["in"]["args"][0]
    patterns = tuple(f"run {each.name} *" for each in read_script(script).commands)
    return allowed(script, *patterns, "write *") is not case["out"][0]


def redirected(case: Case) -> bool:
    return any(each.way is Way.WRITE for each in read_script(case["in"]["args"][0]).redirections) is case["out"]


def piped(case: Case) -> bool:
    """A pipe in quotes splits nothing; one that is none leads to another command."""
    script = case["in"]["args"][0]
    return (len(names(script)) > 1) is (case["out"] is not None or "||" in script)


def quoted_alike(case: Case) -> bool:
    """What the reference calls quoted is one word, or a part of one."""
    script = case["in"]["args"][0]
    regions = tuple(script[begin:end] for begin, end in case["out"])
    words = tuple(word for command in names(script) for word in command)
    return all(read_script(f"x {region}").commands[0].words[1] in words for region in regions)


def documents_alike(case: Case) -> bool:
    """No line of a here-document is a command; where the reference finds none, every line is one, or the script is unread."""
    script = case["in"]["args"][0]
    if case["out"]:
        return not read_script(script).unread and names(script) == names(script[: script.index("<<")].rstrip('"'))
    return bool(read_script(script).unread) or len(names(script)) > 1


def flags_alike(case: Case) -> bool:
    return (look(read_script(case["in"]["args"][0]).commands[0]) is not None) is case["out"]


ALIKE: dict[str, Callable[[Case], bool]] = {
    "split_commands": split_alike,
    "_matches_gh_list": matched,
    "_matches_git_log_oneline": matched,
    "is_allowlisted": allow_listed,
    "is_denylisted": deny_listed,
    "_has_file_redirection": redirected,
    "_find_first_unquoted_pipe": piped,
    "_find_quotes": quoted_alike,
    "_find_heredoc_regions": documents_alike,
    "flags_permitted": flags_alike,
}


def cases(topic: str) -> tuple[Case, ...]:
    """The recorded cases of this topic; none where the corpora are not."""
    path = CORPORA / f"{topic}.json"
    return tuple(json.loads(path.read_text())) if path.exists() else ()


@pytest.mark.parametrize(
    ("topic", "case"),
    [(topic, case) for topic in TOPICS for case in cases(topic)],
    ids=lambda each: each["id"] if isinstance(each, dict) else each,
)
def test_case(topic: str, case: Case) -> None:
    alike = ALIKE.get(case["fn"].partition(":")[2])
    different = case["id"] in DIFFERENCES[topic]
    assert (alike is not None and alike(case)) is not different, case


def test_every_difference_is_of_a_case_and_has_a_reason() -> None:
    if not CORPORA.exists():
        pytest.skip(f"the corpora of recorded cases are not at {CORPORA}")
    for topic, told in DIFFERENCES.items():
        known = {case["id"] for case in cases(topic)}
        assert told.keys() <= known
        assert all(len(reason) > 10 for reason in told.values())


def test_the_corpora_are_there() -> None:
    if not CORPORA.exists():
        pytest.skip(f"the corpora of recorded cases are not at {CORPORA}")
    assert [len(cases(topic)) for topic in TOPICS] == [61, 271]
