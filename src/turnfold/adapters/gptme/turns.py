"""Who said what in a conversation of gptme, with each tool's output put to the call that it answers.

gptme knows no tool messages: the system prompt, files, warnings and the outputs of tools all are messages of the system. Which is
which is read from where they stand:

* before anybody has spoken, and where it is marked so: gptme's own prompt. It is left out, for turnfold writes its own.
* behind a reply with calls, up to the next one who speaks: outputs. One that names a call's id is that call's; of the others
  the first is the first call's and so on, and what is left over belongs to the last. A block that no output answers was no call.
* anything else is context: the next message of the person begins with it, or the last one, where no reply came in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.adapters.gptme.calls import Named, calls_in_text, named_calls, without
from turnfold.adapters.gptme.left import Left
from turnfold.adapters.gptme.lines import Line, Role
from turnfold.core.conversation.messages import Invocation

PROMPT = "it is gptme's own prompt; turnfold writes its own, from its tools and your settings"

_FAILED = re.compile(
    r"(error|failed|tool '[^']*' (is|was) not|interrupted by user|execution declined)|.*^return code: (?!0$)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


@final
@frozen
class Output:
    """What a tool said; ``ok`` as far as the text tells."""

    text: str
    ok: bool
    at_ms: int


@final
@frozen(kw_only=True)
class Heard:
    """What the person said, with what the model was told around it; without a text where only that was told."""

    text: str
    at_ms: int
    context: str = ""
    pinned: bool = False


@final
@frozen(kw_only=True)
class Spoken:
    """What the model said, its calls, and the output of each."""

    line: Line
    text: str
    calls: tuple[Invocation, ...] = ()
    outputs: tuple[Output, ...] = ()


Turn: TypeAlias = Heard | Spoken


@final
@frozen
class Turns:
    """A conversation, and what of it was left out."""

    turns: tuple[Turn, ...]
    left: tuple[Left, ...]


@final
@frozen(kw_only=True)
class _Group:
    """A message of the person or the model, and the system's messages behind it."""

    line: Line
    told: tuple[Line, ...] = ()


def turns_of(lines: tuple[Line, ...]) -> Turns:
    """The conversation that ``lines`` hold.

    >>> hi = Line(number=1, role=Role.USER, text="hi", at_ms=0)
    >>> turns_of((hi,)).turns
    (Heard(text='hi', at_ms=0, context='', pinned=False),)
    """
    kept = tuple(line for line in lines if not (line.shown_only or line.prompt))
    left = [_dropped(line) for line in lines if line.shown_only or line.prompt]
    turns: list[Turn] = []
    waiting: tuple[Line, ...] = ()
    for group in _groups(kept):
        if group.line.role is Role.SYSTEM:
            left += [_dropped(line) for line in (group.line, *group.told)]
        elif group.line.role is Role.USER:
            turns.append(_heard(group.line, (*waiting, *group.told)))
            waiting = ()
        else:
            spoken = _spoken(group)
            turns += [_told(waiting)] if waiting else []
            turns.append(spoken)
            waiting = () if spoken.calls else group.told
    left += [Left(f"line {line.number}", "nobody said anything after it") for line in waiting]
    sound = tuple(turn for turn in turns if not _empty(turn))
    left += [Left("an empty message", "nobody said anything in it") for turn in turns if _empty(turn)]
    return Turns(sound, (*left, *_of_lines(kept)))


def _dropped(line: Line) -> Left:
    return Left(f"line {line.number}", "gptme only showed it, no model was told" if line.shown_only else PROMPT)


def _groups(lines: tuple[Line, ...]) -> Iterator[_Group]:
    """Each message of the person or the model with the system's behind it; before the first there may be a group of the system's own."""
    speaker: Line | None = None
    for system, run in groupby(lines, key=lambda line: line.role is Role.SYSTEM):
        group = tuple(run)
        if system:
            yield _Group(line=speaker, told=group) if speaker is not None else _Group(line=group[0], told=group[1:])
            speaker = None
            continue
        yield from (_Group(line=line) for line in (*(() if speaker is None else (speaker,)), *group[:-1]))
        speaker = group[-1]
    if speaker is not None:
        yield _Group(line=speaker)


def _heard(line: Line, around: tuple[Line, ...]) -> Heard:
    return evolve(_told(around), text=_with_files(line), at_ms=line.at_ms, pinned=any(each.pinned for each in (line, *around)))


def _told(lines: tuple[Line, ...]) -> Heard:
    """A message in which nobody speaks, and which tells what these lines do."""
    context = "\n\n".join(_with_files(line) for line in lines)
    return Heard(text="", at_ms=lines[-1].at_ms if lines else 0, context=context, pinned=any(line.pinned for line in lines))


def _with_files(line: Line) -> str:
    """The message's text, with the names of the files that hung on it."""
    names = "".join(f"\n[file: {file}]" for file in line.files)
    return f"{line.text}\n{names}" if names and line.text else f"{line.text}{names}".strip("\n") if names else line.text


def _spoken(group: _Group) -> Spoken:
    line = group.line
    answered = frozenset(each.call_id for each in group.told)
    found = tuple(call for call in named_calls(line.text) if call.call_id in answered)
    if found:
        outputs = _outputs_named(found, group.told)
        return Spoken(line=line, text=without(line.text, found), calls=tuple(each.call for each in found), outputs=outputs)
    calls = calls_in_text(line.text)[: len(group.told)]
    text = _with_files(line)
    return (
        Spoken(line=line, text=text, calls=calls, outputs=_outputs_in_order(calls, group.told)) if calls else Spoken(line=line, text=text)
    )


def _outputs_in_order(calls: tuple[Invocation, ...], told: tuple[Line, ...]) -> tuple[Output, ...]:
    last = len(calls) - 1
    return (*(_output((line,)) for line in told[:last]), _output(told[last:]))


def _outputs_named(calls: tuple[Named, ...], told: tuple[Line, ...]) -> tuple[Output, ...]:
    """The output of each call: what names it, with what no call is named in right before it, and for the last, behind it."""
    ids = [call.call_id for call in calls]
    parts: dict[str, list[Line]] = {call_id: [] for call_id in ids}
    before: list[Line] = []
    for line in told:
        before.append(line)
        if line.call_id in parts:
            parts[line.call_id] += before
            before = []
    parts[ids[-1]] += before
    return tuple(_output(tuple(parts[call_id])) for call_id in ids)


def _output(lines: tuple[Line, ...]) -> Output:
    text = "\n\n".join(_with_files(line) for line in lines)
    return Output(text, ok=_FAILED.match(text) is None, at_ms=lines[-1].at_ms)


def _empty(turn: Turn) -> bool:
    """Whether a provider would refuse it."""
    return not (turn.text.strip() or (turn.context.strip() if isinstance(turn, Heard) else turn.calls))


def _of_lines(lines: tuple[Line, ...]) -> Iterator[Left]:
    for line in lines:
        if line.files:
            yield Left(f"line {line.number}", f"its files are named in the text, not copied: {', '.join(line.files)}")
        if line.pinned and line.role is Role.ASSISTANT:
            yield Left(f"line {line.number}", "only what you said can be pinned")
