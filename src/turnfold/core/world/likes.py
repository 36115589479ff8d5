"""The like of a request: the narrowest rules of use that allow it from now on, and what is like it.

For a path that is its folder (outside the workspace: the file alone), for a URL its host, for a command its name and subcommand. What
can't be read, and forms that do more than their name says, have no like: each time is a question of its own.
"""

from __future__ import annotations

import posixpath

from attrs import evolve

from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.bash.script import Command, Redirection, Way, Words, quoted
from turnfold.core.world.bash.wrappers import INTERPRETERS, SHELLS
from turnfold.core.world.commands import STREAMS, command_verdict, keeps_files
from turnfold.core.world.dangers import danger
from turnfold.core.world.judging import judged_path
from turnfold.core.world.permission import permit
from turnfold.core.world.requests import ChangeFiles, Request, RunProcess, StartJob
from turnfold.core.world.safe import look
from turnfold.core.world.subjects import NETWORK, PATHS, Subject, literal, of_kind, path_subjects, subjects
from turnfold.core.world.verdicts import Allow

MAX_RULES = 6
SUBCOMMANDS = frozenset(
    "git npm yarn pnpm bun pip pip3 pipx uv cargo go rustup docker kubectl helm gh glab hg svn apt apt-get brew dnf systemctl journalctl poetry pdm "
    "hatch conda mamba terraform dotnet mvn gradle rails bundle gem composer flutter dart mix stack cabal make just task nix aws gcloud az".split()
)
DEEPER = frozenset(
    "npm run|yarn run|pnpm run|bun run|uv run|uv pip|poetry run|pdm run|hatch run|docker compose|gh pr|gh issue|gh run|gh repo".split("|")
)


def likes(request: Request, cfg: ChatConfig) -> tuple[Rule, ...]:
    """The rules that allow ``request`` and the like from now on; none where nothing but the request itself can be allowed.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    >>> run = RunProcess(script="cd src && git status -s", cwd="/w", environment=(), timeout_s=9, output_bytes=9)
    >>> [rule.pattern for rule in likes(run, cfg)], likes(evolve(run, script="eval $x"), cfg)
    (['git status *'], ())
    """
    rules = tuple(dict.fromkeys(_rules(request, cfg)))
    if not rules or len(rules) > MAX_RULES:
        return ()
    with_them = evolve(cfg, overrides=(Overrides(rules=rules), *cfg.overrides))
    return rules if isinstance(permit(request, with_them), Allow) else ()


def _rules(request: Request, cfg: ChatConfig) -> tuple[Rule, ...]:
    match request:
        case RunProcess(script=script) | StartJob(script=script):
            return _of_script(script, request.cwd, cfg)
        case ChangeFiles(changes):
            return tuple(_of_path(path_subjects("write", each.path, cfg)[0]) for each in changes)
        case _:
            return _of_subjects(subjects(request, cfg))


def _of_subjects(seen: tuple[Subject, ...]) -> tuple[Rule, ...]:
    about = seen[0]
    if about.kind in PATHS:
        return (_of_path(about),)
    if about.kind in NETWORK:
        return (Rule(Verdict.ALLOW, about.kind, literal(seen[-1].text)),) if "://" not in seen[-1].text else ()
    if about.kind == "chats":
        return (Rule(Verdict.ALLOW, "chats"),)
    return (Rule(Verdict.ALLOW, about.kind, literal(about.text)),) if about.kind in ("function", "mcp") else ()


def _of_path(about: Subject) -> Rule:
    """The path's folder; the path alone where it lies outside of the workspace, or at its top."""
    folder = posixpath.dirname(about.text)
    return Rule(Verdict.ALLOW, about.kind, literal(about.text) if about.outside or not folder else f"{literal(folder)}/*")


def _of_script(script: str, cwd: str, cfg: ChatConfig) -> tuple[Rule, ...]:
    """A rule for each part of a script that is asked for; what has no like leaves a question, and so the script has none."""
    rules: tuple[Rule, ...] = ()
    in_force = tuple(rule for rule in cfg.rules if of_kind(rule, "run"))
    for piece in read_script(script).pieces:
        if isinstance(piece, Command) and not piece.passes and not isinstance(command_verdict(piece, (cwd,), in_force, cfg), Allow):
            rules += _of_command(piece, cwd, cfg)
        elif isinstance(piece, Redirection) and piece.target is not None and not STREAMS.fullmatch(piece.target):
            rules += _of_file("write" if piece.way is Way.WRITE else "read", piece.target, cwd, cfg)
    return rules


def _of_file(kind: str, path: str, cwd: str, cfg: ChatConfig) -> tuple[Rule, ...]:
    """A rule for a file that is asked for."""
    absolute = posixpath.join(cwd, path)
    return () if isinstance(judged_path(kind, absolute, cfg), Allow) else (_of_path(path_subjects(kind, absolute, cfg)[0]),)


def _of_command(command: Command, cwd: str, cfg: ChatConfig) -> tuple[Rule, ...]:
    """A rule for a command that is asked for: where it only looks, for what it looks at."""
    looked = look(command)
    if looked is not None and not (looked.deep and keeps_files(cfg)):
        return tuple(rule for path in looked.paths if not path.startswith("~") for rule in _of_file("read", path, cwd, cfg))
    return () if _singular(command) else (Rule(Verdict.ALLOW, "run", pattern_of(command)),)


def _singular(command: Command) -> bool:
    """Whether a command is like no other."""
    return not command.known or bool(command.unread) or bool(danger(command.words))


def pattern_of(command: Command) -> str:
    """The pattern of all commands like ``command``.

    >>> pattern_of(Command(words=("git", "status", "-s"), source="")), pattern_of(Command(words=("python", "a.py", "1"), source=""))
    ('git status *', 'python a.py *')
    """
    before = "".join(f"{each.name}={quoted(each.value or '')} " for each in command.environment)
    head = " ".join(quoted(word or "") for word in _head(command.words))
    return f"{literal(before + head)} *"


def _head(words: Words) -> Words:
    """The words that say which command it is."""
    name = (words[0] or "").rpartition("/")[2]
    if name in ("sudo", "doas"):
        at = next((at for at, word in enumerate(words) if at and not (word or "").startswith("-")), len(words))
        return (*words[:at], *_head(words[at:])) if at < len(words) else words
    if name in SHELLS or INTERPRETERS.fullmatch(name):
        return words[: 3 if words[1:2] == ("-m",) else 2]
    if name in SUBCOMMANDS and len(words) > 1 and not (words[1] or "").startswith("-"):
        return words[: 3 if f"{name} {words[1]}" in DEEPER else 2]
    return words[:1]
