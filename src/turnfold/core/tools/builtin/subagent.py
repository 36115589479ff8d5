"""The tool ``subagent``: a task done by a conversation of its own, which shares nothing with this one but the files.

Several calls of one round run side by side where the driver can. What the child says last is all that comes back.
"""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import integer_argument, parameters, text_argument, text_parameter, texts_argument, texts_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.requests import StartChild

MOST_TOOLS = 100


def _subagent(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Start the child, and tell what it came to."""
    task = text_argument(arguments, "task")
    if not task.strip():
        return Refuse(model_problem("no-task", "Say in task what shall be done, with all that is needed to know.", "$.task"))
    request = StartChild(
        task=task,
        agent=text_argument(arguments, "agent"),
        tools=texts_argument(arguments, "tools") if "tools" in arguments else None,
        generations=_count(arguments, "model_calls"),
        tokens=_count(arguments, "tokens"),
    )
    ended = yield from asked(request, ChildEnded)
    if isinstance(ended, Problem):
        return Refuse(ended)
    said = limit_text(ended.text, cfg.limits.output_bytes).rstrip("\n") or "(it said nothing)"
    if ended.ok:
        return Done(f"{said}\n(conversation {ended.conversation})")
    return Done(f"The task was not finished. {said}\n(conversation {ended.conversation})", ok=False)


def _count(arguments: JsonObject, name: str) -> int | None:
    return integer_argument(arguments, name, 0) or None


def _count_parameter(description: str) -> JsonObject:
    return JsonObject.of(type="integer", description=description, minimum=1)


SUBAGENT: ToolSpec = ToolSpec(
    name="subagent",
    description=(
        "Have a task done by another conversation, and get its answer. It knows nothing of this one and can't ask you: say all that is "
        "needed. Good for what can be done alone, or side by side (several calls at once), and would fill this conversation."
    ),
    parameters=parameters(
        ("task",),
        task=text_parameter("What shall be done, and what the answer shall say.", least=1),
        agent=text_parameter("Who does it, of the agents in the user's config; this conversation's settings where it is missing."),
        tools=texts_parameter("The tools that it may use, of yours; all where it is missing.", MOST_TOOLS),
        model_calls=_count_parameter("The most model calls it may take."),
        tokens=_count_parameter("The most tokens it may use."),
    ),
    advance=from_generator(_subagent),
    body="task",
    examples=(
        Example(
            "Which of our modules lack tests?",
            JsonObject.of(task="List the modules under src/ that no file under tests/ imports. Answer with their paths, one a line."),
        ),
    ),
)
