"""The tool ``shell``: a command, with the directory and the exported variables that earlier ones left behind.

No process lives between two calls: what a shell would remember is the tool's memory, ``cwd`` (an absolute path) and
``environment`` (an object of names, each with its value, or null where the variable is to be removed). The environment
holds only what differs from the config's, so that a change of config is not hidden by what was remembered.
"""

from __future__ import annotations

import posixpath

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Environment, Variable
from turnfold.core.json import JsonObject, JsonValue, scalar_text
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.builtin.jobs import started_text
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import counted, shown_output
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import JobStarted, ProcessEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import RunProcess, StartJob


def _shell(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Run the command where the last one ended; where that place is gone, run nothing and go back to the workspace."""
    cwd = remembered_cwd(memory, cfg)
    if arguments.get("background") is True:
        return (yield from _in_background(text_argument(arguments, "command"), cwd, memory, cfg))
    request = RunProcess(
        script=text_argument(arguments, "command"),
        cwd=cwd,
        environment=overlaid(cfg.environment, remembered_environment(memory)),
        timeout_s=cfg.limits.command_s,
        output_bytes=cfg.limits.output_bytes,
        confinement=confinement_of(cfg),
    )
    ended = yield from asked(request, ProcessEnded)
    if not isinstance(ended, Problem):
        text = _said(ended, cwd, cfg)
        return Done(text, memory_of(ended.cwd, ended.environment, cfg), ok=ended.exit_code == 0 and not ended.timed_out)
    if ended.code == "not-found" and cwd != cfg.workspace:
        text = f"The directory {cwd} is gone, so nothing was run. The shell is back in {cfg.workspace}: run the command again if it fits there."
        return Done(text, memory_of(cfg.workspace, request.environment, cfg), ok=False)
    return Refuse(ended)


def _in_background(command: str, cwd: str, memory: Memory, cfg: ChatConfig) -> Script:
    """Start the command there, and remember what was remembered: nobody waits for where it ends."""
    environment = overlaid(cfg.environment, remembered_environment(memory))
    request = StartJob(
        script=command, cwd=cwd, environment=environment, output_bytes=cfg.limits.output_bytes, confinement=confinement_of(cfg)
    )
    started = yield from asked(request, JobStarted)
    return Refuse(started) if isinstance(started, Problem) else Done(started_text(started), memory_of(cwd, environment, cfg))


def remembered_cwd(memory: Memory, cfg: ChatConfig) -> str:
    """The directory that the next command runs in.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> remembered_cwd(JsonObject(), ChatConfig(ProjectConfig(Config()), workspace="/w"))
    '/w'
    """
    cwd = text_argument(memory, "cwd")
    return cwd if posixpath.isabs(cwd) else cfg.workspace


def remembered_environment(memory: Memory) -> Environment:
    """The variables that earlier commands exported or removed.

    >>> remembered_environment(JsonObject.of(environment=JsonObject.of(A="1", B=None)))
    (Variable(name='A', value='1'), Variable(name='B', value=None))
    """
    said = memory.get("environment")
    members = said.members if isinstance(said, JsonObject) else ()
    return tuple(Variable(name, value) for name, value in members if value is None or isinstance(value, str))


def overlaid(base: Environment, over: Environment) -> Environment:
    """Both together, one variable a name, sorted; ``over`` wins.

    >>> overlaid((Variable("A", "1"), Variable("B", "1")), (Variable("A", None),))
    (Variable(name='A', value=None), Variable(name='B', value='1'))
    """
    named = {each.name: each for each in (*base, *over)}
    return tuple(named[name] for name in sorted(named))


def memory_of(cwd: str, environment: Environment, cfg: ChatConfig) -> Memory:
    """What the tool remembers of a shell that ended in ``cwd`` with ``environment``.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> memory_of("/w/a", (Variable("A", "1"),), ChatConfig(ProjectConfig(Config()), workspace="/w"))
    JsonObject.of(cwd='/w/a', environment=JsonObject.of(A='1'))
    """
    kept = overlaid((), tuple(each for each in environment if each not in cfg.environment))
    members: tuple[tuple[str, JsonValue], ...] = tuple((scalar_text(each.name), _scalar(each.value)) for each in kept)
    return JsonObject.of(cwd=scalar_text(cwd), environment=JsonObject(members))


def _scalar(value: str | None) -> str | None:
    return None if value is None else scalar_text(value)


def _said(ended: ProcessEnded, cwd: str, cfg: ChatConfig) -> str:
    output = shown_output(ended.output, ended.cut_bytes, cfg.limits.output_bytes)
    notes = (
        (
            ended.cut_bytes > 0,
            f"{counted(ended.cut_bytes, 'byte')} {'was' if ended.cut_bytes == 1 else 'were'} left out in the middle of the output",
        ),
        (ended.timed_out, f"timed out after {cfg.limits.command_s:g} s and was killed"),
        (ended.exit_code != 0 and not ended.timed_out, _exit(ended.exit_code)),
        (ended.cwd != cwd, f"now in {ended.cwd}"),
    )
    return "\n".join((output, *(f"({note})" for holds, note in notes if holds)))


def _exit(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"


SHELL: ToolSpec = ToolSpec(
    name="shell",
    description=(
        "Run a bash command and see its output and exit code. The working directory and exported variables are kept for the next command; "
        "it can't be asked anything while it runs."
    ),
    parameters=parameters(
        ("command",),
        command=text_parameter("The command; several lines are one script.", least=1),
        background=JsonObject.of(type="boolean", description="Start it and go on at once, as for a server; the tool jobs looks after it."),
    ),
    advance=from_generator(_shell),
    serial=True,
    body="command",
    examples=(
        Example("How many lines has data.csv?", JsonObject.of(command="wc -l data.csv")),
        Example("Rename a.txt to b.txt.", JsonObject.of(command="mv a.txt b.txt")),
    ),
)
