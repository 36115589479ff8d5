"""The tool ``todo``: a list of what is to be done, kept in the conversation.

The list is the tool's memory: ``items``, each with its ``text`` and ``state``. What is to become of it is written as
lines, for the model and for people (``/todo done 2``) alike::

    add TEXT  ·  doing N  ·  done N  ·  open N  ·  remove N  ·  clear
    [ ] TEXT  ·  [>] TEXT  ·  [x] TEXT          lines of this kind are the whole list anew, in this order

Nothing is changed unless every line can be. A number is that of the list as it was shown, whatever the lines before do.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import final

from attrs import evolve, frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.tools.textlines import clipped

MAX_ITEMS = 100
MAX_CHARS = 500  # of one item: it is shown again after every change

BOXED = re.compile(r"(?:[-*]\s+|\d+[.)]\s+)?\[([ xX>])\]\s+(\S.*)")
NUMBERED = re.compile(r"(doing|done|open|remove)\s+#?(\d{1,6})")
ADDED = re.compile(r"add\s+(\S.*)")
FORMS = "add TEXT, doing N, done N, open N, remove N, clear, or the whole list as lines like: [ ] TEXT"


class State(Enum):
    """How far an item is."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"


@final
@frozen
class Item:
    """Something to be done."""

    text: str
    state: State = State.OPEN


@final
@frozen(kw_only=True)
class Todos:
    """The list while its changes are read: an item that was removed is None, so that numbers stay; ``fresh``: it was begun anew."""

    items: tuple[Item | None, ...] = ()
    fresh: bool = False


def _todo(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Change the list by the lines given, and show it."""
    todos = Todos(items=items_of(memory))
    for line in text_argument(arguments, "changes").split("\n"):
        if line.strip():
            changed = _changed(todos, line.strip())
            if isinstance(changed, Problem):
                return Refuse(changed)
            todos = changed
    items = tuple(item for item in todos.items if item is not None)
    if len(items) > MAX_ITEMS:
        return Refuse(model_problem("too-many", f"A list may have {MAX_ITEMS} items, and this would have {len(items)}. Remove some first."))
    yield from ()  # nothing in the world is needed
    return Done(shown(items), memory_of(items))


def _changed(todos: Todos, line: str) -> Todos | Problem:
    boxed = BOXED.fullmatch(line)
    if boxed is not None:
        state = {" ": State.OPEN, ">": State.DOING}.get(boxed[1], State.DONE)
        return Todos(items=(*(todos.items if todos.fresh else ()), Item(clipped(boxed[2], MAX_CHARS), state)), fresh=True)
    added = ADDED.fullmatch(line)
    if added is not None:
        return evolve(todos, items=(*todos.items, Item(clipped(added[1], MAX_CHARS))))
    if line == "clear":
        return evolve(todos, items=())
    numbered = NUMBERED.fullmatch(line)
    if numbered is None:
        return model_problem("bad-change", f"{clipped(line, 60)!r} is no change of the list, so nothing was changed. Write {FORMS}")
    index = int(numbered[2]) - 1
    item = todos.items[index] if 0 <= index < len(todos.items) else None
    if item is None:
        there = counted(len(tuple(each for each in todos.items if each is not None)), "item")
        return model_problem(
            "no-such-item", f"There is no item {numbered[2]} ({there}), so nothing was changed. Write todo alone to see the list."
        )
    new = None if numbered[1] == "remove" else evolve(item, state=State(numbered[1]))
    return evolve(todos, items=(*todos.items[:index], new, *todos.items[index + 1 :]))


def items_of(memory: Memory) -> tuple[Item, ...]:
    """The items that the tool remembers; what is none is passed over.

    >>> items_of(JsonObject.of(items=(JsonObject.of(text="a", state="done"), 3)))
    (Item(text='a', state=<State.DONE: 'done'>),)
    """
    kept = memory.get("items")
    states = {state.value: state for state in State}
    return tuple(
        Item(text_argument(each, "text"), states.get(text_argument(each, "state"), State.OPEN))
        for each in (kept if isinstance(kept, tuple) else ())
        if isinstance(each, JsonObject) and text_argument(each, "text")
    )


def memory_of(items: tuple[Item, ...]) -> Memory:
    """What the tool remembers of ``items``.

    >>> memory_of((Item("a"),))
    JsonObject.of(items=(JsonObject.of(text='a', state='open'),))
    """
    return JsonObject.of(items=tuple(JsonObject.of(text=each.text, state=each.state.value) for each in items))


def shown(items: tuple[Item, ...]) -> str:
    """The list to read, numbered.

    >>> print(shown((Item("read", State.DONE), Item("write", State.DOING), Item("test"))))
    1. [x] read
    2. [>] write
    3. [ ] test
    """
    marks = {State.OPEN: " ", State.DOING: ">", State.DONE: "x"}
    return "\n".join(f"{number}. [{marks[each.state]}] {each.text}" for number, each in enumerate(items, 1)) or "The list is empty."


TODO: ToolSpec = ToolSpec(
    name="todo",
    description=f"Keep a list of what is to be done, for tasks of many steps. A line a change: {FORMS}.",
    parameters=parameters((), changes=text_parameter("The changes, a line each; none shows the list.")),
    advance=from_generator(_todo),
    serial=True,
    body="changes",
    examples=(Example("Plan: read the code, then test it.", JsonObject.of(changes="[>] read the code\n[ ] test it")),),
)
