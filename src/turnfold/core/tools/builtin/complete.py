"""The tool ``complete``: the turn's end with a result, without another call of the model.

For programs that embed an agent: ``result`` is what they read (``RunResult.result``), ``text`` what a person does. Where another call
of the same round failed, the turn goes on, since its model has not heard of that yet.
"""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec


def _complete(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """End the turn with the text."""
    yield from ()  # nothing in the world is needed
    text = text_argument(arguments, "text")
    if not text.strip():
        return Refuse(model_problem("no-result", "Say the result in text, or end your turn by saying it in plain words.", "$.text"))
    return Done(text, ends=True)


COMPLETE: ToolSpec = ToolSpec(
    name="complete",
    description="End your turn with its result, when all that was asked is done. Nothing you would say afterwards is heard.",
    parameters=parameters(
        ("text",),
        text=text_parameter("The result, as the user reads it.", least=1),
        result=JsonObject.of(type="object", description="The result for a program, where one is asked for."),
    ),
    advance=from_generator(_complete),
    body="text",
    examples=(Example("Fix the test, and say in a sentence what was wrong.", JsonObject.of(text="The loop stopped one item too early.")),),
    optional=True,
)
