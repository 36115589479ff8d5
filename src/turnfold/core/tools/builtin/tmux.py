"""The tool ``tmux``: programs that want a terminal (an editor, a debugger, a prompt), looked at and typed into call by call.

Each conversation has a tmux server of its own, on a socket named after it: its sessions are nobody else's. The server is a background
job, so it ends with the conversation, and all its programs with it. What is typed passes a shell and tmux itself, as one word of each.
"""

from __future__ import annotations

import hashlib
import re

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import shown_output
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import JobStarted, ProcessEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import RunProcess, StartJob

ACTIONS = ("new", "type", "keys", "look", "list", "kill")
SESSION = re.compile(r"[A-Za-z0-9_-]{1,40}")
KEY = re.compile(r"[!-~]{1,20}")  # C-c, Enter, Up, M-x, F5 …
NO_SERVER = 97  # an exit code that tmux has no use for
COLUMNS, ROWS = 160, 50
HISTORY_LINES = 500
WAIT = "for i in {1..200}; do %s show-options -s >/dev/null 2>&1 && break; sleep 0.05; done"  # for a server that was just started


def _tmux(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """One act of tmux, after starting the conversation's server where it needs one."""
    action, text = text_argument(arguments, "action"), text_argument(arguments, "text")
    session = text_argument(arguments, "session") or "main"
    act = tmux_act(action, session, text, cfg)
    if isinstance(act, Problem):
        return Refuse(act)
    server = tmux_server(cfg)
    probed = f"{server} show-options -s >/dev/null 2>&1 || exit {NO_SERVER}\n{act}"
    ended = yield from asked(_run(probed, cfg), ProcessEnded)
    if isinstance(ended, ProcessEnded) and ended.exit_code == NO_SERVER and action == "new":
        started = yield from asked(_serve(server, cfg), JobStarted)
        if isinstance(started, Problem):
            return Refuse(started)
        ended = yield from asked(_run(f"{WAIT % server}\n{act}", cfg), ProcessEnded)
    if isinstance(ended, Problem):
        return Refuse(ended)
    return _end(action, session, ended, memory, cfg)


def _end(action: str, session: str, ended: ProcessEnded, memory: Memory, cfg: ChatConfig) -> Done | Refuse:
    if ended.exit_code == NO_SERVER:
        none = "There are no sessions: tmux new starts one."
        return Done(none, memory) if action == "list" else Refuse(model_problem("no-session", none))
    if ended.exit_code == 127:
        return Refuse(
            world_problem("no-tmux", "There is no tmux on the PATH: install it (Debian: apt install tmux), or use the tool jobs.")
        )
    if ended.exit_code != 0:
        said = shown_output(ended.output, ended.cut_bytes, cfg.limits.output_bytes)
        return Refuse(model_problem("tmux-failed", f"tmux could not do that: {said} (tmux list shows the sessions that there are.)"))
    if action in ("look", "list"):
        return Done(shown_output(ended.output.rstrip(), ended.cut_bytes, cfg.limits.output_bytes), memory)
    did = {"new": "was started", "kill": "has ended"}.get(action, "was given that")
    return Done(f"Session {session} {did}.{'' if action == 'kill' else f' tmux look {session} shows its screen.'}", memory)


def tmux_act(action: str, session: str, text: str, cfg: ChatConfig) -> str | Problem:
    r"""The command that does ``action``, or why there is none.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> cfg = ChatConfig(ProjectConfig(Config()), conversation="c1", workspace="/w")
    >>> print(tmux_act("type", "main", "echo 'hi';", cfg))
    tmux -L turnfold-c1 -N send-keys -t =main: -l -- 'echo '"'"'hi'"'"'\;' && tmux -L turnfold-c1 -N send-keys -t =main: Enter
    """
    if confinement_of(cfg) is not None:
        message = "tmux can't be used in a sandbox, which it would be outside of: run the program with shell, or jobs, instead."
        return model_problem("not-confined", message)
    if SESSION.fullmatch(session) is None:
        return model_problem("bad-session", f"{session!r} can't be a session's name: use letters, digits, - and _ only.")
    tmux, target = tmux_server(cfg), f"-t ={session}:"
    match action:
        case "new":
            program = f" {tmux_word(text)}" if text.strip() else ""
            return f"{tmux} new-session -d -s {session} -x {COLUMNS} -y {ROWS} -c {shell_word(cfg.workspace)}{program}"
        case "type":
            typed = f"{tmux} send-keys {target} -l -- {tmux_word(text)} && " if text else ""
            return f"{typed}{tmux} send-keys {target} Enter"
        case "keys":
            keys = text.split()
            if not keys or any(KEY.fullmatch(key) is None for key in keys):
                return model_problem(
                    "bad-keys", "Write names of keys as tmux has them, with spaces between: C-c, Enter, Escape, Up, M-x, F5."
                )
            return f"{tmux} send-keys {target} -- {' '.join(map(tmux_word, keys))}"
        case "look":
            return f"{tmux} capture-pane -p -J {target} -S -{HISTORY_LINES}"
        case "list":
            return f"{tmux} list-sessions -F '#{{session_name}}: #{{pane_current_command}} in #{{pane_current_path}}'"
        case "kill":
            return f"{tmux} kill-session -t ={session}"
        case _:
            return model_problem("bad-action", f"The action must be one of {', '.join(ACTIONS)}.")


def tmux_server(cfg: ChatConfig) -> str:
    """The client of the conversation's own server; it starts none.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> tmux_server(ChatConfig(ProjectConfig(Config()), conversation="a/b"))
    'tmux -L turnfold-c14cddc033f64b9d -N'
    """
    name = cfg.conversation
    if SESSION.fullmatch(name) is None:
        name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"tmux -L turnfold-{name} -N"


def shell_word(text: str) -> str:
    """``text`` as one word of a shell.

    >>> print(shell_word("it's $HOME"))
    'it'"'"'s $HOME'
    """
    return "'" + text.replace("'", "'\"'\"'") + "'"


def tmux_word(text: str) -> str:
    r"""``text`` as one word of tmux, to which one that ends in ``;`` would end the command, as one word of a shell.

    >>> print(tmux_word("ls;"))
    'ls\;'
    """
    return shell_word(f"{text[:-1]}\\;" if text.endswith(";") else text)


def _run(script: str, cfg: ChatConfig) -> RunProcess:
    return RunProcess(
        script=script,
        cwd=cfg.workspace,
        environment=cfg.environment,
        timeout_s=cfg.limits.command_s,
        output_bytes=cfg.limits.output_bytes,
    )


def _serve(server: str, cfg: ChatConfig) -> StartJob:
    """The server, in the foreground of a job of its own; without the person's settings of tmux, which may change what keys do."""
    script = f"exec {server.removesuffix(' -N')} -f /dev/null -D"
    return StartJob(script=script, cwd=cfg.workspace, environment=cfg.environment, output_bytes=cfg.limits.output_bytes)


TMUX: ToolSpec = ToolSpec(
    name="tmux",
    description=(
        "Use a program that wants a terminal: new starts a session (the text is its command, a shell where there is none), type sends the "
        "text and Enter, keys sends keys by name (C-c, Up, Escape), look shows the screen, list, kill."
    ),
    parameters=parameters(
        ("action",),
        action=JsonObject.of(type="string", description="What to do.", enum=ACTIONS),
        session=text_parameter("The session's name; main where none is given."),
        text=text_parameter("The command, the text to type or the names of keys."),
    ),
    advance=from_generator(_tmux),
    serial=True,
    header=("action", "session"),
    body="text",
    examples=(
        Example("Start the Python debugger on a.py.", JsonObject.of(action="new", session="debug", text="python -m pdb a.py")),
        Example("What is on its screen?", JsonObject.of(action="look", session="debug", text="")),
    ),
    optional=True,
)
