"""The tool ``gh``: one command of the GitHub program ``gh``, run in the workspace.

What is run is the command that is shown, word for word, and nothing else: each word is quoted, so no shell reads it. Rules of permission
see it as any command, such as ``gh pr view *``. A token is never in its environment: it uses what ``gh auth login`` has stored.
"""

from __future__ import annotations

from shlex import quote, split

from returns.result import Failure, Result, Success

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Variable
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.builtin.shell import overlaid
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import shown_output
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import RunProcess

NOT_FOUND = 127  # bash: there is no such program
NOT_LOGGED_IN = 4  # gh: it needs a login
OPERATORS = frozenset(("|", "||", "&&", ";", "&", ">", ">>", "<", "2>&1"))
QUIET = (
    Variable("GH_NO_UPDATE_NOTIFIER", "1"),
    Variable("GH_PAGER", "cat"),
    Variable("GH_PROMPT_DISABLED", "1"),
    Variable("NO_COLOR", "1"),
)


def _gh(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Run the command, and show what it printed."""
    script = script_untrusted(text_argument(arguments, "command"))
    if isinstance(script, Failure):
        return Refuse(script.failure())
    request = RunProcess(
        script=script.unwrap(),
        cwd=cfg.workspace,
        environment=overlaid(cfg.environment, QUIET),
        timeout_s=cfg.limits.command_s,
        output_bytes=cfg.limits.output_bytes,
        confinement=confinement_of(cfg),
    )
    ended = yield from asked(request, ProcessEnded)
    if isinstance(ended, Problem):
        return Refuse(ended)
    if ended.exit_code == NOT_FOUND:
        message = "The program gh is not installed here: go on without it, or tell the user to install it (https://cli.github.com)."
        return Refuse(world_problem("not-installed", message))
    return Done(_said(ended, cfg), ok=ended.exit_code == 0 and not ended.timed_out)


def script_untrusted(command: str) -> Result[str, Problem]:
    """The bash script that runs ``command`` with ``gh``, each word quoted; a Problem of what is not one command.

    >>> script_untrusted("pr view 5 --json 'title,body'").unwrap(), script_untrusted("gh issue create -t $(id)").unwrap()
    ('gh pr view 5 --json title,body', "gh issue create -t '$(id)'")
    """
    try:
        words = tuple(split(command))
    except ValueError as error:
        return Failure(model_problem("bad-command", f"The command can't be read ({error}): close every quotation mark.", "$.command"))
    rest = words[1:] if words[:1] == ("gh",) else words
    if not rest:
        return Failure(model_problem("bad-command", "Say what gh shall do, such as: pr list --limit 5", "$.command"))
    wrong = next((word for word in rest if word in OPERATORS), None)
    if wrong is not None:
        message = f"Only one command of gh can be run, without {wrong}: use --jq and --limit to cut what it prints, or the shell."
        return Failure(model_problem("bad-command", message, "$.command"))
    return Success(" ".join(("gh", *map(quote, rest))))


def _said(ended: ProcessEnded, cfg: ChatConfig) -> str:
    output = shown_output(ended.output, ended.cut_bytes, cfg.limits.output_bytes)
    notes = (
        (ended.timed_out, f"timed out after {cfg.limits.command_s:g} s and was killed"),
        (ended.exit_code == NOT_LOGGED_IN, "gh is not logged in: the user has to run  gh auth login  in a terminal"),
        (ended.exit_code != 0 and not ended.timed_out, f"exit code {ended.exit_code}"),
    )
    return "\n".join((output, *(f"({note})" for holds, note in notes if holds)))


GH: ToolSpec = ToolSpec(
    name="gh",
    description=(
        "Run one command of the GitHub program gh in the workspace: issues, pull requests, runs, releases, or gh api. Pipes are for the shell."
    ),
    parameters=parameters(("command",), command=text_parameter("What stands behind gh on its command line.", least=1)),
    advance=from_generator(_gh),
    body="command",
    examples=(
        Example("What is pull request 5 about?", JsonObject.of(command="pr view 5 --json title,body,comments")),
        Example("Did the last run on main pass?", JsonObject.of(command="run list --branch main --limit 1")),
    ),
    optional=True,
)
