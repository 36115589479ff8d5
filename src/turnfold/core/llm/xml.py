"""The XML call format: a call is an element within ``<tool-use>`` or ``<function_calls>``.

Grammar (a line ends with LF, CRLF or CR; white space between tags does not count)::

    reply    = (prose | code | hidden | wrapped)*
    wrapped  = "<tool-use>" element+ "</tool-use>"                   calls of one round, made together
             | "<function_calls>" invoked+ "</function_calls>"
    element  = "<NAME …>" text "</NAME>" | "<NAME …/>"               elements.py has what tag and text say
    invoked  = "<invoke …>" text "</invoke>" | "<invoke …/>"
    code     = a fenced block or inline code of Markdown             no call, and nothing in it is one
    hidden   = "<think>" … "</think>"                                or "thinking"; reasoning, closed or not

Models write code into elements as it is, so an element's text may hold anything, its own tags too. What closes it:

1. ``</NAME>`` closes the element only where white space and then the wrapper's end, or another call's tag, follows: so a closing tag
   in the middle of a text is text. In ``<tool-use>``, another call's tag is one that bears the name of a tool.
2. A wrapper that is opened in the text is closed in the text: up to there nothing closes the element. So an example of a
   call in a document is text.
3. In a text that is quoted with ``<![CDATA[`` nothing closes the element before ``]]>``.
4. An element, or a wrapper, that is still open at the reply's end is broken, and the model is told what to write: truncated text
   never runs. A wrapper in which no call was begun is prose.

Rules 1 to 3 look at what came before and at white space and one tag ahead, and a wrapper's calls are found when it is closed and its
line has ended. So they are the same in every continuation.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias, final

from attrs import evolve, field, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.llm.elements import (
    CDATA,
    CDATA_END,
    FUNCTION_CALLS,
    INVOKE,
    TOOL_USE,
    Tag,
    called,
    element_of,
    escaped,
    read_element,
    sample,
    tag_of,
)
from turnfold.core.llm.fences import TICKS, fence_of, tildes
from turnfold.core.llm.found import Found
from turnfold.core.llm.lines import Lines, cut_lines, within_line
from turnfold.core.problem import model_problem
from turnfold.core.tools.spec import ToolSpec, find_tool

_OUTSIDE: Final = re.compile(r"`+[^`]*`+|<(?P<tag>think|thinking|tool-use|function_calls)>")  # a tag in inline code is talked about
_END_THINK: Final = re.compile(r"</think(?:ing)?>")
_NAME: Final = re.compile(r"<([^\W\d][\w.:-]*)(?=[\s/>]|\Z)")
_TAG_PART: Final = re.compile(r"=[ \t]*([\"'])|>")
_INSIDE: Final = re.compile(r"<(?P<open>tool-use|function_calls)>|</(?P<close>[^\W\d][\w.:-]*)[ \t]*>|<!\[CDATA\[")
_SPACE: Final = re.compile(r"\s*")


@final
@frozen
class Prose:
    """Between wrappers and blocks."""


@final
@frozen
class Hidden:
    """In reasoning."""


@final
@frozen
class Fenced:
    """In a block fenced with so many backticks, and so many labelled blocks within it."""

    ticks: int
    depth: int = 0


@final
@frozen
class Tildes:
    """In a block fenced with so many tildes."""

    count: int


@final
@frozen
class Wrapped:
    """In a wrapper, between its elements: its name, and the calls that it holds so far."""

    wrapper: str
    calls: tuple[Invocation, ...] = ()


@final
@frozen(eq=False, repr=False)
class InTag:
    """In the opening tag of an element: its pieces, and the quote that an attribute's value stands in."""

    within: Wrapped
    pieces: Log[str] = field(factory=Log)
    quote: str = ""


@final
@frozen(kw_only=True, eq=False, repr=False)
class Element:
    """In an element: its tag, and the pieces of what it holds so far.

    ``depth``: wrappers opened in the text; ``quoted``: the text began with ``<![CDATA[``; ``in_quote``: no ``]]>`` since.
    ``closer``: the pieces since a closing tag (with it) that count as the element's own, if what follows says so.
    """

    within: Wrapped
    tag: Tag
    pieces: Log[str] = field(factory=Log)
    depth: int = 0
    blank: bool = True
    quoted: bool = False
    in_quote: bool = False
    closer: Log[str] | None = None


