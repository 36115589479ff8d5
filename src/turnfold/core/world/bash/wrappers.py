"""Commands that run other commands: what stands behind ``sudo``, ``env``, ``xargs``, ``bash -c``, ``find -exec`` and the like.

A table says of each such program which options it takes, so that where its own words end can be told. An option that the table does
not know makes the command unread: it is asked for.
"""

from __future__ import annotations

import re
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.world.bash.script import Words

SHELLS = ("bash", "sh", "dash", "ash", "ksh", "mksh")  # what they read is read here as bash reads it
INTERPRETERS = re.compile(r"(?:zsh|fish|csh|tcsh|node|nodejs|deno|bun|tclsh|osascript|pwsh|(?:python|pypy|ruby|perl|php|lua)[0-9.]*)")
ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
SETS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\+|\[.*\])?=", re.ASCII | re.DOTALL)
RESERVED = frozenset("if then elif else fi for while until do done case esac in function select time coproc { } ! [[ ]]".split())
PLACEHOLDER = "{}"


@final
@frozen(kw_only=True)
class Wrapper:
    """A program whose words, after its own options, are a command.

    ``flags``: options alone; ``valued``: those that take a value; ``leading``: words of its own before the command; ``passes``: it does
    nothing besides, so a rule for the command behind it is enough.
    """

    name: str
    flags: tuple[str, ...] = ()
    valued: tuple[str, ...] = ()
    leading: int = 0
    passes: bool = True
    assigns: bool = False


WRAPPERS: tuple[Wrapper, ...] = (
    Wrapper(name="sudo", flags=("-n", "-E", "-H", "-S", "-k", "-b"), valued=("-u", "-g", "--user", "--group"), passes=False, assigns=True),
    Wrapper(name="doas", flags=("-n",), valued=("-u",), passes=False),
    Wrapper(name="env", flags=("-i", "-", "--ignore-environment"), valued=("-u", "--unset"), assigns=True),
    Wrapper(name="time", flags=("-p",)),  # bash's own word; it knows no other option
    Wrapper(name="nice", valued=("-n", "--adjustment")),
    Wrapper(name="ionice", flags=("-t",), valued=("-c", "-n")),
    Wrapper(name="nohup"),
    Wrapper(name="setsid", flags=("-w", "-f", "-c", "--wait", "--fork")),
    Wrapper(name="stdbuf", valued=("-i", "-o", "-e", "--input", "--output", "--error")),
    Wrapper(
        name="timeout",
        flags=("--foreground", "--preserve-status", "-v", "--verbose"),
        valued=("-k", "-s", "--signal", "--kill-after"),
        leading=1,
    ),
    Wrapper(name="command", flags=("-p",)),
    Wrapper(name="builtin"),
    Wrapper(name="exec", flags=("-c", "-l"), valued=("-a",)),
    Wrapper(
        name="xargs",
        flags=("-0", "-r", "-t", "-x", "--null", "--no-run-if-empty", "--verbose", "--exit"),
        valued=("-n", "-P", "-L", "-d", "-s", "-E", "-I", "--max-args", "--max-procs", "--max-lines", "--delimiter", "--replace"),
    ),
)


NAMES = frozenset(each.name for each in WRAPPERS)


@final
@frozen(kw_only=True)
class Behind:
    """A command behind a command; ``passes`` as ``Wrapper`` says it."""

    words: Words
    passes: bool = True
    environment: tuple[tuple[str, str], ...] = ()


@final
@frozen
class Text:
    """A script that a command is handed as text."""

    text: str


@final
@frozen
class Opaque:
    """What runs can't be told, and why."""

    why: str


Inside: TypeAlias = Behind | Text | Opaque


def inside(words: Words) -> tuple[Inside, ...]:
    """What the command with these words runs besides itself.

    >>> inside(("timeout", "-k", "5", "10", "make", "test"))
    (Behind(words=('make', 'test'), passes=True, environment=()),)
    >>> inside(("bash", "-c", "ls; pwd")), inside(("ls", "-l"))
    ((Text(text='ls; pwd'),), ())
    """
    if words[0] is None:
        return (Opaque("which program it runs is computed"),)
    name = words[0].rpartition("/")[2]
    if name in NAMES:
        return _wrapped(next(each for each in WRAPPERS if each.name == name), words)
    match name:
        case "eval":
            return _evaluated(words[1:])
        case "trap":
            return _trapped(words[1:])
        case "find":
            return _found(words)
        case "coproc":
            return (*((Behind(words=words[1:]),) if words[1:] else ()), Opaque("it runs beside the script"))
        case _:
            return _interpreted(name, words)


def _interpreted(name: str, words: Words) -> tuple[Inside, ...]:
    if name in SHELLS:
        return _shell(words)
    if INTERPRETERS.fullmatch(name):
        operand = next((word for word in words[1:] if word is None or not word.startswith("-")), "-")
        return (Opaque(f"what {name} runs comes from its input"),) if operand == "-" and not _says_all(words) else ()
    return ()


