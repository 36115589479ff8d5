"""The reader against bash itself: whatever bash runs of a script that was read is among the commands that were read.

Bash is run with no program at hand, so that each command ends in its handler for unknown ones, which says what it was called with.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.bash.script import Script, Words

BASH = shutil.which("bash")
HANDLER = "command_not_found_handle() { { printf '%s\\1' \"$@\" $'\\2'; } >&9; return 0; }\n"
WORDS = (
    "a|b|-x|--y=1|foo|=|a=b|{}|[|1|'a b'|\"a b\"|a\\ b|a\\;b|'$(b)'|\"\\$(b)\"|#b|a#b|'#'|a'b'\"c\"|$'a\\nb'|\"a\\\\\"|''|{a,b}|~|*|[a]|if|then|done|}|{|"
    '!|\'\n\'|\\#|a\\\nb|"\'"|$|a$|$\'\\\'; b; \'|$x|${x}|"$x"|${x:-b}|$1|$((1+2))|$?|${x@P}|${x:=b}|$(c)|"$(c d)"|`c`|<(c)|a$(b)c|${x:-$(b)}|"a `b` c"'
).split("|")
REDIRECTIONS = ">f|> f|2>f|>>f|&>f|2>&1|>&2|>&f|<f|>'f g'|>f\\ g|>$x|2>/dev/null|<<<a|>&-|{fd}>f|&>>f|>fa b|>& --f".split("|")
NAMES = (
    "a|b|foo|'a'|a\\b|\"b\"|command a|env a|time a|time -p a|! a|eval a|eval 'a; b'|builtin a|trap 'b c' EXIT;|export X=1;|unset x;|local y;|coproc a|"
    "[ a = b ];|[[ a == b ]];|[[ -n $(b) ]];|A=1|A=1 B='a b' a|C=$(b)|:|true;|read x;|time -p -p a|time A=1 a"
).split("|")
JOINS = "; |\n| && | \\|\\| | & |;|&| # c\n|;# d\n|\n# e '\n| #'\n| &&\n".replace("\\|\\|", "OR").split("|")
FRAMES = (
    "%s|(%s)|{ %s; }|if %s; then b; fi|if a; then %s; else c; fi|while %s; do break; done|for i in a b; do %s; done|case a in a) %s;; *) b;; esac|"
    "f() { %s; }; f|! %s|time %s|{ %s\n} > f|if [ -f x ]; then %s; fi|[[ -n a ]] && %s|eval '%s'|%s &|a=$(%s)|b \"$(%s)\"|$(%s)|`%s`|a <<E\n%s\nE\n|"
    "a <<'E' > f\n%s\nE\nb|a <<-E ; b\n\t%s\n\tE\n|a <<E 'x\nE\n%s\nE\n|if';%s #'\nb; then :; fi"
).split("|")


@st.composite
def scripts(draw: st.DrawFn) -> str:
    """Scripts of all shapes, some of them with a slip."""
    commands: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        parts = [draw(st.sampled_from(NAMES)), *draw(st.lists(st.sampled_from(WORDS) | st.sampled_from(REDIRECTIONS), max_size=3))]
        commands.append(draw(st.sampled_from((" ", " ", "  ", "\t", " \\\n"))).join(parts))
    joined = draw(st.sampled_from(JOINS)).replace("OR", "||").join(commands)
    script = draw(st.sampled_from(FRAMES)) % joined
    if draw(st.booleans()):
        return script
    at = draw(st.integers(0, len(script)))
    return (
        script[:at]
        + draw(st.sampled_from(("'", '"', "`", "\\", "#", "$(", ")", "\n", ";", "&", ">", "<", " ", "\\\n", "", "}", "|")))
        + script[at + 1 :]
    )


def run_by_bash(script: str, folder: Path) -> tuple[tuple[str, ...], ...]:
    """The commands that bash runs of ``script``."""
    said, say = os.pipe()
    start = f'exec 9>&{say} {say}>&-\nPATH=/nowhere\n{HANDLER}builtin eval -- "$1"'
    command = (str(BASH), "--norc", "--noprofile", "-c", start, "bash", script)
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(
        command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, pass_fds=(say,), start_new_session=True, env={"LC_ALL": "C.UTF-8"}
    )
    os.close(say)
    told = b""
    try:
        child.wait(10)
        while select.select([said], [], [], 10)[0] and (data := os.read(said, 65536)):
            told += data
    finally:
        os.close(said)
    return tuple(tuple(each.decode().split("\1")[:-1]) for each in told.split(b"\2\1")[:-1])


def fits(words: Words, run: tuple[str, ...]) -> bool:
    """Whether ``words``, computed ones standing for any number of words, may have become ``run``."""
    if not words:
        return not run
    if words[0] is None:
        return any(fits(words[1:], run[at:]) for at in range(len(run) + 1))
    return bool(run) and words[0] == run[0] and fits(words[1:], run[1:])


def told_all(read: Script, script: str) -> None:
    """Bash runs nothing of ``script``, and writes no file, that ``read`` does not hold."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = run_by_bash(script, Path(folder))
        written = {path.name for path in Path(folder).iterdir()}
    for each in run:
        assert any(fits(command.words, each) for command in read.commands), (script, each)
    targets = {each.target for each in read.redirections}
    assert None in targets or written <= targets, (script, written)


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@settings(max_examples=300, deadline=None)
@given(scripts())
def test_whatever_bash_runs_was_read(script: str) -> None:
    read = read_script(script)
    if not read.unread and not any(each.unread for each in read.commands):
        told_all(read, script)


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("script", "run"),
    [
        ("a 'b c' \"d\"e; f $(g)", [("g",), ("a", "b c", "de"), ("f",)]),
        ("if a; then b; else c; fi", [("a",), ("b",)]),
        ("cat <<'E'\n$(rm x)\nE\nls", [("cat",), ("ls",)]),
        ("eval 'a; b'", [("a",), ("b",)]),
    ],
)
def test_the_comparison_sees_what_runs(script: str, run: list[tuple[str, ...]], tmp_path: Path) -> None:
    assert sorted(run_by_bash(script, tmp_path)) == sorted(run)
    told_all(read_script(script), script)


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_a_command_that_was_not_read_is_told() -> None:
    with pytest.raises(AssertionError):
        told_all(read_script("a"), "a; b")
    with pytest.raises(AssertionError):
        told_all(read_script("a"), "a > f")