Region: TypeAlias = Prose | Hidden | Fenced | Tildes | Wrapped | InTag | Element


@final
@frozen(eq=False, repr=False)
class Place:
    """How far a reply was read: the calls that are certain, where that left us, and how much of the last line is read."""

    found: Log[Found]
    region: Region
    at: int = 0


@final
@frozen(kw_only=True, eq=False, repr=False)
class Scan:
    """A reply as far as it has come."""

    tools: tuple[ToolSpec, ...]
    place: Place
    lines: Lines = field(factory=Lines)


PROSE = Prose()


def begin(tools: tuple[ToolSpec, ...]) -> Scan:
    """The scan of a reply of which nothing has come."""
    return Scan(tools=tools, place=Place(Log(), PROSE))


def feed(scan: Scan, text: str) -> Scan:
    r"""``scan`` with ``text`` after what came before; linear in the text, however it is cut.

    >>> from turnfold.core.json import JsonObject
    >>> shell = ToolSpec(name="shell", description="", parameters=JsonObject(), advance=print, body="command")
    >>> scan = feed(begin((shell,)), "<tool-use>\n<shell>\na && b\n</shell>\n</tool-use>\n")
    >>> scan.place.found[0]
    Found(call=ToolCall(name='shell', arguments=JsonObject.of(command='a && b')), end=46)
    """
    grown = within_line(scan.lines, text)
    if grown is not None:
        return Scan(tools=scan.tools, place=scan.place, lines=grown)
    cut = cut_lines(scan.lines, text)
    place = scan.place
    for line in cut.lines:
        place = _after_line(place, line.text + "\n", line.end, scan.tools)
    return Scan(tools=scan.tools, place=place, lines=cut.rest)


def finish(scan: Scan, *, cut: bool = False) -> tuple[Invocation, ...]:
    r"""The calls of the whole reply. ``cut``: the reply ended early, so that what is not certain by now is broken.

    >>> from turnfold.core.json import JsonObject
    >>> shell = ToolSpec(name="shell", description="", parameters=JsonObject(), advance=print, body="command")
    >>> [call.problem.code for call in finish(feed(begin((shell,)), "<tool-use><shell>ls</shell>"))]
    ['call-unclosed']
    """
    return tuple(each.call for each in ended(scan, cut=cut))


def ended(scan: Scan, *, cut: bool = False) -> Log[Found]:
    """As :func:`finish`, each with where it ends: the end of the reply for what is broken by it."""
    last, certain = scan.lines.last, scan.place.found
    place = _after_line(scan.place, last, scan.lines.size, scan.tools) if last else scan.place
    code, what = ("call-cut", "was cut off with the reply") if cut else ("call-unclosed", "was not closed")
    if cut and len(place.found) > len(certain):
        broken = _broken(place.found[len(certain)].call.name, last, code, what, scan.tools)
        return certain.append(Found(broken, scan.lines.size))
    unclosed = _open_call(place.region, code, what, scan.tools)
    return place.found if unclosed is None else place.found.append(Found(unclosed, scan.lines.size))


def render(call: ToolCall, tool: ToolSpec) -> str:
    """``call`` as the element that reads as it, certain as soon as its last line has ended; no newline at the end.

    >>> from turnfold.core.json import JsonObject
    >>> shell = ToolSpec(name="shell", description="", parameters=JsonObject(), advance=print, body="command")
    >>> print(render(ToolCall("shell", JsonObject.of(command="echo '</shell>'")), shell))
    <tool-use>
    <shell>
    echo '&lt;/shell&gt;'
    </shell>
    </tool-use>
    """
    return element_of(call, tool)


def _after_line(place: Place, line: str, end: int, tools: tuple[ToolSpec, ...]) -> Place:
    """``place`` after ``line`` (with its newline, but for the last), whose text ends at ``end``."""
    start = end - len(line.removesuffix("\n"))
    place = Place(place.found, place.region)
    while place.at < len(line):
        place = _next(place, line, start, tools)
    return place


