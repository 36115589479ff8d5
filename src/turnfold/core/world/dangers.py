"""Forms of commands that do more than their name says: options that run other programs, that write files, that can't be taken back.

A rule such as ``git *`` is written with the usual in mind, so it does not allow these; ``*`` does, and a rule that names the very command.
A list like this is never complete: it keeps an accident from happening, it is no wall. That is the sandbox's part.
"""

from __future__ import annotations

import re
from typing import final

from attrs import frozen

from turnfold.core.world.bash.script import Words
from turnfold.core.world.bash.wrappers import INTERPRETERS, SHELLS

RUNS = "it can run another program"
WRITES = "it writes a file of its own choice"
LOSES = "it can't be taken back"
CODE = "it runs code that stands in the command"
ELSEWHERE = tuple(
    (
        "ssh mosh rsh su runuser pkexec chroot unshare nsenter systemd-run at batch watch parallel script flock entr expect screen tmux busybox "
        "toybox docker podman kubectl strace ltrace gdb lldb valgrind proot fakeroot firejail bwrap dbus-run-session start-stop-daemon source ."
    ).split()
)  # they run what their words say, in ways of their own
FINAL = tuple("killall pkill shutdown reboot halt poweroff shred mkfs fdisk parted wipefs mkswap dd crontab".split())


@final
@frozen(kw_only=True)
class Danger:
    """Options of a program, and why they are a danger: ``longs`` by their names, abbreviated or not; ``letters`` in any row of letters."""

    name: str
    longs: tuple[str, ...] = ()
    letters: str = ""
    why: str = RUNS


