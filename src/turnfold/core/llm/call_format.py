"""The call formats side by side: how calls are read from a reply's text as it comes, and how they are written.

One interface over all: :func:`begin`, :func:`feed` and :func:`finish` read, a :class:`TextFormat` says how calls look. Native calls
are no text: the wire has a place of its own for them (``native.py``), so their format has neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never, final

from attrs import frozen

from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Invocation, ToolCall
from turnfold.core.llm import blocks, elements, markdown, xml
from turnfold.core.llm.found import Found, first_round
from turnfold.core.tools.spec import ToolSpec

Scan: TypeAlias = markdown.Scan | xml.Scan

ABOUT_MARKDOWN = """\
# Calling tools

To call a tool, write a block that starts with three backticks and the tool's name at the beginning of a line, and ends with a \
line of three backticks alone. After a call, stop and wait for its output; it comes in the next message.
- If the text of a block has lines that start with backticks itself, open and close the block with one backtick more than those.
- Arguments that the block has no place for are written as JSON: put --json behind the tool's name, and one JSON object below it.
- A block with any other first word is only shown to the user, so show examples under other names, like `text`."""

ABOUT_XML = """\
# Calling tools

To call a tool, write <tool-use> on a line of its own, below it an element with the tool's name, its text between the element's tags \
just as it is, and </tool-use> at the end. Several elements within one <tool-use> are run side by side. After </tool-use>, stop and wait \
for the output; it comes in the next message.
- Only where a text holds the tags of the call itself, write those as &lt;tag&gt;, and &amp;lt; where it shall hold &lt;.
- Arguments that the element has no place for are written as JSON: put --json in args, and one JSON object between the tags.
- Calls within code blocks or backticks are only shown to the user, so show examples there."""


@final
@frozen(kw_only=True)
class TextFormat:
    """How calls look in a format that is text.

    ``begin``: the scan of a reply of which nothing has come; ``render``: a call as the text that reads as it, whatever its arguments;
    ``sample``: a call of a tool to learn from; ``about``: what a model is told of the format.
    """

    begin: Callable[[tuple[ToolSpec, ...]], Scan]
    render: Callable[[ToolCall, ToolSpec], str]
    sample: Callable[[ToolSpec], str]
    about: str


MARKDOWN = TextFormat(begin=markdown.begin, render=markdown.render, sample=blocks.sample, about=ABOUT_MARKDOWN)
XML = TextFormat(begin=xml.begin, render=xml.render, sample=elements.sample, about=ABOUT_XML)


def text_format(format: ToolFormat) -> TextFormat | None:
    """How calls look in ``format``; None where they are no text.

    >>> text_format(ToolFormat.XML) is XML, text_format(ToolFormat.NATIVE)
    (True, None)
    """
    match format:
        case ToolFormat.NATIVE:
            return None
        case ToolFormat.MARKDOWN:
            return MARKDOWN
        case ToolFormat.XML:
            return XML
        case _:
            assert_never(format)


def begin(format: ToolFormat, tools: tuple[ToolSpec, ...]) -> Scan | None:
    """The scan of a reply of which nothing has come; None where calls are no text.

    >>> begin(ToolFormat.NATIVE, ()) is None
    True
    """
    text = text_format(format)
    return None if text is None else text.begin(tools)


def feed(scan: Scan, text: str) -> Scan:
    """``scan`` with ``text`` after what came before; linear in the text, however it is cut."""
    match scan:
        case markdown.Scan():
            return markdown.feed(scan, text)
        case xml.Scan():
            return xml.feed(scan, text)
        case _:
            assert_never(scan)


def found(scan: Scan) -> Log[Found]:
    """The calls that are certain whatever follows."""
    return scan.place.found


def finish(scan: Scan, *, cut: bool = False) -> tuple[Invocation, ...]:
    """The calls of the whole reply. ``cut``: the reply ended early, so that what is not certain by now is broken."""
    match scan:
        case markdown.Scan():
            return markdown.finish(scan, cut=cut)
        case xml.Scan():
            return xml.finish(scan, cut=cut)
        case _:
            assert_never(scan)


def first_calls(scan: Scan, *, cut: bool = False) -> tuple[Invocation, ...]:
    """Of the calls of the whole reply those that were written together first: what was said behind them knows nothing of their outcome."""
    match scan:
        case markdown.Scan():
            return markdown.finish(scan, cut=cut)[:1]
        case xml.Scan():
            return first_round(xml.ended(scan, cut=cut))
        case _:
            assert_never(scan)


def parse(text: str, format: ToolFormat, tools: tuple[ToolSpec, ...]) -> tuple[Invocation, ...]:
    """The calls of the whole reply ``text``.

    >>> from turnfold.core.json import JsonObject
    >>> shell = ToolSpec(name="shell", description="", parameters=JsonObject(), advance=print, body="command")
    >>> parse("<tool-use><shell>ls</shell></tool-use>", ToolFormat.XML, (shell,))
    (ToolCall(name='shell', arguments=JsonObject.of(command='ls')),)
    """
    scan = begin(format, tools)
    return () if scan is None else finish(feed(scan, text))
