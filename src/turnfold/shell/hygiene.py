"""What comes in from the world, fit to be told and kept: no secret's value in it, no escapes of terminals, nothing that is no UTF-8.

Everything that reaches a conversation goes through here before ``step`` sees it: outcomes (:func:`clean`, called by ``perform``), what a
person says (:func:`clean_input`, called by the desk) and the briefing. So the value of a known secret is in no state, journal, trace,
model call or terminal: a model is told none, so it can tell none, and what its server repeats in one piece is masked.
A file's text keeps its escapes, since it may be written back; the mark of a secret in it is written back as the value, where the
file that is replaced held that (:func:`with_secrets`).
"""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from turnfold.core.agent.inputs import CommandGiven, Decided, Input, UserSaid
from turnfold.core.config.briefing import Briefing
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.secret_names import secret_names
from turnfold.core.config.values import Environment
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject, JsonValue, scalar_text
from turnfold.core.problem import Problem
from turnfold.core.world.answers import (
    Answer,
    BrowserSeen,
    ChatsFound,
    ChildEnded,
    FileRead,
    FilesChanged,
    FilesListed,
    FilesSearched,
    FileWritten,
    HumanSaid,
    ImageRead,
    IndexSearched,
    JobStarted,
    JobTold,
    ProcessEnded,
    PythonEnded,
    Returned,
    StreamEnded,
    UrlFetched,
    Waited,
)
from turnfold.core.world.requests import ChangeFiles, ReadFile, WriteFile
from turnfold.shell.masking import Mask, Secret, mask_of, restored
from turnfold.shell.plain_text import plain_text
from turnfold.shell.ports import Files, Secrets

W = TypeVar("W", WriteFile, ChangeFiles)
PORT_BYTES = 1_000_000_000  # of a file that is written back; the conversation's own limit was kept when it was read


def known_mask(cfg: ChatConfig, secrets: Secrets) -> Mask:
    """What masks the secrets that ``cfg`` knows of."""
    values = ((name, (secrets.value(name) or "").strip()) for name in secret_names(cfg, secrets.names()))
    return mask_of(Secret(name, value) for name, value in values)


def clean(outcome: Answer | Problem, mask: Mask) -> Answer | Problem:
    """``outcome`` as it may be told and kept. A folder that a command ended in stays as it is: it is a path to go on with."""
    match outcome:
        case Problem(message=message, path=path):
            return evolve(outcome, message=_shown(message, mask), path=_shown(path, mask))
        case FileRead(text=text):
            return evolve(outcome, text=mask.text(text))
        case ProcessEnded(environment=environment, cwd=cwd):
            kept = _variables(environment, mask)
            return evolve(outcome, output=printed(outcome, mask), environment=kept, cwd=scalar_text(cwd))
        case PythonEnded(output=output, cut_bytes=cut) | JobTold(output=output, cut_bytes=cut):
            return evolve(outcome, output=_output(output, cut, mask))
        case UrlFetched(text=text, cut_bytes=cut, url=url):
            return evolve(outcome, text=_output(text, cut, mask), url=_shown(url, mask), media_type=_shown(outcome.media_type, mask))
        case BrowserSeen(text=text, cut_bytes=cut, url=url, title=title):
            return evolve(outcome, text=_output(text, cut, mask), url=_shown(url, mask), title=_shown(title, mask))
        case Returned(text=text) | ChildEnded(text=text):
            return evolve(outcome, text=_shown(text, mask))
        case HumanSaid(values=values):
            return evolve(outcome, values=_object(values, mask))
        case FilesListed() | FilesSearched() | IndexSearched() | ChatsFound():
            return _found(outcome, mask)
        case StreamEnded() | Waited() | ImageRead() | FileWritten() | FilesChanged() | JobStarted():
            return outcome


def _found(outcome: FilesListed | FilesSearched | IndexSearched | ChatsFound, mask: Mask) -> Answer:
    """What was found, each name and text of it; names of files may be any bytes, and come as lone surrogates."""
    match outcome:
        case FilesListed(entries=entries):
            return evolve(outcome, entries=tuple(evolve(each, name=_name(each.name, mask)) for each in entries))
        case FilesSearched(found=found):
            return evolve(outcome, found=tuple(evolve(each, path=_name(each.path, mask), text=_shown(each.text, mask)) for each in found))
        case IndexSearched(passages=passages):
            texts = tuple(evolve(each, path=_name(each.path, mask), text=mask.text(scalar_text(each.text))) for each in passages)
            return evolve(outcome, passages=texts)
        case ChatsFound(chats=chats):
            return evolve(
                outcome, chats=tuple(evolve(each, title=_shown(each.title, mask), text=_shown(each.text, mask)) for each in chats)
            )


