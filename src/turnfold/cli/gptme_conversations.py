"""One conversation of gptme's as one of turnfold's: its journal, and the config that it goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import final

from attrs import evolve, frozen
from returns.result import Failure

from turnfold.adapters.gptme.folders import CONFIG_BYTES, CONVERSATION, VIEWS, Source, conversation_id, read_bytes
from turnfold.adapters.gptme.journal import events_of_untrusted
from turnfold.adapters.gptme.left import Left
from turnfold.adapters.gptme.rules import Kind, Place
from turnfold.adapters.gptme.settings import read_toml_untrusted, settings_of_untrusted
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Started
from turnfold.core.agent.step import digest_of
from turnfold.core.codec.settings import read_settings_untrusted
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.missing import MISSING
from turnfold.core.config.models import find_provider
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject, JsonValue, scalar_text
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.output import counted
from turnfold.shell.catalogue import with_catalogue
from turnfold.shell.folders import Folders
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.settings import load_settings

NOTHING = Overrides()


@final
@frozen(kw_only=True)
class Library:
    """Where conversations come to: turnfold's folders, the environment, the person's home, and the workspace of those that name none.

    ``known`` are the providers that need no line in a config.
    """

    folders: Folders
    environ: Mapping[str, str]
    home: Path
    workspace: Path
    known: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class Brought:
    """How it went with one conversation, in a sentence, and what of it was left out."""

    message: str
    left: tuple[Left, ...] = ()
    sound: bool = True


@final
@frozen(kw_only=True)
class _Chat:
    """What a conversation's own config says, and what of that was left out."""

    name: str = ""
    workspace: str = ""
    settings: Overrides = NOTHING
    left: tuple[Left, ...] = ()


def bring(source: Source, library: Library, journal: SqliteJournal | None, known: frozenset[str]) -> Brought:
    """``source`` as a conversation in ``journal`` (None: nothing is kept), unless it is among the ``known`` ones already."""
    data = read_bytes(source.path)
    if isinstance(data, Problem):
        return Brought(message=data.message, sound=False)
    conversation = conversation_id(source, data)
    if conversation in known:
        return Brought(message=f"it is here already, as {conversation}")
    chat = _chat(source, library)
    cfg = _config(source, chat, conversation, library)
    digest = digest_of(cfg)
    started = Started(conversation=conversation, cfg_digest=digest, tools_digest=digest_of(BUILTIN_TOOLS))
    found = events_of_untrusted(data, started, _local_ms, int(source.path.stat().st_mtime * 1000))
    left = (*chat.left, *found.left, *_views(source), *_doubts(cfg, library))
    if not found.events:
        return Brought(message="nobody spoke in it, so there is nothing to import", left=found.left)
    if journal is not None:
        journal.keep(digest, cfg)
        journal.append(conversation, tuple(Record(number, event) for number, event in enumerate(found.events)))
    past = fold(found.events)
    calls = sum(len(message.calls) for message in past.log if isinstance(message, AssistantMessage))
    said = f"{counted(past.turns, 'turn')}, {counted(len(past.log), 'message')}, {counted(calls, 'call')}"
    return Brought(message=f"{said} → {conversation}" if journal is not None else f"{said} (a dry run: not imported)", left=left)


def _local_ms(moment: datetime) -> int:
    """Milliseconds since 1970; a time without a zone is one of this machine's, as gptme writes it."""
    return int(moment.timestamp() * 1000)


def _chat(source: Source, library: Library) -> _Chat:
    """What the conversation's config.toml says; nothing where there is none."""
    path = source.folder / "config.toml"
    if not path.exists():
        return _Chat()
    data = read_bytes(path, CONFIG_BYTES)
    if isinstance(data, Problem):
        return _Chat(left=(Left("config.toml", data.message),))
    read = read_toml_untrusted(data.decode("utf-8-sig", "replace"), "config.toml")
    if isinstance(read, Failure):
        return _Chat(left=(Left("config.toml", read.failure().message),))
    place = Place(kind=Kind.CHAT, folder=source.folder.as_posix(), home=library.home.as_posix(), known=library.known)
    converted = settings_of_untrusted(read.unwrap(), place)
    layer = read_settings_untrusted(converted.settings, "config.toml", "chat")
    faults = tuple(Left("config.toml", str(problem)) for problem in layer.failure()) if isinstance(layer, Failure) else ()
    chat = read.unwrap().get("chat")
    return _Chat(
        name=_text(chat, "name"),
        workspace=_text(chat, "workspace"),
        settings=layer.value_or(NOTHING),
        left=(*converted.left, *faults),
    )


def _text(table: JsonValue, name: str) -> str:
    value = table.get(name) if isinstance(table, JsonObject) else None
    return value if isinstance(value, str) else ""


def _config(source: Source, chat: _Chat, conversation: str, library: Library) -> ChatConfig:
    """What the conversation goes on with: its own settings over those of its workspace; a model that can't be asked is chosen anew."""
    workspace = _workspace(source, chat, library)
    loaded = load_settings(library.folders, workspace, library.environ)
    project = ProjectConfig(Config()) if isinstance(loaded, tuple) else loaded.project
    branch = source.name.removeprefix(source.folder.name)
    cfg = ChatConfig(
        project,
        conversation=conversation,
        name=scalar_text(f"{chat.name}{branch}" if chat.name else source.name),
        workspace=scalar_text(workspace.as_posix()),
        overrides=(chat.settings,),
    )
    lost = isinstance(find_provider(with_catalogue(cfg)), Problem)
    return evolve(cfg, overrides=(evolve(chat.settings, model=MISSING),)) if lost else cfg


def _workspace(source: Source, chat: _Chat, library: Library) -> Path:
    """Where the conversation was held: as its config says, else where its folder's link leads, else where you are."""
    linked = source.folder / "workspace"
    if chat.workspace and chat.workspace != "@log":
        said = library.home / chat.workspace[2:] if chat.workspace.startswith("~/") else source.folder / chat.workspace
        return library.home if chat.workspace == "~" else said
    try:
        return linked.resolve(strict=True) if linked.exists() else library.workspace
    except (OSError, RuntimeError):
        return library.workspace


def _doubts(cfg: ChatConfig, library: Library) -> tuple[Left, ...]:
    """What stands in the way of going on with the conversation."""
    loaded = load_settings(library.folders, Path(cfg.workspace), library.environ)
    broken = (
        (Left("your settings", "they are broken, so the conversation goes on without them: turnfold config check"),)
        if isinstance(loaded, tuple)
        else ()
    )
    gone = () if Path(cfg.workspace).is_dir() else (Left("workspace", f"{cfg.workspace} is not there: make it before you go on"),)
    return (*broken, *gone)


def _views(source: Source) -> tuple[Left, ...]:
    """A word for the views of a conversation, beside its main file."""
    seen = source.path.name == CONVERSATION and (source.folder / VIEWS).is_dir()
    return (Left(VIEWS, "they hold what gptme told models in place of a long beginning; turnfold makes its own summaries"),) if seen else ()