def _says_all(words: Words) -> bool:
    """Whether an interpreter is only asked about itself."""
    return words[1:] in (("--version",), ("-V",), ("-v",), ("--help",), ("-h",))


def _wrapped(wrapper: Wrapper, words: Words) -> tuple[Inside, ...]:
    """The command behind a wrapper's own words; nothing where there is none."""
    name, rest = wrapper.name, words[1:]
    if name == "command" and rest and rest[0] in ("-v", "-V"):
        return ()  # it tells where a command is
    replaced = ""
    while rest and rest[0] is not None and rest[0].startswith("-"):
        option, rest = rest[0], rest[1:]
        if option == "--":
            break
        taken = _option(wrapper, option, rest)
        if taken is None:
            return (Opaque(f"{option} of {name} is not known here"),)
        if option.startswith(("-I", "--replace")):
            replaced = (rest[0] or "") if taken else option.removeprefix("-I").removeprefix("--replace").removeprefix("=")
        rest = rest[taken:]
    variables: tuple[tuple[str, str], ...] = ()
    while wrapper.assigns and rest and rest[0] is not None and ASSIGNED.match(rest[0]):
        before, _, value = rest[0].partition("=")
        variables, rest = (*variables, (before, value)), rest[1:]
    rest = rest[wrapper.leading :]
    if None in words[: len(words) - len(rest)]:
        return (Opaque(f"where the command of {name} begins is computed"),)
    if not rest:
        return ()
    if name == "time" and (
        rest[0] in RESERVED or SETS.match(rest[0] or "") or words[1:] not in (rest, ("-p", *rest), ("--", *rest), ("-p", "--", *rest))
    ):
        return (Opaque("what is timed is more than a command"),)
    if name == "xargs":
        rest = _fed(rest, replaced)
    return (Behind(words=rest, passes=wrapper.passes, environment=variables),)


def _option(wrapper: Wrapper, option: str, rest: Words) -> int | None:
    """How many of the words after ``option`` belong to it; None where the wrapper's table does not know it."""
    if option in wrapper.flags:
        return 0
    if option in wrapper.valued:
        return 1 if rest else None
    attached = any(option.startswith(f"{each}=" if each.startswith("--") else each) for each in wrapper.valued)
    numbered = wrapper.name == "nice" and option[1:].isdigit()
    together = len(option) > 2 and all(f"-{letter}" in wrapper.flags for letter in option[1:])
    return 0 if attached or numbered or together else None


def _fed(words: Words, replaced: str) -> Words:
    """The words of a command that ``xargs`` completes from its input."""
    if replaced:
        return tuple(None if word is None or replaced in word else word for word in words)
    return (*words, None)


def _evaluated(words: Words) -> tuple[Inside, ...]:
    if any(word is None for word in words):
        return (Opaque("what eval runs is computed"),)
    return (Text(" ".join(word or "" for word in words)),)


def _trapped(words: Words) -> tuple[Inside, ...]:
    rest = words[1:] if words[:1] == ("--",) else words
    if len(rest) < 2 or rest[0] in ("-", "", "-l", "-p"):
        return ()
    return (Opaque("what the trap runs is computed"),) if rest[0] is None else (Text(rest[0]),)


def _shell(words: Words) -> tuple[Inside, ...]:
    """A shell: the text that it is given with ``-c``; a script's name is an operand like others; else it reads its input."""
    rest, text = words[1:], False
    while rest and rest[0] is not None and rest[0].startswith(("-", "+")):
        option, rest = rest[0], rest[1:]
        if option in ("--norc", "--noprofile", "--posix"):
            continue
        if option in ("-o", "+o"):
            rest = rest[1:]
            continue
        if option.startswith("--") or not set(option[1:]) <= set("celuxv"):
            return () if _says_all(words) else (Opaque(f"{option} of a shell is not known here"),)
        text = text or "c" in option
    if not rest:
        return (Opaque("what the shell runs comes from its input"),)
    if not text:
        return ()
    return (Opaque("what the shell runs is computed"),) if rest[0] is None else (Text(rest[0]),)


def _found(words: Words) -> tuple[Inside, ...]:
    """The commands that ``find`` runs for what it finds."""
    commands: tuple[Inside, ...] = ()
    rest = words
    while rest:
        word, rest = rest[0], rest[1:]
        if word in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next((at for at, each in enumerate(rest) if each in (";", "+")), len(rest))
            behind, rest = rest[:end], rest[end + 1 :]
            shown = tuple(None if each is None or PLACEHOLDER in each else each for each in behind)
            commands += (Behind(words=shown) if shown else Opaque("what find runs can't be told"),)
        elif word is None:
            return (*commands, Opaque("what find does is computed"))
    return commands