def _next(place: Place, line: str, start: int, tools: tuple[ToolSpec, ...]) -> Place:
    """``place`` after the next piece of ``line``, which begins at ``start`` in the reply."""
    match place.region:
        case Element() as element:
            if element.closer is not None:
                return _behind_closer(place, element, element.closer, line, tools)
            return _in_element(place, element, line)
        case InTag() as tag:
            return _in_tag(place, tag, line, tools)
        case Wrapped() as wrapped:
            return _in_wrapper(place, wrapped, line, start)
        case Hidden():
            over = _END_THINK.search(line, place.at)
            return Place(place.found, Hidden(), len(line)) if over is None else Place(place.found, PROSE, over.end())
        case region:
            return _outside(place, region, line)


def _outside(place: Place, region: Prose | Fenced | Tildes, line: str) -> Place:
    """After a line, or the rest of one, that stands outside of every wrapper; or where a wrapper or reasoning begins in it."""
    text = line.removesuffix("\n")
    fence = fence_of(text) if not place.at else None
    if isinstance(region, Tildes):
        over = tildes(text) >= region.count and not text.strip("~ \t")
        return Place(place.found, PROSE if over else region, len(line))
    if isinstance(region, Fenced):
        return Place(place.found, region if fence is None else _fenced(region, fence.ticks, fence.bare, fence.labelled), len(line))
    if fence is not None:
        return Place(place.found, Fenced(fence.ticks), len(line))
    if not place.at and tildes(text):
        return Place(place.found, Tildes(tildes(text)), len(line))
    tag = next((found for found in _OUTSIDE.finditer(line, place.at) if found["tag"]), None)
    if tag is None:
        return Place(place.found, PROSE, len(line))
    return Place(place.found, Wrapped(tag["tag"]) if tag["tag"] in (TOOL_USE, FUNCTION_CALLS) else Hidden(), tag.end())


def _fenced(block: Fenced, ticks: int, bare: bool, labelled: bool) -> Prose | Fenced:
    """Where a fence leaves us in ``block``: as in the Markdown format, a labelled one opens a block within a block of three."""
    if bare and (block.depth or ticks >= block.ticks):
        return Fenced(block.ticks, block.depth - 1) if block.depth else PROSE
    return Fenced(block.ticks, block.depth + 1) if labelled and block.ticks == TICKS else block


def _in_wrapper(place: Place, wrapped: Wrapped, line: str, start: int) -> Place:
    """Between elements: the next one, the wrapper's end, or a text, which makes prose of a wrapper that holds no call yet."""
    at = _past_space(line, place.at)
    closer = f"</{wrapped.wrapper}>"
    if line.startswith(closer, at):
        end = at + len(closer)
        found = place.found
        for call in wrapped.calls:
            found = found.append(Found(call, start + end))
        return Place(found, PROSE, end)
    if at == len(line):
        return Place(place.found, wrapped, at)
    named = _NAME.match(line, at)
    if named is not None and (wrapped.wrapper == TOOL_USE or named[1] == INVOKE):
        return Place(place.found, InTag(wrapped, Log.of(named[0])), named.end())
    return Place(place.found, wrapped if wrapped.calls else PROSE, at + 1 if wrapped.calls else at)


def _past_space(line: str, at: int) -> int:
    space = _SPACE.match(line, at)
    return space.end() if space else at


def _in_tag(place: Place, tag: InTag, line: str, tools: tuple[ToolSpec, ...]) -> Place:
    """After the next piece of an opening tag: up to a quote, its end, or the tag's."""
    if tag.quote:
        closed = line.find(tag.quote, place.at) + 1
        end = closed or len(line)
        return Place(place.found, InTag(tag.within, tag.pieces.append(line[place.at : end]), "" if closed else tag.quote), end)
    part = _TAG_PART.search(line, place.at)
    end = len(line) if part is None else part.end()
    pieces = tag.pieces.append(line[place.at : end])
    if part is None or part[1]:
        return Place(place.found, InTag(tag.within, pieces, "" if part is None else part[1]), end)
    whole = tag_of("".join(pieces))
    if not whole.empty:
        return Place(place.found, Element(within=tag.within, tag=whole), end)
    return Place(place.found, _with_call(tag.within, whole, "", tools), end)


