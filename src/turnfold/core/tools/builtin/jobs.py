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

FORMS = "start COMMAND, list, output JOB or stop JOB"


def _jobs(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Start a command in the workspace, or ask after one."""
    text = text_argument(arguments, "do").strip()
    action = text.split(maxsplit=1)[0] if text else "list"
    rest = text.removeprefix(action).strip()
    alone = len(rest.split()) == 1
    if not ((action == "start" and rest) or (action == "list" and not rest) or (action in ("output", "stop") and alone)):
        return Refuse(model_problem("bad-action", f"That is nothing that jobs can do. Write {FORMS}."))
    if action == "start":
        start = StartJob(
            script=rest,
            cwd=cfg.workspace,
            environment=cfg.environment,
            output_bytes=cfg.limits.output_bytes,
            confinement=confinement_of(cfg),
        )
        started = yield from asked(start, JobStarted)
        return Refuse(started) if isinstance(started, Problem) else Done(started_text(started), memory)
    ask = AskJob(job=rest, stop=action == "stop", output_bytes=cfg.limits.output_bytes)
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
        f"Run a command in the background, such as a server, and look after it: {FORMS}. A command is run by bash in the workspace; "
        "start gives the job its name. All jobs end with this conversation."
    ),
    parameters=parameters((), do=text_parameter(f"{FORMS}; nothing lists the jobs.")),
    advance=from_generator(_jobs),
    serial=True,
    body="do",
    examples=(
        Example("Start the web server.", JsonObject.of(do="start python -m http.server 8000")),
        Example("What has job k3f9 printed?", JsonObject.of(do="output k3f9")),
    ),
)
