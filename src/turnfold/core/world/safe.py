"""Commands that only look: which may run without a question, since a file tool could have told the same.

A command is one of them when the table knows all of its options. What it looks at is judged as reading those paths is. Nothing that
runs another program is in the table, nor what a file of the project can make run one: ``git status`` runs what ``.git/config`` names
(``core.fsmonitor``), so it is asked for until a rule allows it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import assert_never, final

from attrs import evolve, frozen

from turnfold.core.world.bash.script import Command


class Operands(Enum):
    """What the words of a command are that are no options."""

    PATHS = "paths"
    PATTERN = "a pattern, then paths"
    ONE_PATH = "one path"  # a second one would be written
    TEXT = "text"
    NONE = "none"


@final
@frozen(kw_only=True)
class Safe:
    """A command and the options with which it only looks.

    ``flags`` and ``valued``: letters; ``longs`` and ``long_valued``: names without dashes, those that may take ``=value`` among the second.
    """

    name: str
    flags: str = ""
    valued: str = ""
    longs: str = ""
    long_valued: str = ""
    operands: Operands = Operands.PATHS
    here: bool = True  # it looks at the folder that it runs in


@final
@frozen
class Look:
    """What a command looks at: paths, as they were written; ``deep``: and it may show what is in any file below them."""

    paths: tuple[str, ...]
    deep: bool = False


HARMLESS = ("LC_ALL", "LC_CTYPE", "LC_COLLATE", "LC_NUMERIC", "LC_TIME", "LANG", "TZ", "NO_COLOR", "COLUMNS", "LINES", "TERM")
CONTEXT = "context after-context before-context max-count color colour"
SAFE: tuple[Safe, ...] = (
    Safe(
        name="ls",
        flags="1AaBbCcdFfGgHhiklLmNnopqQrRsStuUvxXZ",
        valued="ITw",
        longs="all almost-all directory group-directories-first human-readable inode recursive reverse size full-time author no-group",
        long_valued="time-style color sort time ignore hide format indicator-style block-size",
    ),
    Safe(name="cat", flags="AbeEnstTuv", longs="number number-nonblank show-all show-ends show-tabs squeeze-blank"),
    Safe(name="tac", flags="br"),
    Safe(name="nl", flags="p", valued="bdfhilnsvw"),
    Safe(name="head", flags="qvz", valued="nc", longs="quiet verbose", long_valued="lines bytes"),
    Safe(name="tail", flags="fFqvz", valued="ncs", longs="quiet verbose follow retry", long_valued="lines bytes sleep-interval pid"),
    Safe(name="wc", flags="clmwL", longs="lines words bytes chars max-line-length"),
    Safe(name="stat", flags="fLt", valued="c", longs="dereference file-system terse", long_valued="format printf"),
    Safe(name="file", flags="bikNprh0", longs="brief mime mime-type mime-encoding keep-going no-pad raw"),
    Safe(
        name="du",
        flags="0abcHhkmsSx",
        valued="dBt",
        longs="all apparent-size bytes human-readable summarize total one-file-system",
        long_valued="max-depth exclude threshold time block-size",
    ),
    Safe(
        name="df",
        flags="ahHiklPT",
        valued="tx",
        longs="all human-readable inodes local portability print-type total",
        long_valued="type exclude-type output",
    ),
    Safe(
        name="tree",
        flags="acCdDfFghiJnNpqQrsStuUvX",
        valued="LPI",
        longs="dirsfirst filesfirst prune noreport gitignore du si inodes device metafirst",
        long_valued="filelimit sort charset timefmt",
    ),
    Safe(
        name="sort",
        flags="bcCdfghiMmnrRsuVz",
        valued="ktS",
        longs="reverse numeric-sort human-numeric-sort version-sort general-numeric-sort unique ignore-case ignore-leading-blanks dictionary-order stable zero-terminated check",
        long_valued="key field-separator sort",
    ),
    Safe(
        name="uniq",
        flags="cdDiuz",
        valued="fsw",
        longs="count repeated unique ignore-case",
        long_valued="skip-fields skip-chars check-chars",
        operands=Operands.ONE_PATH,
    ),
    Safe(
        name="cut",
        flags="nsz",
        valued="bcdf",
        longs="only-delimited complement zero-terminated",
        long_valued="bytes characters delimiter fields output-delimiter",
    ),
    Safe(name="paste", flags="sz", valued="d"),
    Safe(name="comm", flags="123z"),
    Safe(name="cmp", flags="bls", valued="n"),
    Safe(
        name="diff",
        flags="abBcdEeilnNpqrstTuwyZ",
        valued="CUWxI",
        longs="brief recursive unified side-by-side ignore-all-space ignore-blank-lines ignore-case new-file report-identical-files",
        long_valued="color unified context exclude width",
    ),
    Safe(name="md5sum", flags="bt"),
    Safe(name="sha1sum", flags="bt"),
    Safe(name="sha256sum", flags="bt"),
    Safe(name="cksum"),
    Safe(name="readlink", flags="efmnqsz"),
    Safe(name="realpath", flags="emLPqsz"),
    Safe(
        name="grep",
        flags="abcEFGHhIiLlnoPqrsUvwxyzZ",
        valued="emABC",
        longs="basic-regexp byte-offset count extended-regexp files-with-matches files-without-match fixed-strings ignore-case invert-match "
        "line-number line-regexp no-filename no-messages null only-matching perl-regexp quiet recursive silent text with-filename word-regexp",
        long_valued=f"{CONTEXT} regexp include exclude exclude-dir binary-files label",
        operands=Operands.PATTERN,
    ),
    Safe(
        name="rg",
        flags="0abcFHhiIlnNoPpqsSuUvwx",
        valued="eABCgtTmMjdrE",
        longs="json no-heading heading no-ignore hidden stats files files-with-matches files-without-match fixed-strings ignore-case invert-match "
        "line-number no-line-number line-regexp multiline multiline-dotall no-filename with-filename no-messages only-matching pcre2 pretty "
        "quiet smart-case case-sensitive text trim type-list unrestricted vimgrep word-regexp column count count-matches no-config debug null",
        long_valued=f"{CONTEXT} type type-not sort sortr glob iglob regexp max-columns max-depth max-filesize threads replace encoding engine colors",
        operands=Operands.PATTERN,
    ),
    Safe(
        name="ag",
        flags="acHiLlnQsSuUvw",
        valued="ABCGgm",
        longs="ackmate all-text case-sensitive column count files-with-matches files-without-matches fixed-strings heading hidden ignore-case "
        "invert-match literal nobreak nocolor nofilename nogroup noheading nonumbers numbers search-files silent smart-case stats unrestricted vimgrep word-regexp",
        long_valued="after before context depth file-search-regex ignore ignore-dir max-count",
        operands=Operands.PATTERN,
    ),
    Safe(name="tr", flags="cCdst", operands=Operands.TEXT, here=False),
    Safe(name="seq", flags="w", valued="fs", operands=Operands.TEXT, here=False),
    Safe(name="basename", flags="az", valued="s", operands=Operands.TEXT, here=False),
    Safe(name="dirname", flags="z", operands=Operands.TEXT, here=False),
    Safe(name="which", flags="a", operands=Operands.TEXT, here=False),
    Safe(name="type", flags="aptPf", operands=Operands.TEXT, here=False),
    Safe(name="command", flags="vV", operands=Operands.TEXT, here=False),
    Safe(name="pwd", flags="LP", operands=Operands.NONE, here=False),
    Safe(name="whoami", operands=Operands.NONE, here=False),
    Safe(name="id", flags="Ggnru", operands=Operands.NONE, here=False),
    Safe(name="uname", flags="amnoprsv", operands=Operands.NONE, here=False),
    Safe(name="nproc", operands=Operands.NONE, here=False),
    Safe(name="uptime", flags="p", operands=Operands.NONE, here=False),
    Safe(name="true", operands=Operands.TEXT, here=False),
    Safe(name="false", operands=Operands.TEXT, here=False),
    Safe(name=":", operands=Operands.TEXT, here=False),
    Safe(name="sleep", operands=Operands.TEXT, here=False),
    Safe(name="wait", operands=Operands.NONE, here=False),
    Safe(name="exit", operands=Operands.TEXT, here=False),
    Safe(name="break", operands=Operands.NONE, here=False),
    Safe(name="continue", operands=Operands.NONE, here=False),
)
FIND_ALONE = tuple(
    (
        "-depth -xdev -mount -empty -executable -readable -writable -print -print0 -ls -prune -quit -not ! -a -o -and -or ( ) , -true -false -daystart "
        "-noleaf -nouser -nogroup -warn -nowarn"
    ).split()
)
FIND_VALUED = tuple(
    (
        "-name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -type -xtype -maxdepth -mindepth -mtime -mmin -ctime -cmin -atime "
        "-amin -size -perm -user -group -links -inum -printf -newer -newermt -samefile"
    ).split()
)
OPTIONAL = ("color", "colour", "unified", "context", "time", "sort", "check")
SED_PRINTS = re.compile(r"(?:[0-9]+|\$)(?:,(?:\+?[0-9]+|\$))?p(?:;(?:[0-9]+|\$)(?:,(?:\+?[0-9]+|\$))?p)*")
SET_OPTIONS = re.compile(r"[-+][euxf]*o?")


def look(command: Command) -> Look | None:
    """What ``command`` looks at, where it only looks; None where it may do more, or where it can't be told.

    >>> look(Command(words=("grep", "-rn", "def ", "src"), source="")), look(Command(words=("sort", "-o", "a", "b"), source=""))
    (Look(paths=('.', 'src')), None)
    """
    if not command.known or command.unread or any(each.name not in HARMLESS for each in command.environment):
        return None
    words = tuple(word or "" for word in command.words)
    match command.name:
        case "echo":
            return Look(())
        case "printf":
            return None if words[1:2] and words[1].startswith("-") and words[1] != "--" else Look(())
        case "find":
            return _find(words[1:])
        case "sed":
            return (
                Look((".", *words[3:]))
                if words[1:2] == ("-n",) and SED_PRINTS.fullmatch(" ".join(words[2:3])) and _plain(words[3:])
                else None
            )
        case "date":
            return Look(()) if all(word.startswith("+") or word in ("-u", "-I", "-R", "-Is", "--utc") for word in words[1:]) else None
        case "set":
            return Look(()) if words[1:] and all(SET_OPTIONS.fullmatch(word) or word == "pipefail" for word in words[1:]) else None
        case "cd":
            return Look(()) if len(words) == 2 and not words[1].startswith("-") else None
        case name:
            known = next((each for each in SAFE if each.name == name), None)
            found = None if known is None else _options(known, words[1:])
            return None if found is None else evolve(found, deep=_deep(name, words[1:]))


def _deep(name: str, words: tuple[str, ...]) -> bool:
    """Whether a command reads the files of folders; rather yes than no."""
    if name in ("rg", "ag"):
        return True
    recursive = any(word.startswith("--r") or (word[:1] == "-" and word[1:2] != "-" and "r" in word) for word in words)
    return name in ("grep", "diff") and recursive


def _plain(words: tuple[str, ...]) -> bool:
    return not any(word.startswith("-") for word in words)


@final
@frozen
class Taken:
    """What an option takes: its value, how many words behind it that are, and whether the value is the pattern that is looked for."""

    value: str = ""
    words: int = 0
    pattern: bool = False


def _options(safe: Safe, words: tuple[str, ...]) -> Look | None:
    """What is looked at by ``safe`` with these words; None where it does not know one of them."""
    operands: list[str] = []
    values: list[str] = []
    rest, pattern_given = words, False
    while rest:
        word, rest = rest[0], rest[1:]
        if word == "--":
            operands += rest
            break
        if not word.startswith("-") or word == "-" or (safe.operands is Operands.TEXT and word[1:2].isdigit()):
            operands.append(word)
            continue
        taken = _long(safe, word, rest) if word.startswith("--") else _short(safe, word, rest)
        if taken is None:
            return None
        values.append(taken.value)
        pattern_given = pattern_given or taken.pattern
        rest = rest[taken.words :]
    return _looked(safe, tuple(operands), tuple(values), pattern_given=pattern_given)


def _long(safe: Safe, word: str, rest: tuple[str, ...]) -> Taken | None:
    """What a long option takes; None for one that is not known. Those with a value that may be left out take it behind ``=`` alone."""
    name, has_value, value = word[2:].partition("=")
    if name in safe.longs.split() and not has_value:
        return Taken(pattern=name == "files")
    if name not in safe.long_valued.split():
        return None
    alone = bool(has_value) or (name in OPTIONAL and safe.name != "rg")
    return Taken(value if alone else "".join(rest[:1]), 0 if alone else 1, pattern=name == "regexp")


def _short(safe: Safe, word: str, rest: tuple[str, ...]) -> Taken | None:
    """What a row of letters takes; None where one is not known."""
    if word[1:].isdigit() and safe.name in ("head", "tail", "grep"):
        return Taken()
    for at, letter in enumerate(word[1:], 1):
        if letter in safe.valued:
            attached = word[at + 1 :]
            if not attached and len("".join(rest[:1])) > 2 and rest[0].startswith("--"):
                return None  # one program takes it for a value, another for an option
            return Taken(attached or "".join(rest[:1]), 0 if attached else 1, pattern=letter in "eg" and safe.operands is Operands.PATTERN)
        if letter not in safe.flags:
            return None
    return Taken()


def _looked(safe: Safe, operands: tuple[str, ...], values: tuple[str, ...], *, pattern_given: bool) -> Look | None:
    """What is looked at: the operands that are paths, and values that may be some."""
    here = (".",) if safe.here else ()
    if safe.operands is Operands.ONE_PATH and len(operands) > 1:
        return None
    match safe.operands:
        case Operands.NONE:
            return None if operands else Look(())
        case Operands.TEXT:
            return Look(())
        case Operands.PATTERN:
            paths = operands if pattern_given else operands[1:]
            return Look((*here, *paths))
        case Operands.PATHS | Operands.ONE_PATH:
            odd = tuple(value for value in values if value.startswith(("/", "~")) or ".." in value)
            return Look((*here, *operands, *odd))
        case _ as never:
            assert_never(never)


def _find(words: tuple[str, ...]) -> Look | None:
    """What ``find`` looks at, where it only finds."""
    first = next((at for at, word in enumerate(words) if word.startswith("-") or word in ("(", "!", ",")), len(words))
    paths, rest = words[:first], words[first:]
    named: tuple[str, ...] = ()
    while rest:
        word, rest = rest[0], rest[1:]
        if word in FIND_VALUED and rest:
            named, rest = (*named, rest[0]) if word in ("-newer", "-samefile") else named, rest[1:]
        elif word not in FIND_ALONE:
            return None
    return Look((*(paths or (".",)), *named))
