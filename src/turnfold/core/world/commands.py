"""Judging a script: every command that it may run, every file that it redirects, and what of it can't be read.

* A denial counts if it matches the script's text, or any command in any of its spellings.
* An allow rule counts for a command only where every word of it can be read, and nothing is known against its form (``dangers``);
  but a rule whose pattern is the very command counts for that form, too.
* The pattern ``*`` allows whatever the script is, also what can't be read and what it redirects, unless an earlier rule asks. But where
  rules deny commands, what can't be read is asked for: it may hold one of those.
* A command without a rule is allowed where it only looks (``safe``) at what may be read. A redirection is judged as its file is.
  Where rules deny reading, what reads all files of a folder (``grep -r``, ``rg``) is asked for: nobody knows what it finds there.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import assert_never

from attrs import evolve

from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.values import Preset, Rule, Verdict
from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.bash.script import Assignment, Command, Redirection, Script, Unread, Way
from turnfold.core.world.dangers import danger
from turnfold.core.world.judging import denied, judged_path, said
from turnfold.core.world.presets import read_only
from turnfold.core.world.safe import HARMLESS, look
from turnfold.core.world.subjects import literal, of_kind
from turnfold.core.world.verdicts import Allow, Ask, Deny, Permission, strictest

KIND = "run"
SHOWN = 80  # characters of a command in a reason
STREAMS = re.compile(r"/dev/(?:null|stdin|stdout|stderr|tty|fd/[0-9]+|zero|u?random)")
LOCAL = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)  # by custom no variable that another program reads
MAX_PLACES = 8
MAX_REASONS = 4


def judged_script(text: str, cwd: str, cfg: ChatConfig, *, confined: bool = False) -> Permission:
    """What holds for running ``text`` in ``cwd``; ``confined``: in a sandbox.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=(Rule(Verdict.ALLOW, "run", "git add *"),))
    >>> judged_script("git add a.py && ls", "/w", cfg), judged_script("git add a.py && make", "/w", cfg)
    (Allow(), Ask(reason='It runs a command: make'))
    """
    script = read_script(text)
    rules = tuple(rule for rule in cfg.rules if of_kind(rule, KIND))
    hit = _denied(rules, text, script.commands)
    if hit:
        return denied(KIND, hit)
    # a link in the workspace may lead a redirection out of it, and no one but a sandbox sees that in time
    loose = cfg.permission is Preset.EDIT and not confined
    files = _with_preset(cfg, Preset.ASK) if loose else cfg
    return _together(_pieces(script, cwd, rules, cfg, files))


def _together(said: tuple[Permission, ...]) -> Permission:
    """What holds for all pieces; of several questions the person is told each, in the order of the script."""
    worst = strictest(said)
    if not isinstance(worst, Ask):
        return worst
    reasons = tuple(dict.fromkeys(each.reason for each in said if isinstance(each, Ask)))
    more = len(reasons) - MAX_REASONS
    return Ask("; ".join((*reasons[:MAX_REASONS], *((f"and {more} more",) if more > 0 else ()))))


def _with_preset(cfg: ChatConfig, preset: Preset) -> ChatConfig:
    return evolve(cfg, overrides=(Overrides(permission=preset), *cfg.overrides))


def _pieces(script: Script, cwd: str, rules: tuple[Rule, ...], cfg: ChatConfig, files: ChatConfig) -> tuple[Permission, ...]:
    """What holds for each piece; where a folder is entered, what follows may happen there or here."""
    whole = blanket(rules, cfg)
    found: tuple[Permission, ...] = ()
    places: tuple[str, ...] = (cwd,)
    for piece in script.pieces:
        match piece:
            case Command():
                found += (command_verdict(piece, places, rules, cfg),)
                places = _entered(piece, places)
            case Redirection():
                found += (redirection_verdict(piece, places, files) if whole is None else _unless_denied(whole, piece, places, cfg),)
            case Assignment(name=name):
                found += (Allow() if _own(name) else assignment_verdict(piece, rules, cfg),)
            case Unread(why):
                found += (_else(f"It can't be read: {why}.", cfg) if whole is None or _denying(rules) else whole,)
            case _:
                assert_never(piece)
    return found


def blanket(rules: tuple[Rule, ...], cfg: ChatConfig) -> Permission | None:
    """What holds for everything about a script: a rule for all commands, or the loosest preset; None where neither is."""
    speaking = next((rule for rule in rules if rule.pattern == "*" and rule.verdict is not Verdict.DENY), None)
    if speaking is not None:
        return said(speaking)
    return Allow() if cfg.permission is Preset.ALL else None


def _unless_denied(whole: Permission, redirection: Redirection, places: tuple[str, ...], cfg: ChatConfig) -> Permission:
    """``whole``, unless a rule denies the file: the preset does not count where a rule speaks of all commands."""
    by_rules = redirection_verdict(redirection, places, _with_preset(cfg, Preset.ALL))
    return by_rules if isinstance(by_rules, Deny) else whole


def _denying(rules: tuple[Rule, ...]) -> bool:
    """Whether there are commands that must not run, so that what can't be read may hold one."""
    return any(rule.verdict is Verdict.DENY for rule in rules)


def _else(why: str, cfg: ChatConfig) -> Permission:
    """What holds where nothing allows it."""
    return Deny(read_only(KIND)) if cfg.permission is Preset.READ_ONLY else Ask(why)


def _denied(rules: tuple[Rule, ...], text: str, commands: tuple[Command, ...]) -> str:
    """What a denial among ``rules`` hits in a script; empty for nothing. It need not be readable."""
    patterns = tuple(rule.pattern for rule in rules if rule.verdict is Verdict.DENY)
    if not patterns:
        return ""
    spelled = ((text.strip(), (text.strip(),)), *((each.source, _spellings(each)) for each in commands))
    return next((_short(source) for pattern in patterns for source, ways in spelled if any(_fits(way, pattern) for way in ways)), "")


