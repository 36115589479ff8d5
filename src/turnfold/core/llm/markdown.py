"""The Markdown call format: a call is a fenced block whose first word is the name of a tool.

Grammar (a line ends with LF, CRLF or CR)::

    reply   = (prose | hidden | tildes | block)*
    block   = FENCE info LF line* CLOSE LF       a call, where the info's first word is a tool's name; else just text
    FENCE   = three or more backticks at the very start of a line      (fences.py; blocks.py has what info and lines say)
    CLOSE   = a line of nothing but as many backticks or more, and spaces
    tildes  = "~~~" … "~~~"                      no call, and nothing in it is one
    hidden  = "<think>" … "</think>"             or "thinking"; reasoning: nothing in it is a call, closed or not

Quoted (``>``) and indented fences and inline backticks are prose. Which bare fence closes a block is the one hard question,
since models put fences inside of fences:

1. A block opened with *four or more* backticks says what it means: the first bare fence that is long enough closes it.
2. In a block of *three*, a fence with a label opens a nested block, which a bare fence closes; fences within a quotation
   (here-document, triple quotes, the ``<<<<<<<`` of a patch) are text. Any other bare fence closes the block, at once, unless
   there is reason for doubt: the block holds Markdown by its name, a labelled block was nested in it, the fence is
   longer than the one that opened, or what stands before the fence introduces something (a heading, a colon).
3. *In doubt the next line decides*: blank or a fence (or none), and the block is closed; text, and it was the start of a nested
   block without a label. That is how people and models write.
4. A block that is still open at the reply's end, although bare fences were passed over, is read again without doubt or
   quotations. If that leaves no block open, it is what was meant. Else, if the reply's last line is a bare fence, that
   one closes the block. Else the call is broken: truncated text never runs.

Rules 1–3 look at what came before and at most one line ahead, so a call that they give is the same in every
continuation: these are ``scan.calls``. Rule 4 needs the whole reply and speaks in ``finish`` only. Two exceptions that
models make often: ``` ```<think> ``` closes a block, and a doubled fence before a tool's name
(``` ``````shell ```) closes one block and opens the next.
"""

from __future__ import annotations

import re
from typing import TypeAlias, final

from attrs import evolve, field, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.llm.blocks import block_text, read_block
from turnfold.core.llm.fences import TICKS, Fence, fence_of, holds_markdown, introduces, longest_run, quoted_after, tildes
from turnfold.core.llm.found import Found
from turnfold.core.llm.lines import Lines, cut_lines, within_line
from turnfold.core.problem import model_problem
from turnfold.core.tools.spec import ToolSpec, find_tool

_THINK = re.compile(r"`+[^`]*`+|(?P<tag><think(?:ing)?>)")  # a tag in inline code is talked about
_TAGS = ("<think>", "<thinking>")
_END_THINK = re.compile(r"</think(?:ing)?>")


@final
@frozen
class Prose:
    """Between blocks."""


@final
@frozen
class Hidden:
    """In reasoning."""


@final
@frozen
class Tildes:
    """In a block fenced with so many tildes."""

    count: int


@final
@frozen
class Held:
    """A bare fence that the next line decides about: the line, and the offset of its end."""

    line: str
    end: int


@final
@frozen(kw_only=True)
class Opening:
    """How a block was opened: the fence's length, the whole info line, and the tool that it names, if any."""

    ticks: int
    info: str
    tool: ToolSpec | None


@final
@frozen(kw_only=True, eq=False, repr=False)
class Block:
    """In a block: its lines so far, and what they say about the next fence."""

    opening: Opening
    lines: Log[str] = field(factory=Log)
    depth: int = 0  # nested blocks of three backticks
    longer: int = 0  # the length of the fence of the nested block that only such a fence closes; 0: none
    until: str = ""  # what ends the quotation that the text stands in
    document: bool = False  # Markdown by its name, or by a labelled block in it
    before: str = ""  # the last line at depth 0 that is not blank
    held: Held | None = None
    passed: bool = False  # a bare fence was taken for text or for the start of a nested block


Region: TypeAlias = Prose | Hidden | Tildes | Block


@final
@frozen(eq=False, repr=False)
class Place:
    """How far a reply was read, in whole lines: the calls that are certain, and where the last line left us."""

    found: Log[Found]
    region: Region


@final
@frozen(kw_only=True, eq=False, repr=False)
class Scan:
    """A reply as far as it has come."""

    tools: tuple[ToolSpec, ...]
    place: Place
    lines: Lines = field(factory=Lines)

    @property
    def found(self) -> tuple[Found, ...]:
        """The calls that are certain whatever follows, each with the offset where its block ends."""
        return tuple(self.place.found)

    @property
    def calls(self) -> tuple[Invocation, ...]:
        """The calls that are certain whatever follows."""
        return tuple(found.call for found in self.place.found)


