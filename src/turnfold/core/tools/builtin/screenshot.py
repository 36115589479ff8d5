"""The tool ``screenshot``: the person's screen, by the program for it that is there."""

from __future__ import annotations

import posixpath

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.builtin.vision import image_at, shown
from turnfold.core.tools.files import find_target
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import RunProcess

DEFAULT = "screenshot.png"
TIMEOUT_S = 30.0
NONE_THERE = 91  # the script's own exit codes
IN_THE_WAY = 92

# The first that is there and succeeds; each is told of none but the file. What a Wayland compositor has is tried before what X11 has.
PROGRAMS: tuple[str, ...] = (
    'grim "$file"',
    'spectacle --background --nonotify --output "$file"',
    'gnome-screenshot --file="$file"',
    'scrot --silent "$file"',
    'maim "$file"',
    'import -window root "$file"',
    'screencapture -x "$file"',
)


def _screenshot(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Have the screen put into a file that is not there yet, and show it."""
    name = text_argument(arguments, "path") or DEFAULT
    target = find_target(JsonObject.of(path=name), cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    if posixpath.splitext(target.path)[1].lower() != ".png":
        return Refuse(model_problem("bad-path", f"{target.name} does not end in .png: a screenshot is a PNG file.", "$.path"))
    request = RunProcess(
        script=script_for(target.path),
        cwd=cfg.workspace,
        environment=cfg.environment,
        timeout_s=min(TIMEOUT_S, cfg.limits.command_s),
        output_bytes=cfg.limits.output_bytes,
        confinement=confinement_of(cfg),
    )
    ended = yield from asked(request, ProcessEnded)
    wrong = ended if isinstance(ended, Problem) else _failed(ended, target.name)
    if wrong is not None:
        return Refuse(wrong)
    image = yield from image_at(target, cfg)
    if isinstance(image, Problem):
        return Refuse(image)
    done = shown(target.name, image)
    return Done(f"The screen is in {done.text}.", images=done.images)


def script_for(path: str) -> str:
    """The bash script that puts the screen into the file ``path``, with whichever program is there and can.

    >>> script_for("/w/a.png").splitlines()[0]
    "file='/w/a.png'"
    """
    quoted = path.replace("'", "'\\''")
    lines = (f'  {line.partition(" ")[0]}) {line} && [ -s "$file" ] && exit 0 ;;' for line in PROGRAMS)
    names = " ".join(line.partition(" ")[0] for line in PROGRAMS)
    return "\n".join(
        (
            f"file='{quoted}'",
            f'{{ [ -e "$file" ] || [ -L "$file" ]; }} && exit {IN_THE_WAY}',  # a link to nothing leads elsewhere
            f"found={NONE_THERE}",
            f"for program in {names}; do",
            'command -v "$program" >/dev/null || continue',
            "found=1",
            'case "$program" in',
            *lines,
            "esac",
            "done",
            'exit "$found"',
        )
    )


def _failed(ended: ProcessEnded, name: str) -> Problem | None:
    if ended.timed_out:
        return world_problem("time-out", "The screenshot took too long: a dialog may wait for the user, who must allow it once.")
    if ended.exit_code == IN_THE_WAY:
        return model_problem("exists", f"There is a file {name} already: give another path.", "$.path")
    if ended.exit_code == NONE_THERE:
        names = ", ".join(line.partition(" ")[0] for line in PROGRAMS)
        return world_problem("no-program", f"There is no program for screenshots here: tell the user to install one of {names}.")
    if ended.exit_code != 0:
        said = ended.output.strip()[-500:] or f"exit code {ended.exit_code}"
        return world_problem("no-screen", f"The screen could not be read ({said}): go on without it, or tell the user.")
    return None


SCREENSHOT: ToolSpec = ToolSpec(
    name="screenshot",
    description="Take a picture of the user's screen, save it as a PNG file, and look at it.",
    parameters=parameters((), path=text_parameter(f"The new file, relative to the workspace; by default {DEFAULT}.", least=1)),
    advance=from_generator(_screenshot),
    header=("path",),
    examples=(Example("What is on my screen?", JsonObject.of(path="screen.png")),),
    optional=True,
)