DANGERS: tuple[Danger, ...] = (
    Danger(name="find", longs=("-exec", "-execdir", "-ok", "-okdir")),
    Danger(name="find", longs=("-delete",), why=LOSES),
    Danger(name="find", longs=("-fprint", "-fprint0", "-fprintf", "-fls"), why=WRITES),
    Danger(name="sort", longs=("--output",), letters="o", why=WRITES),
    Danger(name="sort", longs=("--compress-program",)),
    Danger(name="rg", longs=("--pre", "--hostname-bin", "--search-zip"), letters="z"),
    Danger(name="ag", longs=("--pager",)),
    Danger(name="tree", letters="o", why=WRITES),
    Danger(name="file", longs=("--compile", "--magic-file"), letters="Cm", why=WRITES),
    Danger(
        name="tar",
        longs=(
            "--to-command",
            "--use-compress-program",
            "--checkpoint-action",
            "--info-script",
            "--new-volume-script",
            "--rsh-command",
            "--rmt-command",
        ),
        letters="IF",
    ),
    Danger(name="tar", longs=("--absolute-names", "--remove-files"), letters="P", why=WRITES),
    Danger(name="rsync", longs=("--rsh", "--rsync-path"), letters="e"),
    Danger(name="rsync", longs=("--delete", "--remove-source-files"), why=LOSES),
    Danger(name="scp", letters="oS"),
    Danger(name="sftp", letters="oSb"),
    Danger(name="curl", longs=("--output", "--remote-name", "--output-dir", "--cookie-jar", "--dump-header"), letters="oOcDJ", why=WRITES),
    Danger(name="curl", longs=("--config", "--upload-file", "--engine"), letters="KT"),
    Danger(name="wget", longs=("--output-document", "--output-file", "--directory-prefix"), letters="OoP", why=WRITES),
    Danger(name="wget", longs=("--execute", "--use-askpass", "--config", "--post-file", "--body-file"), letters="e"),
    Danger(name="make", longs=("--eval", "--file", "--makefile", "--directory"), letters="fC"),
    Danger(name="zip", longs=("--unzip-command",), letters="T"),
    Danger(name="man", longs=("--pager", "--html", "--preprocessor"), letters="PHp"),
    Danger(name="vim", letters="cSu"),
    Danger(name="vi", letters="cSu"),
    Danger(name="nvim", letters="cSu"),
    Danger(name="emacs", longs=("--eval", "--load", "--funcall", "--execute"), letters="lf"),
    Danger(name="sed", longs=("--in-place", "--file"), letters="if", why=WRITES),
    Danger(name="awk", longs=("--file", "--include", "--load", "--exec"), letters="filE"),
    Danger(name="gawk", longs=("--file", "--include", "--load", "--exec"), letters="filE"),
    Danger(name="go", longs=("-exec", "-toolexec", "-vettool")),
    Danger(name="cargo", longs=("--config",)),
    Danger(name="npm", longs=("--script-shell", "--prefix")),
    Danger(name="pytest", longs=("--pastebin",), why="it sends what it finds to a server"),
    Danger(name="chown", letters="R", why=LOSES),
    Danger(name="xxd", letters="r", why=WRITES),
    Danger(name="ctags", longs=("--options",)),
    Danger(name="date", longs=("--set",), letters="s", why="it sets the clock"),
)
AWK_ACTS = re.compile(r"\bsystem\b|\bgetline\b|\||>")
SED_ACTS = re.compile(r"(?:^|[;{}\n0-9$/!,]\s*)[eEwW](?:\s|$)|[/|#,][gipIM0-9]*[ew][gipIM0-9]*\s*(?:$|[;\n}])|[eEwW]\s+\S")
GIT_OPTIONS = ("-c", "--exec-path", "--config-env", "--git-dir", "--work-tree", "--namespace", "--super-prefix")
GIT_RUNS = tuple(
    (
        "--upload-pack --receive-pack --exec --extcmd --open-files-in-pager --ext-diff --textconv --config --template --use-askpass --gpg-sign "
        "--strategy-option"
    ).split()
)
GIT_WORDS: tuple[tuple[str, tuple[str, ...], str], ...] = (  # subcommand, words one of which makes it a danger (none: always), why
    ("filter-branch", (), LOSES),
    ("filter-repo", (), LOSES),
    ("config", (), RUNS),
    ("difftool", (), RUNS),
    ("mergetool", (), RUNS),
    ("submodule", ("foreach", "add", "update"), RUNS),
    ("bisect", ("run",), RUNS),
    ("rebase", ("-x", "-i", "--interactive"), RUNS),
    ("grep", ("-O",), RUNS),
    ("remote-ext", (), RUNS),
    ("send-email", (), RUNS),
    ("clean", (), LOSES),
    ("reset", ("--hard", "--merge", "--keep"), LOSES),
    ("push", ("-f", "--force", "--force-with-lease", "--force-if-includes", "--mirror", "--delete", "-d", "--prune"), LOSES),
    ("checkout", ("-f", "--force", "--", "."), LOSES),
    ("switch", ("-f", "--force", "--discard-changes"), LOSES),
    ("restore", (), LOSES),
    ("branch", ("-D", "-d", "--delete", "-f", "--force", "-M"), LOSES),
    ("tag", ("-d", "--delete", "-f", "--force"), LOSES),
    ("stash", ("drop", "clear"), LOSES),
    ("reflog", ("expire", "delete"), LOSES),
    ("gc", ("--prune", "--aggressive"), LOSES),
    ("prune", (), LOSES),
    ("update-ref", (), LOSES),
    ("worktree", ("remove", "-f", "--force"), LOSES),
    ("rm", ("-f", "-r", "-rf", "-fr", "--force"), LOSES),
    ("add", (".", "-A", "--all", "-u", "--update", "*", ":/", "./"), "it takes in whatever lies there"),
    ("stage", (".", "-A", "--all", "-u", "--update", "*", ":/", "./"), "it takes in whatever lies there"),
    ("archive", ("-o", "--output"), WRITES),
    ("bundle", (), WRITES),
    ("diff", ("--output",), WRITES),
    ("log", ("--output",), WRITES),
    ("show", ("--output",), WRITES),
    ("format-patch", ("-o", "--output-directory", "--output"), WRITES),
)


def danger(words: Words) -> str:
    """Why a command with these words is asked for although its name is allowed; empty where nothing is known against it.

    >>> danger(("sort", "-no", "out", "in")), danger(("sort", "-n", "in"))
    ('it writes a file of its own choice', '')
    """
    known = tuple(word or "" for word in words)
    name = known[0].rpartition("/")[2].lower()
    if name == "git":
        return _git(known[1:])
    if name in ELSEWHERE:
        return RUNS
    if name in FINAL or name.startswith("mkfs."):
        return LOSES
    found = next((each.why for each in DANGERS if each.name == name and any(_meant(each, word) for word in known[1:])), "")
    return found or _by_words(name, known[1:])


