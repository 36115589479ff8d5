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
    "AgentSpec",
    "Answered",
    "AssistantMessage",
    "Batch",
    "Call",
    "Caller",
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
    "Exporter",
    "Extension",
    "Failed",
    "FunctionTool",
    "GivenExporters",
    "History",
    "Image",
    "Input",
    "Interrupted",
    "JsonObject",
    "Leave",
    "Limits",
    "Message",
    "ModelProfile",
    "Need",
    "NotSent",
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
    "Returned",
    "Rule",
    "RunResult",
    "Script",
    "SecretRef",
    "SettingsChanged",
    "Sink",
    "Situation",
    "Step",
    "Tap",
    "TimePassed",
    "ToolCall",
    "ToolFormat",
    "ToolMessage",
    "ToolSpec",
    "Toolbox",
    "Trace",
    "UserMessage",
    "UserSaid",
    "Verdict",
    "World",
    "agent_tool",
    "apply",
    "asked",
    "equipped",
    "execute_command",
    "explain",
    "extended",
    "fold",
    "from_generator",
    "functions_of",
    "load",
    "read_briefing",
    "real_world",
    "run",
    "run_async",
    "step",
    "tool",
    "trace_of",
    "with_functions",
]


__homes__ = (  # the module that defines each name, below this package
    ("core.agent.apply", "apply"),
    ("core.agent.commands.table", "COMMANDS Command"),
    ("core.agent.draft", "Step"),
    ("core.agent.effects", "Cancel Delta Document Effect Leave Notice Perform Publish Record"),
    ("core.agent.events", "Event"),
    ("core.agent.inputs", "Answered ChunkArrived CommandGiven Decided Failed Input Interrupted"),
    ("core.agent.inputs", "Resumed SettingsChanged TimePassed UserSaid"),
    ("core.agent.state", "ChatState Past"),
    ("core.agent.step", "execute_command step"),
    ("core.config.agents", "AgentSpec History"),
    ("core.config.explain", "Explained Overridden explain"),
    ("core.config.layers", "ChatConfig Config Overrides ProjectConfig"),
    ("core.config.tables", "Exporter"),
    ("core.config.values", "Limits ModelProfile Provider Rule SecretRef ToolFormat Verdict"),
    ("core.conversation.messages", "AssistantMessage Message ToolCall ToolMessage UserMessage"),
    ("core.journal", "fold load"),
    ("core.json", "JsonObject"),
    ("core.problem", "Problem"),
    ("core.tools.agent_tool", "agent_tool"),
    ("core.tools.builtin", "BUILTIN_TOOLS"),
    ("core.tools.extension", "Extension Situation"),
    ("core.tools.generator", "Script asked from_generator"),
    ("core.tools.spec", "Call Done Need Refuse ToolSpec extended"),
    ("core.trace.fold", "trace_of"),
    ("core.trace.spans", "Trace"),
    ("core.world.answers", "Returned"),
    ("core.world.images", "Image"),
    ("shell.briefing", "read_briefing"),
    ("shell.desk", "RunResult"),
    ("shell.exporting.given", "GivenExporters"),
    ("shell.functions", "Caller FunctionTool functions_of tool with_functions"),
    ("shell.ports", "Batch NotSent Sink Tap"),
    ("shell.real", "real_world"),
    ("shell.run", "run"),
    ("shell.run_async", "run_async"),
    ("shell.toolbox", "Toolbox equipped"),
    ("shell.world", "World"),
)


def __getattr__(name: str) -> object:
    """The public ``name``: imported when it is asked for, so that ``--help`` waits for nothing; ``__init__.pyi`` says the same."""
    from importlib import import_module

    for home, names in __homes__:
        if name in names.split():
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names too, though they are not imported yet: whoever completes names sees them."""
    return sorted({*globals(), *__all__})
