"""From tools to a GBNF grammar under which every call in a reply is a well-formed Markdown block.

A reply is text, or text and then one block, and ends where the block ends:

    root   ::= text | lead block                            `block` alone where a call is demanded
    text   ::= what a person reads: one line or more, none of which opens a fence
    lead   ::= up to `lead_lines` such lines, each ended by a newline
    block  ::= "```" NAME (" " HEADER)* "\\n" body "```"        one alternative a tool
    body   ::= (line "\\n")*                                    no line begins with a fence
             | (mark "\\n" (line "\\n")*)+ last-mark "\\n"        for a tool whose body has marks: the marks in order, once or more,
                                                               and no line between begins with a mark's first word

`must_call` is for models that would rather guess than look: the first reply of a turn has to be a call.
The grammar makes form certain, never sense: that a path exists, or that a command is right, is for the tool to say.
A line that begins with a fence can't be written inside a body; such a file needs a model that is not held by a grammar.
Some tokenizers spell "```" and a newline as one token: the rules are over characters, so that is no matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from attrs import frozen

FENCE = "```"
# A line that says something: it neither is empty nor begins with a space or a backquote.
SPOKEN = "[^ \\t\\r\\n`] [^\\r\\n]*"


@final
@frozen(kw_only=True)
class BlockShape:
    """How a call of one tool is written: the opening line's parameters, whether it has a body, and the body's marks.

    `marks` are the lines that divide the body, in order; the last one ends a group, and groups may be repeated.
    """

    name: str
    header: tuple[str, ...] = ()
    body: str | None = None
    marks: tuple[str, ...] = ()


def grammar_of(shapes: tuple[BlockShape, ...], *, must_call: bool = False, lead_lines: int = 2) -> str:
    """A GBNF grammar for a reply that calls at most one of these tools, or exactly one; without tools, for a plain text.

    >>> print(grammar_of((BlockShape(name="shell", body="command"),)).splitlines()[0])
    root ::= text | lead block
    """
    rules = (
        rule("root", root_of(shapes, must_call)),
        rule("text", f'{SPOKEN} ("\\n" line)*'),
        rule("lead", f'({SPOKEN} "\\n"){{0,{lead_lines}}}'),
        rule("line", line_avoiding((FENCE,))),
        rule("word", "[^ \\t\\r\\n`]+"),
    )
    blocks = (rule("block", alternatives(f"block-{number}" for number in range(len(shapes)))),) if shapes else ()
    bodies = tuple(rule(f"block-{number}", block_of(shape)) for number, shape in enumerate(shapes))
    return "\n".join(rules + blocks + bodies) + "\n"


def block_of(shape: BlockShape) -> str:
    """The right side of one tool's rule: opening line, body, closing fence."""
    words = " ".join('" " word' for _ in shape.header)
    return " ".join(part for part in (literal(FENCE + shape.name), words, '"\\n"', body_of(shape), literal(FENCE)) if part)


def body_of(shape: BlockShape) -> str:
    """The rule of a block's body: nothing, free lines, or lines between marks."""
    if shape.body is None:
        return ""
    if not shape.marks:
        return '(line "\\n")+'
    signs = tuple(mark.split(" ")[0] for mark in shape.marks)
    between = f'({line_avoiding((FENCE, *signs))} "\\n")*'
    group = between.join(f' {literal(mark)} "\\n" ' for mark in shape.marks)
    return f"({group.strip()})+"


def root_of(shapes: tuple[BlockShape, ...], must_call: bool) -> str:
    """What a reply may be. One that must call has no text before the block: a small model would write its answer there."""
    if not shapes:
        return "text"
    return "block" if must_call else "text | lead block"


def line_avoiding(prefixes: tuple[str, ...]) -> str:
    """A rule for a line, its newline apart, that begins with none of these prefixes.

    It is the prefixes' trie turned round: at each place stop, leave the trie by another character, or go down.

    >>> line_avoiding(("ab",))
    '([^\\\\r\\\\na] [^\\\\r\\\\n]* | "a" ([^\\\\r\\\\nb] [^\\\\r\\\\n]*)?)?'
    """
    heads = sorted({prefix[0] for prefix in prefixes})
    leave = f"[^\\r\\n{''.join(in_class(head) for head in heads)}] [^\\r\\n]*"
    tails = ((head, tuple(prefix[1:] for prefix in prefixes if prefix[0] == head)) for head in heads)
    down = (f"{literal(head)} {line_avoiding(rest)}" for head, rest in tails if all(rest))
    return f"({alternatives((leave, *down))})?"


def rule(name: str, right: str) -> str:
    """One line of GBNF."""
    return f"{name} ::= {right}"


def alternatives(parts: Iterable[str]) -> str:
    """These parts, any one of them."""
    return " | ".join(parts)


def literal(text: str) -> str:
    """A text as a GBNF literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def in_class(character: str) -> str:
    """A character as it is written inside brackets."""
    return "\\" + character if character in "]^\\-[" else character