def _meant(danger: Danger, word: str) -> bool:
    """Whether ``word`` is one of the options of ``danger``: whole, abbreviated, or in a row of letters."""
    option = word.partition("=")[0]
    if option.startswith("--"):
        return len(option) > 2 and any(each.startswith(option) for each in danger.longs)
    if not option.startswith("-") or len(option) < 2:
        return False
    return option in danger.longs or any(letter in word[1:] for letter in danger.letters)


def _by_words(name: str, words: tuple[str, ...]) -> str:
    """Dangers that stand in what is no option."""
    if name in SHELLS or INTERPRETERS.fullmatch(name):
        inline = any(
            word.startswith("-") and not word.startswith("--") and any(letter in word for letter in "ceEpnr") for word in _options(words)
        )
        return CODE if inline or any(word in ("--eval", "--print", "--command") for word in words) else ""
    if name in ("awk", "gawk", "mawk", "nawk"):
        return RUNS if any(AWK_ACTS.search(word) for word in words) else ""
    if name in ("sed", "gsed"):
        return RUNS if any(SED_ACTS.search(word) for word in words) else ""
    if name == "chmod":
        open_to_all = any(re.fullmatch(r"0?[0-7]?[0-7]?[2367]|[0-7]?777|[ugoa]*[ao][ugoa]*[+=][rwxXst]*w[rwxXst]*", word) for word in words)
        return "it opens files to everybody" if open_to_all else ""
    if name in ("rm", "mv", "cp", "ln", "tee", "truncate"):
        return _removal(name, words)
    if name == "make":
        return RUNS if any(word.startswith(("SHELL=", "MAKEFLAGS=", "MAKEFILES=")) for word in words) else ""
    if name == "kill":
        return LOSES if any(word in ("-1", "0", "1") for word in words) else ""
    return ""


def _options(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words before the first that is no option: those behind it are the script's own."""
    first = next((at for at, word in enumerate(words) if not word.startswith("-")), len(words))
    module = next((at for at, word in enumerate(words) if word == "-m"), len(words))
    return words[: min(first, module)]


def _removal(name: str, words: tuple[str, ...]) -> str:
    """Files far from here: the root, the home, a folder above."""
    far = any(word.startswith(("/", "~")) or ".." in word.split("/") for word in words)
    if name == "rm":
        return LOSES if far or any(word in (".", "./", ".git") for word in words) else ""
    return "it writes outside of where it runs" if far else ""


def _git(words: tuple[str, ...]) -> str:
    """What git's words are: options of its own, a subcommand, its words."""
    rest = words
    while rest and rest[0].startswith("-"):
        if any(rest[0] == option or rest[0].startswith((f"{option}=", "-c")) for option in GIT_OPTIONS):
            return RUNS
        rest = rest[2:] if rest[0] == "-C" else rest[1:]
    if not rest:
        return ""
    subcommand, after = rest[0].lower(), rest[1:]
    if any(word.startswith("--") and any(_long_is(word, option) for option in GIT_RUNS) for word in after) or any(
        word.startswith("ext::") for word in after
    ):
        return RUNS
    if subcommand == "commit" and any(
        (re.match(r"-[A-Za-z]*a", word) and not word.startswith("--")) or _long_is(word, "--all") for word in after
    ):
        return "it takes in whatever was changed"
    if subcommand == "push" and any(word.startswith(("+", ":")) for word in after):
        return LOSES
    for name, marks, why in GIT_WORDS:
        if name == subcommand and (not marks or any(_long_is(word, mark) for word in after for mark in marks)):
            return why
    return ""


def _long_is(word: str, option: str) -> bool:
    """Whether ``word`` is ``option``, with a value or not, abbreviated or not; ``-o`` with its value attached, too."""
    if not option.startswith("--"):
        return word == option or (option in ("-o", "-O", "-x") and word.startswith(option))
    name = word.partition("=")[0]
    return name == option or (len(name) > 4 and name.startswith("--") and option.startswith(name))