def _with_call(wrapped: Wrapped, tag: Tag, raw: str, tools: tuple[ToolSpec, ...]) -> Wrapped:
    return Wrapped(wrapped.wrapper, (*wrapped.calls, read_element(tag, raw, tools)))


def _in_element(place: Place, element: Element, line: str) -> Place:
    """After the next piece of an element's text: up to the next tag that says something about where it ends."""
    if element.in_quote:
        closed = line.find(CDATA_END, place.at) + 1
        end = closed + len(CDATA_END) - 1 if closed else len(line)
        return Place(place.found, evolve(element, pieces=element.pieces.append(line[place.at : end]), in_quote=not closed), end)
    mark = _INSIDE.search(line, place.at)
    end = len(line) if mark is None else mark.end()
    before = line[place.at : end if mark is None else mark.start()]
    blank = element.blank and not before.strip()
    pieces = element.pieces.append(line[place.at : end])
    if mark is None:
        return Place(place.found, evolve(element, pieces=pieces, blank=blank), end)
    if mark[0] == CDATA:
        quoted = element.quoted or blank
        return Place(place.found, evolve(element, pieces=pieces, blank=False, quoted=quoted, in_quote=quoted), end)
    wrapper = element.within.wrapper
    if not element.depth and mark["close"] == element.tag.name:
        kept = element.pieces.append(before) if before else element.pieces
        return Place(place.found, evolve(element, pieces=kept, blank=blank, closer=Log.of(mark[0])), end)
    depth = element.depth + (mark["open"] == wrapper) - (mark["close"] == wrapper and element.depth > 0)
    return Place(place.found, evolve(element, pieces=pieces, blank=False, depth=depth), end)


def _behind_closer(place: Place, element: Element, closer: Log[str], line: str, tools: tuple[ToolSpec, ...]) -> Place:
    """After a closing tag: whether it closed the element (rule 1)."""
    at = _past_space(line, place.at)
    if at == len(line):
        return Place(place.found, evolve(element, closer=closer.append(line[place.at :])), at)
    wrapped = element.within
    named = _NAME.match(line, at)
    other = named is not None and (named[1] == INVOKE if wrapped.wrapper == FUNCTION_CALLS else find_tool(tools, named[1]) is not None)
    if other or line.startswith(f"</{wrapped.wrapper}>", at):
        return Place(place.found, _with_call(wrapped, element.tag, "".join(element.pieces), tools), at)
    pieces = element.pieces
    for piece in (*closer, line[place.at : at]):
        pieces = pieces.append(piece)
    return Place(place.found, evolve(element, pieces=pieces, blank=False, closer=None), at)


def _open_call(region: Region, code: str, what: str, tools: tuple[ToolSpec, ...]) -> BrokenCall | None:
    """The broken call of a wrapper that did not come to its end; nothing where it has begun none, or one of no tool."""
    match region:
        case Element(tag=tag, pieces=pieces) if find_tool(tools, called(tag)) is not None:
            return _broken(called(tag), "".join(pieces), code, what, tools)
        case InTag(pieces=pieces) if (named := called(tag_of("".join(pieces) + ">"))) and find_tool(tools, named) is not None:
            return _broken(named, "".join(pieces), code, what, tools)
        case Wrapped(calls=(call, *_)) | InTag(within=Wrapped(calls=(call, *_))) | Element(within=Wrapped(calls=(call, *_))):
            return _broken(call.name, "", code, what, tools)
        case _:
            return None


def _broken(name: str, raw: str, code: str, what: str, tools: tuple[ToolSpec, ...]) -> BrokenCall:
    tool = find_tool(tools, name)
    example = f" Write it like this:\n{sample(tool)}" if tool else ""
    said = (
        f"The call of {name} {what}, so it was not run. Write the whole call again and close all that you open; "
        f"write tags that belong to its text as {escaped('<tag>')}.{example}"
    )
    return BrokenCall(name, raw, model_problem(code, said))
