"""The system prompt: what a model is told before anything is said. The same arguments give the same text, byte for byte."""

from __future__ import annotations

from turnfold.core.config.briefing import Skill
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import User
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject, dumps
from turnfold.core.llm.call_format import TextFormat, text_format
from turnfold.core.llm.enclosing import enclosed
from turnfold.core.tools.spec import Example, ToolSpec

GENERAL = """\
You are an agent that works in a folder on the user's computer, the workspace. You act only through tools.

- Do what was asked with the tools instead of explaining how it could be done. Take the shortest way.
- Look before you change: read a file before you edit it.
- You know what a tool did only from its output. Report that truthfully, errors too. Never invent an output, and never say that \
something was done when no tool did it.
- When a call fails, read why, and try something else. If you can't go on, say so and ask.
- When the task is done, say in a sentence or two what you did, and call no more tools."""

ABOUT_TEXTS = """\
# What is known of the project

Each text stands below the name of its file, or below the command that printed it. Follow what these texts ask of whoever works here, \
as far as the user does not say otherwise."""

ABOUT_SKILLS = """\
# Skills

When a task fits one of these descriptions, read the file named behind it first, and do as it says; what it refers to lies in its \
folder."""


def system_prompt(cfg: ChatConfig, tools: tuple[ToolSpec, ...], format: ToolFormat, profile: str = "", added: str = "") -> str:
    """What the model is told first: how to work, how to call ``tools`` in ``format``, the workspace, who is talking, the texts
    and skills of the briefing, what the person wants (``cfg.instructions``), and last what a program has ``added``. What is empty takes no word.

    ``profile``: a model profile's own instructions; where not empty they replace all of it but what the person wants, and what was added. They are
    for models that are small, or made for one job: a project's guide would only drown those.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> system_prompt(ChatConfig(ProjectConfig(Config())), (), ToolFormat.NATIVE, "You are small.")
    'You are small.'
    """
    instructions = (f"# What the user wants of you\n\n{cfg.instructions}",) if cfg.instructions else ()
    wanted = (*instructions, added) if added else instructions
    if profile:
        return "\n\n".join((profile, *wanted))
    workspace = f"The workspace is {cfg.workspace}; paths are relative to it."
    return "\n\n".join((GENERAL, *_calling(tools, format), workspace, *_person(cfg.user), *_briefed(cfg, tools), *wanted))


def _person(user: User) -> tuple[str, ...]:
    """Who is talking."""
    said = (("Name: ", user.name), ("About: ", user.about), ("Answers should be: ", user.style))
    lines = tuple(label + text.strip() for label, text in said if text.strip())
    return ("# The user\n\n" + "\n".join(lines),) if lines else ()


def _briefed(cfg: ChatConfig, tools: tuple[ToolSpec, ...]) -> tuple[str, ...]:
    """The briefing's texts, each in a fence, and its skills where tools could look into them."""
    texts = tuple(enclosed(each.name, each.text) for each in cfg.briefing.texts)
    skills = "\n".join(map(_listed, cfg.briefing.skills)) if tools else ""
    return ((ABOUT_TEXTS, *texts) if texts else ()) + ((f"{ABOUT_SKILLS}\n\n{skills}",) if skills else ())


def _listed(skill: Skill) -> str:
    return f"- {skill.name}: {skill.description} ({skill.path})"


def _calling(tools: tuple[ToolSpec, ...], format: ToolFormat) -> tuple[str, ...]:
    form = text_format(format)
    if form is None or not tools:
        return ()  # a native request itself carries the tools
    return (form.about, *(_described(tool, form) for tool in tools))


def _described(tool: ToolSpec, form: TextFormat) -> str:
    """A tool as the model learns it: what it does, and calls as it would write them."""
    shown = "\n\n".join(_example(tool, example, form) for example in tool.examples) or form.sample(tool)
    return "\n\n".join((f"## {tool.name}", tool.description, *_json_only(tool), shown))


def _json_only(tool: ToolSpec) -> tuple[str, ...]:
    """The schemas of the parameters that only JSON can give; nothing for a tool whose line and text say all."""
    properties = tool.parameters.get("properties")
    if not isinstance(properties, JsonObject):
        return ()
    members = tuple((name, schema) for name, schema in properties.items() if name not in (*tool.header, tool.body))
    return (f"Arguments as JSON: {dumps(JsonObject(members))}",) if members else ()


def _example(tool: ToolSpec, example: Example, form: TextFormat) -> str:
    return f"User: {example.ask}\nAssistant:\n{form.render(ToolCall(tool.name, example.arguments), tool)}"
