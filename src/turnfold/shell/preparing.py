"""What a run starts with: an id for its conversation, a model, and what the person's words name."""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.commands.table import asks_model
from turnfold.core.agent.inputs import CommandGiven, Input, UserSaid
from turnfold.core.agent.state import ChatState, effective
from turnfold.core.config.briefing import Briefing
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import find_provider, has_catalogue, profile_of
from turnfold.core.problem import Problem
from turnfold.core.world.answers import EntryKind
from turnfold.core.world.permission import Allow, permit
from turnfold.core.world.requests import ListFiles
from turnfold.shell.hygiene import clean_briefing, known_mask
from turnfold.shell.world import World

UNBRIEFED = Briefing()
LISTED = 1000  # names of the workspace that are looked at for what the person may mean


@final
@frozen
class Ready:
    """What a run starts with: the config with all that it needs, and the first input."""

    cfg: ChatConfig
    first: Input


def asks_the_world(first: Input, state: ChatState, cfg: ChatConfig, *, rules: bool = False) -> bool:
    """Whether :func:`prepared` may take long: a model has to be found, or the workspace looked at."""
    now = effective(cfg, state.past)
    return (rules or _wants_model(first)) and (isinstance(find_provider(now), Problem) or profile_of(now).names_files)


def _wants_model(first: Input) -> bool:
    return isinstance(first, UserSaid) or (isinstance(first, CommandGiven) and asks_model(first.command))


def prepared(first: Input, state: ChatState, cfg: ChatConfig, world: World, *, rules: bool = False) -> Ready | Problem:
    """``cfg`` with an id for the conversation and, where ``first`` starts a turn that needs one, a model chosen, with what is known of it.

    What the person says gets the files that it names and that are there as context, where the model's profile wants them. ``rules``:
    there are some, and what they give may need a model, too.
    """
    conversation = state.past.conversation or cfg.conversation or world.clock.new_id()
    briefing = clean_briefing(cfg.briefing, known_mask(cfg, world.secrets)) if cfg.briefing != UNBRIEFED else UNBRIEFED
    same = cfg.conversation == conversation and cfg.briefing == briefing
    known = cfg if same else evolve(cfg, conversation=conversation, briefing=briefing)
    if not rules and not _wants_model(first):
        return Ready(known, first)
    chosen = has_catalogue(known) and not isinstance(find_provider(effective(known, state.past)), Problem)
    ready = known if chosen else world.models.choose(known)
    if not isinstance(first, UserSaid):
        return Ready(known if isinstance(ready, Problem) else ready, first)  # the command itself says what it lacks
    if isinstance(ready, Problem):
        return ready
    return Ready(ready, _with_files_named(first, effective(ready, state.past), world))


def _with_files_named(said: UserSaid, cfg: ChatConfig, world: World) -> UserSaid:
    request = ListFiles(path=cfg.workspace, limit=LISTED)
    if not profile_of(cfg).names_files or not isinstance(permit(request, cfg), Allow):
        return said
    listed = world.files.list(request)
    if isinstance(listed, Problem):
        return said
    named = ", ".join(entry.name for entry in listed.entries if entry.kind is EntryKind.FILE and entry.name in said.text)
    return evolve(said, context="\n\n".join(part for part in (said.context, f"Files: {named}") if part)) if named else said
