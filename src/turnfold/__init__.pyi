from turnfold.core.agent.apply import apply
from turnfold.core.agent.commands.command import Command
from turnfold.core.agent.commands.table import COMMANDS
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Cancel, Delta, Document, Effect, Leave, Notice, Perform, Publish, Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import (
    Answered,
    ChunkArrived,
    CommandGiven,
    Decided,
    Failed,
    Input,
    Interrupted,
    Resumed,
    SettingsChanged,
    TimePassed,
    UserSaid,
)
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.step import execute_command, step
from turnfold.core.config.explain import Explained, Overridden, explain
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.values import Limits, ModelProfile, Provider, Rule, SecretRef, ToolFormat, Verdict
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from turnfold.core.journal import fold, load
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.generator import from_generator
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.shell.briefing import read_briefing
from turnfold.shell.desk import RunResult
from turnfold.shell.real import real_world
from turnfold.shell.run import run
from turnfold.shell.run_async import run_async
from turnfold.shell.world import World

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