def _spellings(command: Command) -> tuple[str, ...]:
    """The ways to write ``command`` that a denial may mean: with and without the variables before it and the folder of its program."""
    text = command.text
    if not command.environment and "/" not in command.name:
        return (text,) if text == command.source else (text, command.source)
    bare = evolve(command, environment=())
    plain = evolve(bare, words=(posixpath.basename(command.name), *command.words[1:]))
    return (text, command.source, bare.text, plain.text)


def _fits(text: str, pattern: str) -> bool:
    """Whether ``pattern`` matches; one that ends in `` *`` matches without anything behind it, too."""
    return fnmatchcase(text, pattern) or (pattern.endswith(" *") and fnmatchcase(text, pattern[:-2]))


def speaks(rule: Rule, command: Command, text: str) -> bool:
    """Whether ``rule``, which does not deny, speaks of ``command``, whose text is ``text``.

    >>> command = Command(words=("git", "push", "-f"), source="git push -f")
    >>> [speaks(Rule(Verdict.ALLOW, "run", pattern), command, command.text) for pattern in ("git *", "git push -f", "*")]
    [False, True, True]
    """
    if rule.pattern == "*":
        return True
    fits = _fits(text, rule.pattern) or (text != command.source and _fits(command.source, rule.pattern))
    if rule.verdict is Verdict.ASK or not fits:
        return fits
    if not command.known or command.unread or "\n" in command.source:
        return False
    return rule.pattern in (text, literal(text)) or not danger(command.words)


def command_verdict(command: Command, places: tuple[str, ...], rules: tuple[Rule, ...], cfg: ChatConfig) -> Permission:
    """What holds for one command: the first rule that speaks of it; else what it looks at, where it only looks."""
    text = command.text
    speaking = next((rule for rule in rules if rule.verdict is not Verdict.DENY and speaks(rule, command, text)), None)
    if command.unread and _denying(rules):
        return _else(_why(command), cfg)
    if speaking is not None:
        return said(speaking)
    if cfg.permission is Preset.ALL or command.passes:
        return Allow()
    looked = look(command)
    if looked is None:
        return _else(_why(command), cfg)
    below = (Ask(f"It may read files that a rule denies: {_short(command.source)}"),) if looked.deep and keeps_files(cfg) else ()
    return strictest((*(_read(path, places, cfg) for path in looked.paths), *below))


def keeps_files(cfg: ChatConfig) -> bool:
    """Whether there are files that must not be read, so that what reads all files of a folder may read one."""
    return any(rule.verdict is Verdict.DENY and of_kind(rule, "read") for rule in cfg.rules)


def _why(command: Command) -> str:
    """What is asked for: which command of the script, and what is known against it."""
    shown = _short(command.source)
    if command.unread:
        return f"It runs a command that can't be read, for {command.unread}: {shown}"
    known_against = danger(command.words) if command.words[0] is not None else ""
    return f"It runs a command: {shown}{f' ({known_against})' if known_against else ''}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _read(path: str, places: tuple[str, ...], cfg: ChatConfig) -> Permission:
    """What holds for reading ``path`` from any of ``places``; it may be a folder, and its names be denied."""
    if path.startswith("~"):
        return _else("It reads a file in a home folder.", cfg)
    there = tuple(posixpath.join(place, path) for place in places)
    listed = tuple(judged_path("list", each, cfg) for each in there)
    return strictest((*(judged_path("read", each, cfg) for each in there), *(each for each in listed if isinstance(each, Deny))))


def redirection_verdict(redirection: Redirection, places: tuple[str, ...], cfg: ChatConfig) -> Permission:
    """What holds for the file that is opened."""
    writes = redirection.way is Way.WRITE
    if redirection.target is None:
        return _else(f"It {'writes' if writes else 'reads'} a file whose name is computed: {_short(redirection.source)}", cfg)
    if STREAMS.fullmatch(redirection.target):
        return Allow()
    kind = "write" if writes else "read"
    verdict = strictest(tuple(judged_path(kind, posixpath.join(place, redirection.target), cfg) for place in places))
    return Ask(f"It {'writes' if writes else 'reads'} a file: {_short(redirection.target)}") if isinstance(verdict, Ask) else verdict


def assignment_verdict(assignment: Assignment, rules: tuple[Rule, ...], cfg: ChatConfig) -> Permission:
    """What holds for setting a variable that other programs may read; a rule's pattern is matched against ``NAME=value``."""
    text = f"{assignment.name}={assignment.value}" if assignment.value is not None else assignment.source
    known = assignment.value is not None
    for rule in rules:
        fits = rule.verdict is not Verdict.DENY and (rule.pattern == "*" or _fits(text, rule.pattern))
        if fits and (known or rule.pattern == "*" or rule.verdict is Verdict.ASK):
            return said(rule)
    return (
        Allow() if cfg.permission is Preset.ALL else _else(f"It sets a variable that programs may read: {_short(assignment.source)}", cfg)
    )


def _own(name: str) -> bool:
    return name in HARMLESS or (LOCAL.fullmatch(name) is not None and not name.endswith("_proxy"))


def _entered(command: Command, places: tuple[str, ...]) -> tuple[str, ...]:
    """Where what follows ``command`` may happen."""
    if command.name not in ("cd", "pushd", "popd"):
        return places
    target = command.words[1] if len(command.words) == 2 else None
    if target is None or target.startswith(("-", "~")) or len(places) >= MAX_PLACES or command.name != "cd":
        return (*places, "/")  # anywhere
    return tuple(dict.fromkeys((*places, *(posixpath.normpath(posixpath.join(place, target)) for place in places))))
