"""How a run begins: a new conversation, or one that is kept, with what the arguments change of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, final

from attrs import evolve, frozen
from typing_extensions import override

from turnfold.cli.arguments import Talk
from turnfold.cli.stored import find_kept, last_kept
from turnfold.core.agent.state import ChatState, effective
from turnfold.core.config.layers import ChatConfig, Overrides, ProjectConfig, agent_layer
from turnfold.core.config.missing import MISSING, Missing
from turnfold.core.config.models import missing_agent
from turnfold.core.config.said import Said, saying
from turnfold.core.config.tables import Sandbox, SandboxProfile
from turnfold.core.config.values import Preset
from turnfold.core.journal import load
from turnfold.core.problem import Problem, caller_problem, did_you_mean
from turnfold.core.tools.builtin.subagent import SUBAGENT
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.catalogue import with_catalogue
from turnfold.shell.ports import Models
from turnfold.shell.scope import Scope
from turnfold.shell.toolbox import Toolbox
from turnfold.shell.world import World

Brief: TypeAlias = Callable[[World, ChatConfig], ChatConfig]
Equip: TypeAlias = Callable[[ChatConfig], Toolbox | Problem]

DRY_GENERATIONS = 8  # a model that is told "not done" again and again should not go on for long


@final
@frozen(kw_only=True)
class Opening:
    """Where a run begins, and with which tools. ``change``: what the arguments change of a conversation that goes on."""

    state: ChatState
    cfg: ChatConfig
    box: Toolbox
    change: Overrides | None = None
    resumed: bool = False


def open_new(plan: Talk, project: ProjectConfig, workspace: Path, equip: Equip, world: World, briefed: Brief) -> Opening | Problem:
    """A new conversation, with a model and a briefing (which ``briefed`` lays in) unless all that is asked for is a command."""
    cfg = ChatConfig(
        project,
        conversation=world.clock.new_id(),
        name=plan.name,
        workspace=workspace.as_posix(),
        model=plan.model or MISSING,
        agent=plan.agent or MISSING,
        tools=MISSING if plan.tools is None else plan.tools,
        sandbox=_sandbox(plan),
        permission=Preset(plan.permission) if plan.permission else MISSING,
    )
    cfg = evolve(cfg, limits=evolve(cfg.limits, generations=min(cfg.limits.generations, DRY_GENERATIONS))) if plan.dry_run else cfg
    box = equip(cfg)
    if isinstance(box, Problem):
        return box
    wrong = unknown_tool(cfg.tools, box.tools) or (missing_agent(cfg) if _for_a_model(plan) else None)
    if wrong is not None:
        return wrong
    ready = _with_model(plan, cfg, world)
    if isinstance(ready, Problem):
        return ready
    return Opening(state=ChatState(), cfg=briefed(world, ready) if _for_a_model(plan) else ready, box=box)


def _with_model(plan: Talk, cfg: ChatConfig, world: World) -> ChatConfig | Problem:
    """``cfg`` with a model, unless all that is asked for is a command."""
    return world.models.choose(cfg) if _for_a_model(plan) else cfg


def _for_a_model(plan: Talk) -> bool:
    """Whether a model is told something: a command tells none, but for the one whose child has its parent's model and briefing."""
    return not plan.prompt.startswith("/") or plan.prompt.split()[0] == f"/{SUBAGENT.name}"


def open_kept(plan: Talk, wanted: str, workspace: Path, equip: Equip, world: World) -> Opening | Problem:
    """The conversation that ``--resume`` names; raises ``JournalError`` where it can't be read."""
    kept = world.journal.find()
    found = find_kept(kept, wanted) if wanted else last_kept(kept, workspace.as_posix())
    if isinstance(found, Problem):
        return found
    if wanted and plan.workspace and found.workspace != workspace.as_posix():
        message = f"Conversation {found.conversation} works in {found.workspace}, not in {workspace}: leave --workspace out, or begin a new one there."
        return caller_problem("other-workspace", message)
    if not Path(found.workspace).is_dir():
        message = f"The workspace {found.workspace} of this conversation is gone: make it again, or begin a new conversation."
        return caller_problem("bad-workspace", message)
    state = load(world.journal.load(found.conversation))
    cfg = with_catalogue(evolve(world.journal.config(state.past.cfg_digest), conversation=found.conversation))
    box = equip(effective(cfg, state.past))
    if isinstance(box, Problem):
        return box
    change = _change(plan, effective(cfg, state.past), box.tools, world)
    if isinstance(change, Problem):
        return change
    ready = cfg if plan.model or effective(cfg, state.past).model else _with_model(plan, cfg, world)
    return ready if isinstance(ready, Problem) else Opening(state=state, cfg=ready, box=box, change=change, resumed=True)


def _change(plan: Talk, now: ChatConfig, tools: tuple[ToolSpec, ...], world: World) -> Overrides | Problem | None:
    if not plan.model and not plan.agent and not plan.sandbox and plan.tools is None and not plan.permission:
        return None
    wrong = unknown_tool(plan.tools, tools) or (
        missing_agent(evolve(now, overrides=(Overrides(agent=plan.agent), *now.overrides))) if plan.agent else None
    )
    if wrong is not None:
        return wrong
    led = next((agent_layer(agent) for agent in now.agents if agent.name == plan.agent), Overrides())
    allowed = evolve(led, permission=Preset(plan.permission)) if plan.permission else led
    change = evolve(allowed if plan.tools is None else evolve(allowed, tools=plan.tools), sandbox=_sandbox(plan))
    if not plan.model:
        return change
    named = evolve(change, model=plan.model)
    chosen = world.models.choose(evolve(now, overrides=(named, *now.overrides)))
    return chosen if isinstance(chosen, Problem) else named


def _sandbox(plan: Talk) -> Said[Sandbox] | Missing:
    return saying((("profile", SandboxProfile(plan.sandbox)),)) if plan.sandbox else MISSING


def unknown_tool(names: tuple[str, ...] | None, tools: tuple[ToolSpec, ...]) -> Problem | None:
    """What is wrong with a list of tools, or None."""
    known = tuple(tool.name for tool in tools)
    for said in names or ():
        name = said.removeprefix("+").removeprefix("-")
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}."
            return caller_problem("unknown-tool", f"There is no tool {name[:60]!r}{hint}", "$.tools")
    return None


@final
@frozen(eq=False)
class SettledModels(Models):
    """Models for a run whose model was chosen when it was opened, or that needs none: nothing is chosen again."""

    models: Models

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        return cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        return self.models.stream(request, body, scope)

    @override
    def close(self) -> None:
        self.models.close()