PROSE = Prose()


def begin(tools: tuple[ToolSpec, ...]) -> Scan:
    """The scan of a reply of which nothing has come."""
    return Scan(tools=tools, place=Place(Log(), PROSE))


def feed(scan: Scan, text: str) -> Scan:
    r"""``scan`` with ``text`` after what came before; linear in the text, however it is cut.

    >>> from turnfold.core.json import JsonObject
    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> scan = feed(begin((save,)), "```save a.txt\nhi\n```\n")
    >>> scan.calls, scan.found[0].end
    ((ToolCall(name='save', arguments=JsonObject.of(path='a.txt', content='hi')),), 20)
    """
    grown = within_line(scan.lines, text)
    if grown is not None:
        return Scan(tools=scan.tools, place=scan.place, lines=grown)
    cut = cut_lines(scan.lines, text)
    place = scan.place
    for line in cut.lines:
        place = _next(place, line.text, line.end, scan.tools)
    return Scan(tools=scan.tools, place=place, lines=cut.rest)


def finish(scan: Scan, *, cut: bool = False) -> tuple[Invocation, ...]:
    r"""The calls of the whole reply. ``cut``: the reply ended early, so that what is not certain by now is broken.

    >>> from turnfold.core.json import JsonObject
    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> scan = feed(begin((save,)), "```save a.txt\nhi")
    >>> [call.problem.code for call in finish(scan)]
    ['call-unclosed']
    """
    if cut:
        return scan.calls + (_cut(scan.place.region) if isinstance(scan.place.region, Block) else ())
    last = scan.lines.last
    place = _next(scan.place, last, scan.lines.size, scan.tools) if last else scan.place
    certain = tuple(found.call for found in place.found)
    return certain + (_settled(place.region, scan.tools) if isinstance(place.region, Block) else ())


def parse(text: str, tools: tuple[ToolSpec, ...]) -> tuple[Invocation, ...]:
    r"""The calls of the whole reply ``text``.

    >>> from turnfold.core.json import JsonObject
    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> parse("Hello.\n\n```python\n1\n```\n", (save,))
    ()
    """
    return finish(feed(begin(tools), text))


def render(call: ToolCall, tool: ToolSpec) -> str:
    """``call`` as the block that reads as it, certain as soon as its last line has ended; no newline at the end.

    >>> from turnfold.core.json import JsonObject
    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> print(render(ToolCall("save", JsonObject.of(path="a.md", content="```sh\\nls\\n```")), save))
    ````save a.md
    ```sh
    ls
    ```
    ````
    """
    block = block_text(call, tool, TICKS)
    body = block[TICKS:-TICKS]
    if longest_run(body) < TICKS and feed(begin((tool,)), block + "\n").calls == (call,):
        return block
    return block_text(call, tool, max(longest_run(body), TICKS) + 1)


def _next(place: Place, line: str, end: int, tools: tuple[ToolSpec, ...], plain: bool = False) -> Place:
    """``place`` after ``line``, which ends at ``end``. ``plain``: without doubt and quotations (rule 4)."""
    region = place.region
    if isinstance(region, Block):
        return _in_block(place, region, line, end, tools, plain)
    if isinstance(region, Tildes):
        return Place(place.found, PROSE) if tildes(line) >= region.count and not line.strip("~ \t") else place
    return Place(place.found, _outside(line, tools, hidden=isinstance(region, Hidden)))


def _outside(line: str, tools: tuple[ToolSpec, ...], hidden: bool = False) -> Region:
    """Where ``line`` leaves us that began between blocks, or in reasoning."""
    start = 0
    fence = None if hidden else fence_of(line)
    while fence is None or fence.info.startswith(_TAGS):
        if not hidden:
            tag = next((found for found in _THINK.finditer(line, start) if found["tag"]), None)
            if tag is None:
                break
            start = tag.end()
        over = _END_THINK.search(line, start)
        if over is None:
            return Hidden()
        start, hidden = over.end(), False
    fence = fence_of(line[start:])
    if fence is not None:
        return _opened(fence.ticks, fence.info, tools)
    return Tildes(tildes(line)) if not start and tildes(line) else PROSE


def _opened(ticks: int, info: str, tools: tuple[ToolSpec, ...]) -> Block:
    name = info.split(None, 1)[0] if info else ""
    return Block(opening=Opening(ticks=ticks, info=info, tool=find_tool(tools, name)), document=holds_markdown(info))


