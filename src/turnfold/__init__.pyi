from turnfold.core.agent.apply import apply
from turnfold.core.agent.asked import Question, questions_of
from turnfold.core.agent.commands.command import Command
from turnfold.core.agent.commands.table import COMMANDS
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Cancel, Delta, Document, Effect, Leave, Notice, Perform, Progress, Publish, Record
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
from turnfold.core.codec.stream import item_event, item_line
from turnfold.core.config.agents import AgentSpec, History
from turnfold.core.config.explain import Explained, Overridden, explain
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.tables import Exporter
from turnfold.core.config.values import AtGenerations, Limits, ModelProfile, Provider, Rule, SecretRef, ToolFormat, Verdict
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.journal import fold, load
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.stream.follow import follow
from turnfold.core.stream.items import (
    ArgumentsDelta,
    Item,
    MessageDone,
    PermissionAsked,
    PermissionDecided,
    ReasoningDelta,
    ReplyDropped,
    ReplyStarted,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolCallComplete,
    ToolCallStarted,
    ToolOutput,
    ToolProgress,
    TurnEnded,
    TurnStarted,
    UsageTold,
)
from turnfold.core.stream.position import Position, parse_position_untrusted
from turnfold.core.tools.agent_tool import agent_tool
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.extension import Extension, Situation
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec, extended
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.spans import Trace
from turnfold.core.world.answers import Returned
from turnfold.core.world.images import Image
from turnfold.shell.briefing import read_briefing
from turnfold.shell.desk import RunResult
from turnfold.shell.exporting.given import GivenExporters
from turnfold.shell.functions import Caller, FunctionTool, decoded, functions_of, output_of, tool, with_functions
from turnfold.shell.ports import Batch, NotSent, Sink, Tap
from turnfold.shell.real import real_world
from turnfold.shell.run import run
from turnfold.shell.run_async import run_async
from turnfold.shell.streaming.stream import Stream
from turnfold.shell.streaming.streamed import Leaving, run_streamed
from turnfold.shell.toolbox import Toolbox, equipped
from turnfold.shell.world import World

__all__ = [
    "BUILTIN_TOOLS",
    "COMMANDS",
    "AgentSpec",
    "Answered",
    "ArgumentsDelta",
    "AssistantMessage",
    "AtGenerations",
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
    "Item",
    "JsonObject",
    "Leave",
    "Leaving",
    "Limits",
    "Message",
    "MessageDone",
    "ModelProfile",
    "Need",
    "NotSent",
    "Notice",
    "Overridden",
    "Overrides",
    "Past",
    "Perform",
    "PermissionAsked",
    "PermissionDecided",
    "Position",
    "Problem",
    "Progress",
    "ProjectConfig",
    "Provider",
    "Publish",
    "Question",
    "ReasoningDelta",
    "Record",
    "Refuse",
    "ReplyDropped",
    "ReplyStarted",
    "Resumed",
    "Returned",
    "Rule",
    "RunEnded",
    "RunResult",
    "RunStarted",
    "Script",
    "SecretRef",
    "SettingsChanged",
    "Sink",
    "Situation",
    "Step",
    "Stream",
    "Tap",
    "TextDelta",
    "TimePassed",
    "ToolCall",
    "ToolCallComplete",
    "ToolCallStarted",
    "ToolFormat",
    "ToolMessage",
    "ToolOutput",
    "ToolProgress",
    "ToolSpec",
    "Toolbox",
    "Trace",
    "TurnEnded",
    "TurnStarted",
    "UsageTold",
    "UserMessage",
    "UserSaid",
    "Verdict",
    "World",
    "agent_tool",
    "apply",
    "asked",
    "decoded",
    "equipped",
    "execute_command",
    "explain",
    "extended",
    "fold",
    "follow",
    "from_generator",
    "functions_of",
    "item_event",
    "item_line",
    "load",
    "output_of",
    "parse_position_untrusted",
    "questions_of",
    "read_briefing",
    "real_world",
    "run",
    "run_async",
    "run_streamed",
    "step",
    "tool",
    "trace_of",
    "with_functions",
]