def _shown(text: str, mask: Mask) -> str:
    return mask.text(plain_text(scalar_text(text), mask.text))  # twice: what is written over is no longer whole


def _name(text: str, mask: Mask) -> str:
    return mask.text(scalar_text(text))


def _output(text: str, cut_bytes: int, mask: Mask) -> str:
    """What was printed; of one that was cut, also parts of secrets at the cuts go."""
    plain = plain_text(scalar_text(text), mask.text)
    return mask.cut_text(plain) if cut_bytes else mask.text(plain)


def printed(ended: ProcessEnded, mask: Mask) -> str:
    """What a command printed, as it may be told and kept.

    >>> from turnfold.shell.masking import NOTHING
    >>> printed(ProcessEnded(exit_code=0, output="\x1b[1mbold\x1b[m", cwd="/"), NOTHING)
    'bold'
    """
    return _output(ended.output, ended.cut_bytes, mask)


def _variables(environment: Environment, mask: Mask) -> Environment:
    return tuple(each if each.value is None else evolve(each, value=mask.text(each.value)) for each in environment)


def _object(values: JsonObject, mask: Mask) -> JsonObject:
    return JsonObject(tuple((name, _value(value, mask)) for name, value in values.members))


def _value(value: JsonValue, mask: Mask) -> JsonValue:
    if isinstance(value, str):
        return mask.text(value)
    if isinstance(value, JsonObject):
        return _object(value, mask)
    return tuple(_value(each, mask) for each in value) if isinstance(value, tuple) else value


def clean_input(said: Input, mask: Mask) -> Input:
    """What a person says, as it may be told and kept; other inputs are clean already, or the machine's own."""
    if not mask.secrets:
        return said
    match said:
        case UserSaid(text=text, context=context):
            return evolve(said, text=mask.text(text), context=mask.text(context))
        case CommandGiven(command=str() as line):
            return evolve(said, command=mask.text(line))
        case CommandGiven(command=ToolCall() as call):
            return evolve(said, command=evolve(call, arguments=_object(call.arguments, mask)))
        case Decided(note=note, said=values, arguments=given):
            kept = None if values is None else _object(values, mask)
            return evolve(said, note=mask.text(note), said=kept, arguments=None if given is None else _object(given, mask))
        case _:
            return said


def edits(said: Input) -> bool:
    """Whether a person gives a call its arguments."""
    return isinstance(said, Decided) and said.arguments is not None


def held_secrets(said: Input, mask: Mask) -> tuple[str, ...]:
    """The names of the secrets whose values a person wrote in ``said``."""
    if not mask.secrets or not (isinstance(said, (UserSaid, CommandGiven)) or edits(said)):
        return ()
    before, after = repr(said), repr(clean_input(said, mask))
    return tuple(each.name for each in mask.secrets if after.count(each.mark) > before.count(each.mark))


def clean_briefing(briefing: Briefing, mask: Mask) -> Briefing:
    """What a conversation is told of its surroundings, as it may be told and kept."""
    if not mask.secrets:
        return briefing
    return Briefing(
        texts=tuple(evolve(each, text=mask.text(each.text)) for each in briefing.texts),
        skills=tuple(evolve(each, description=mask.text(each.description)) for each in briefing.skills),
        lessons=tuple(evolve(each, title=mask.text(each.title), text=mask.text(each.text)) for each in briefing.lessons),
    )


def with_secrets(request: W, files: Files, mask: Mask) -> W:
    """``request`` with the values of secrets in the place of their marks, for the port alone.

    A value goes back only into a file that holds it now, and has the digest that the writer expects; so none gets into a new file,
    or into another one.
    """
    if isinstance(request, WriteFile):
        return evolve(request, text=_with_values(request, files, mask))
    changes = (evolve(each, text=_with_values(each, files, mask)) if isinstance(each, WriteFile) else each for each in request.changes)
    return evolve(request, changes=tuple(changes))


def _with_values(request: WriteFile, files: Files, mask: Mask) -> str:
    if not request.expected_digest or not any(each.mark in request.text for each in mask.secrets):
        return request.text
    old = files.read(ReadFile(path=request.path, limit_bytes=PORT_BYTES))
    if isinstance(old, Problem) or old.digest != request.expected_digest:
        return request.text  # the write will say what is wrong
    return restored(request.text, old.text, mask.secrets)
