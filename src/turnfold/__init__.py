"""turnfold runs AI-agent conversations as folds over turns: a purely functional core, and a thin shell around it.

>>> from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, execute_command
>>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/tmp/demo")
>>> step = execute_command("/shell ls -la", BUILTIN_TOOLS, cfg)  # pure: nothing has happened
>>> step.effects[-1].request.script, step.effects[-1].request.cwd
('ls -la', '/tmp/demo')
>>> step == execute_command("/shell ls -la", BUILTIN_TOOLS, cfg)
True
"""

__all__ = [
    "BUILTIN_TOOLS",
    "COMMANDS",
    "Answered",
    "AssistantMessage",
    "Call",
    "Cancel",
    "ChatConfig",
    "ChatState",
    "ChunkArrived",
    "Command",
    "CommandGiven",
    "Config",
    "Decided",
    "Delta",
    "Document",
    "Done",
    "Effect",
    "Event",
    "Explained",
    "Failed",
    "Input",
    "Interrupted",
    "JsonObject",
    "Leave",
    "Limits",
    "ModelProfile",
    "Need",
    "Notice",
    "Overridden",
    "Overrides",
    "Past",
    "Perform",
    "Problem",
    "ProjectConfig",
    "Provider",
    "Publish",
    "Record",
    "Refuse",
    "Resumed",
    "Rule",
    "RunResult",
    "SecretRef",
    "SettingsChanged",
    "Step",
    "TimePassed",
    "ToolCall",
    "ToolFormat",
    "ToolMessage",
    "ToolSpec",
    "UserMessage",
    "UserSaid",
    "Verdict",
    "World",
    "apply",
    "execute_command",
    "explain",
    "fold",
    "from_generator",
    "load",
    "read_briefing",
    "real_world",
    "run",
    "run_async",
    "step",
]


def __getattr__(name: str) -> object:
    """The public ``name``, from the module that makes it: imported when it is asked for, so that ``turnfold --help`` waits for nothing.

    ``__init__.pyi`` says the same to type checkers; tests/meta/test_front_door.py holds the two together.
    """
    from importlib import import_module

    homes = (
        ("core.agent.apply", "apply"),
        ("core.agent.commands.command", "Command"),
        ("core.agent.commands.table", "COMMANDS"),
        ("core.agent.draft", "Step"),
        ("core.agent.effects", "Cancel Delta Document Effect Leave Notice Perform Publish Record"),
        ("core.agent.events", "Event"),
        ("core.agent.inputs", "Answered ChunkArrived CommandGiven Decided Failed Input Interrupted"),
        ("core.agent.inputs", "Resumed SettingsChanged TimePassed UserSaid"),
        ("core.agent.state", "ChatState Past"),
        ("core.agent.step", "execute_command step"),
        ("core.config.explain", "Explained Overridden explain"),
        ("core.config.layers", "ChatConfig Config Overrides ProjectConfig"),
        ("core.config.values", "Limits ModelProfile Provider Rule SecretRef ToolFormat Verdict"),
        ("core.conversation.messages", "AssistantMessage ToolCall ToolMessage UserMessage"),
        ("core.journal", "fold load"),
        ("core.json", "JsonObject"),
        ("core.problem", "Problem"),
        ("core.tools.builtin", "BUILTIN_TOOLS"),
        ("core.tools.generator", "from_generator"),
        ("core.tools.spec", "Call Done Need Refuse ToolSpec"),
        ("shell.briefing", "read_briefing"),
        ("shell.desk", "RunResult"),
        ("shell.real", "real_world"),
        ("shell.run", "run"),
        ("shell.run_async", "run_async"),
        ("shell.world", "World"),
    )
    for home, names in homes:
        if name in names.split():
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names too, though they are not imported yet: whoever completes names sees them."""
    return sorted({*globals(), *__all__})
