"""A page as text that a model reads: HTML becomes Markdown, text stays as it is."""

from __future__ import annotations

import re

from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem, world_problem

HTML = ("text/html", "application/xhtml+xml")
TEXTUAL = re.compile(r"text/.*|application/([\w.-]+\+)?(json|xml|yaml|toml|javascript|ecmascript|x-ndjson|x-sh|sql|x-yaml|graphql)\Z")
BLANKS = re.compile(r"\n{3,}")
MISSING = "Pages of HTML need a library: pip install 'turnfold[web]'."


def media_type_of(content_type: str) -> str:
    """The media type in a Content-Type, without what follows it.

    >>> media_type_of("Text/HTML; charset=utf-8")
    'text/html'
    """
    return content_type.partition(";")[0].strip().lower()


def is_html(media_type: str) -> bool:
    """Whether ``media_type`` is that of a page.

    >>> is_html("text/html"), is_html("application/json")
    (True, False)
    """
    return media_type in HTML


def is_textual(media_type: str) -> bool:
    """Whether what has ``media_type`` can be read as it is; nothing said: perhaps.

    >>> is_textual("application/ld+json"), is_textual("application/pdf"), is_textual("")
    (True, False, True)
    """
    return not media_type or media_type in HTML or TEXTUAL.match(media_type) is not None


def markdown_of(html: str, url: str) -> str | Problem:
    """The page ``html``, which lies at ``url``, as Markdown: headings, lists, tables, code and links; no scripts, styles and pictures.

    Imports the library, a matter of 20 ms; 1 MB takes about 0.3 s, in which the interpreter does nothing else.
    """
    try:
        from html_to_markdown import ConversionError, ConversionOptions, convert
    except ImportError:
        return caller_problem("no-library", f"{MISSING} What is no HTML can be fetched without it.")
    options = ConversionOptions(skip_images=True, base_url=url, extract_metadata=False)
    try:
        text = convert(scalar_text(html).replace("\0", ""), options).content
    except (ConversionError, ValueError) as error:
        return world_problem("bad-page", f"The page at {url} could not be read as HTML ({error}): fetch another one.")
    title = title_of(html)
    body = BLANKS.sub("\n\n", text or "").strip()
    return f"# {title}\n\n{body}" if title and title not in body[:500] else body


def title_of(html: str) -> str:
    """The title of a page; empty where it has none.

    >>> title_of("<html><title> A &amp; B </title>")
    'A & B'
    """
    from html import unescape

    found = re.search(r"<title\b[^>]{0,200}>([^<]{1,300})", html[:100_000], re.IGNORECASE)
    return " ".join(unescape(found.group(1)).split()) if found else ""
