"""The tool ``jobs``: commands that go on in the background, such as a server, while the conversation does.

They live in the shell, so the tool remembers nothing: a conversation that is gone on with in another process has none, and is told so.
"""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import counted, shown_output
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import JobStarted, JobTold
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import AskJob, StartJob

ACTIONS = ("start", "list", "output", "stop")


def _jobs(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Start a command in the workspace, or ask after one."""
    action, job, command = (text_argument(arguments, name).strip() for name in ("action", "job", "command"))
    if action not in ACTIONS or (action in ("output", "stop") and not job):
        known = "output and stop need a job" if action in ACTIONS else f"the action must be one of {', '.join(ACTIONS)}"
        return Refuse(model_problem("bad-action", f"{known}: write jobs list to see which there are.".capitalize()))
    if action == "start" and not command:
        return Refuse(model_problem("no-command", "There is no command to start: write it below the line `jobs start`."))
    if action == "start":
        start = StartJob(
            script=text_argument(arguments, "command"),
            cwd=cfg.workspace,
            environment=cfg.environment,
            output_bytes=cfg.limits.output_bytes,
            confinement=confinement_of(cfg),
        )
        started = yield from asked(start, JobStarted)
        return Refuse(started) if isinstance(started, Problem) else Done(started_text(started), memory)
    ask = AskJob(job="" if action == "list" else job, stop=action == "stop", output_bytes=cfg.limits.output_bytes)
    told = yield from asked(ask, JobTold)
    return Refuse(told) if isinstance(told, Problem) else Done(_said(told, cfg, listed=action == "list"), memory)


def started_text(started: JobStarted) -> str:
    """What is said of a job that was started.

    >>> started_text(JobStarted("k3f9"))
    'Job k3f9 was started and runs in the background: jobs output k3f9 shows what it prints, jobs stop k3f9 ends it.'
    """
    job = started.job
    return f"Job {job} was started and runs in the background: jobs output {job} shows what it prints, jobs stop {job} ends it."


def _said(told: JobTold, cfg: ChatConfig, *, listed: bool) -> str:
    if listed:
        return told.output.rstrip("\n") or "There are no background jobs."
    output = shown_output(told.output, told.cut_bytes, cfg.limits.output_bytes)
    were = "was" if told.cut_bytes == 1 else "were"
    cut = f"\n({counted(told.cut_bytes, 'byte')} {were} left out in the middle of the output)" if told.cut_bytes else ""
    return f"{output}{cut}\n({job_state(told)})"


def job_state(told: JobTold) -> str:
    """How a job is, in a few words.

    >>> job_state(JobTold(job="a1", output="")), job_state(JobTold(job="a1", output="", exit_code=-15))
    ('job a1 is still running', 'job a1 was ended by signal 15')
    """
    if told.exit_code is None:
        return f"job {told.job} is still running"
    ended = f"was ended by signal {-told.exit_code}" if told.exit_code < 0 else f"has ended with exit code {told.exit_code}"
    return f"job {told.job} {ended}"


JOBS: ToolSpec = ToolSpec(
    name="jobs",
    description=(
        "Run a command in the background, such as a server, and look after it: start (with the command as text), list, output, stop. "
        "A job ends with the conversation's process."
    ),
    parameters=parameters(
        ("action",),
        action=JsonObject.of(type="string", description="What to do.", enum=ACTIONS),
        job=text_parameter("The job, by the name that start gave it; for output and stop."),
        command=text_parameter("The command, for start; run by bash in the workspace."),
    ),
    advance=from_generator(_jobs),
    serial=True,
    header=("action", "job"),
    body="command",
    examples=(
        Example("Start the web server.", JsonObject.of(action="start", command="python -m http.server 8000")),
        Example("What has job k3f9 printed?", JsonObject.of(action="output", job="k3f9", command="")),
    ),
)