def _in_block(place: Place, block: Block, line: str, end: int, tools: tuple[ToolSpec, ...], plain: bool) -> Place:
    fence = fence_of(line)
    if block.held is not None:
        if fence is not None or not line.strip():
            return _next(_closed(place, block, block.held.end), line, end, tools, plain)
        block = _nested(block, block.held.line)
    if fence is None:
        return Place(place.found, _with_text(block, line, plain))
    if block.opening.ticks > TICKS:
        over = fence.bare and fence.ticks >= block.opening.ticks
        return _closed(place, block, end) if over else Place(place.found, _with_text(block, line, plain))
    if block.depth or block.longer:
        return Place(place.found, _in_nested(block, fence, line))
    closer = end - len(line) + TICKS  # where the fence ends that closes, when the line says more
    if fence.ticks == 2 * TICKS and _tool_named(fence.info, tools):
        return Place(_closed(place, block, closer).found, _opened(TICKS, fence.info, tools))
    if block.until:
        return Place(place.found, evolve(_with_text(block, line, plain), passed=block.passed or fence.bare))
    if fence.ticks == TICKS and fence.info.startswith(_TAGS):
        return Place(_closed(place, block, closer).found, _outside(fence.info, tools))
    if not fence.bare:
        return Place(place.found, _nested(block, line) if fence.labelled else _with_text(block, line, plain))
    if not plain and (block.document or fence.ticks > TICKS or introduces(block.before)):
        return Place(place.found, evolve(block, held=Held(line, end)))
    return _closed(place, block, end)


def _tool_named(info: str, tools: tuple[ToolSpec, ...]) -> bool:
    return bool(info) and find_tool(tools, info.split(None, 1)[0]) is not None


def _with_text(block: Block, line: str, plain: bool) -> Block:
    """``block`` with a line that is no fence of its own."""
    lines = block.lines.append(line)
    if block.depth or block.longer or block.opening.ticks > TICKS or not (line and line.strip()):
        return evolve(block, lines=lines)
    until = "" if plain else quoted_after(block.until, line, block.document)
    return evolve(block, lines=lines, until=until, before=line)


def _nested(block: Block, line: str) -> Block:
    """``block`` with a fence that opens a nested one."""
    fence = fence_of(line)
    ticks = fence.ticks if fence else 0
    return evolve(
        block,
        lines=block.lines.append(line),
        depth=block.depth + (ticks == TICKS),
        longer=ticks if ticks > TICKS else 0,
        document=True,
        before="",
        held=None,
        passed=block.passed or block.held is not None,
    )


def _in_nested(block: Block, fence: Fence, line: str) -> Block:
    if block.longer:
        over = fence.bare and fence.ticks >= block.longer
        return evolve(block, lines=block.lines.append(line), longer=0 if over else block.longer)
    if fence.labelled:
        return _nested(block, line)
    return evolve(block, lines=block.lines.append(line), depth=block.depth - fence.bare)


def _closed(place: Place, block: Block, end: int) -> Place:
    call = _call(block.opening, "\n".join(block.lines))
    return Place(place.found if call is None else place.found.append(Found(call, end)), PROSE)


def _call(opening: Opening, text: str) -> Invocation | None:
    if opening.tool is None:
        return None
    return read_block(opening.tool, opening.info.removeprefix(opening.tool.name), text)


def _settled(block: Block, tools: tuple[ToolSpec, ...]) -> tuple[Invocation, ...]:
    """The calls of a reply's rest that starts with ``block``, which nothing has closed (rule 4, and a fence in doubt)."""
    if block.held is not None:
        return tuple(found.call for found in _closed(Place(Log(), PROSE), block, 0).found)
    if block.passed:
        place = Place(Log(), _opened(block.opening.ticks, block.opening.info, tools))
        for line in block.lines:
            place = _next(place, line, 0, tools, plain=True)
        if not isinstance(place.region, Block):
            return tuple(found.call for found in place.found)
        kept = "\n".join(block.lines).rstrip()
        body, _, last = kept.rpartition("\n")
        fence = fence_of(last)
        if fence is not None and fence.bare:
            call = _call(block.opening, body)
            return () if call is None else (call,)
    return _unclosed(block, "call-unclosed", "was not closed")


def _cut(block: Block) -> tuple[Invocation, ...]:
    return _unclosed(block, "call-cut", "was cut off with the reply")


def _unclosed(block: Block, code: str, what: str) -> tuple[Invocation, ...]:
    """The broken call of a tool's block that did not come to its end; nothing for any other block."""
    if block.opening.tool is None:
        return ()
    name, fence = block.opening.tool.name, "`" * block.opening.ticks
    longer = "`" * (max(TICKS, longest_run("\n".join(block.lines))) + 1)
    said = (
        f"The block {name} {what}, so it was not run. Write the whole call again and end it with a line of {fence} alone; "
        f"if its text has such lines itself, open and close the block with {longer}."
    )
    return (BrokenCall(name, "\n".join((block.opening.info, *block.lines)), model_problem(code, said)),)
