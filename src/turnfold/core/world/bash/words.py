"""Words: what bash makes of one, by the rules of its manual (3.1.2 Quoting, 3.5 Shell Expansions).

The tree says where a word is; what it means is read here once more, character by character, and a character that can't
stand where the tree puts it is a fault. So the tree is never trusted alone: where it and bash may differ, the word is a fault.
"""

from __future__ import annotations

import re
from typing import final

from attrs import frozen
from tree_sitter import Node

from turnfold.core.world.bash.tree import text_of

MASK = "\x00"  # stands for a quoted character where unquoted ones are looked for
PLAIN = re.compile(rb"[A-Za-z0-9_@%+=:,./-]+")
UNQUOTED = re.compile(r"(?:[^\\'\"`$<>|&;() \t\n]|\\[^\n])+")
LETTER = r"[^\\\"`$]|\\.|\$(?![\w({\[@*#?$!'-])"  # one character between double quotes
CONTENT = re.compile(f"(?:{LETTER})*", re.DOTALL)
DOUBLE = re.compile(f'"(?:{LETTER})*"', re.DOTALL)
SINGLE = re.compile(r"'[^']*'", re.DOTALL)
ANSI = re.compile(r"\$'(?:[^\\']|\\.)*'", re.DOTALL)
ANSI_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|.)", re.DOTALL)
ANSI_PLAIN = re.compile(r"\\[abeEfnrtv\\'\"?]|\\x[0-7][0-9a-fA-F]|\\[0-1][0-7]{2}|\\u[0-9a-fA-F]{4}", re.DOTALL)
ANSI_LETTERS = (("a", "\a"), ("b", "\b"), ("e", "\x1b"), ("E", "\x1b"), ("f", "\f"), ("n", "\n"), ("r", "\r"), ("t", "\t"), ("v", "\v"))
VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])", re.ASCII)
NAME = r"(?:[A-Za-z_][A-Za-z0-9_]*(?:\[[@*0-9]+\])?|[0-9@*#?]+)"
EXPANSION = re.compile(r"\$\{(?:#?" + NAME + r"|" + NAME + r"(?::?[-+?]|##?|%%?|//?|\^\^?|,,?)[^`$(){}<>\"'\\&]*)\}")
ARITHMETIC = re.compile(r"\$\(\([0-9 +*/%()<>=!&|^~?:-]*\)\)")
BACKQUOTED = re.compile(r"`[^`\\]*`")  # within them, backquotes and backslashes mean something else
PATTERN = re.compile(r"[*?]|\[.*\]|\{[^{}]*(?:,|\.\.)|,[^{}]*\}|^~|[=:]~", re.DOTALL)
SUBSTITUTIONS = ("command_substitution", "process_substitution")
DESCRIPTOR = re.compile(r"\{\w*\}")
UNCLEAR = "it has a word that can't be read"


@final
@frozen
class Word:
    """What a word is: its text, None where bash has to compute it; ``bare``: the text with what is quoted masked; ``fault``: why it can't be read."""

    value: str | None
    bare: str = ""
    fault: str = ""


COMPUTED = Word(None)


def read_word(node: Node, source: bytes) -> Word:
    """The word at ``node``; what is nested in it is not looked at.

    >>> from turnfold.core.world.bash.tree import parsed
    >>> command = parsed(b"ls 'a b'c *.py").children[0]
    >>> [read_word(each, b"ls 'a b'c *.py").value for each in command.children[1:]]
    ['a bc', None]
    """
    if not node.child_count and PLAIN.fullmatch(source, node.start_byte, node.end_byte):
        plain = text_of(node, source)  # as most words are
        return Word(plain, plain)
    word = _part(node, source)
    if DESCRIPTOR.fullmatch(word.bare) and source[node.end_byte : node.end_byte + 1] in (b"<", b">"):
        return Word(None, fault=UNCLEAR)  # the variable of a redirection
    return Word(None, fault=word.fault) if word.value is None or PATTERN.search(word.bare) else word


def _part(node: Node, source: bytes) -> Word:
    """A word or a part of one, its patterns and braces not yet judged."""
    text = text_of(node, source)
    match node.type:
        case "word" | "number" | "variable_name" | "special_variable_name":
            return _unquoted(text) if not node.child_count else Word(None, fault=UNCLEAR)
        case "raw_string":
            return _masked(text[1:-1]) if SINGLE.fullmatch(text) else Word(None, fault=UNCLEAR)
        case "string":
            return _double(node, text, source)
        case "ansi_c_string":
            return _ansi(text) if ANSI.fullmatch(text) else Word(None, fault=UNCLEAR)
        case "concatenation":
            return _joined(node, source)
        case "brace_expression":
            return COMPUTED
        case _:
            return _computed(node.type, text)


def _computed(kind: str, text: str) -> Word:
    """What bash computes: a fault where computing it may run more than the tree shows.

    Arithmetic is such a case: a variable in it is an expression again, and its subscripts may hold commands.
    """
    match kind:
        case "simple_expansion":
            clear = VARIABLE.fullmatch(text) is not None
        case "expansion":
            clear = EXPANSION.fullmatch(text) is not None
        case "arithmetic_expansion":
            clear = ARITHMETIC.fullmatch(text) is not None
        case "command_substitution":
            clear = text.startswith("$(") or BACKQUOTED.fullmatch(text) is not None
        case _:
            clear = kind == "process_substitution"
    return COMPUTED if clear else Word(None, fault="it computes something that can't be read" if kind in KINDS else UNCLEAR)


KINDS = ("simple_expansion", "expansion", "arithmetic_expansion", "command_substitution")


def _masked(value: str) -> Word:
    return Word(value, MASK * len(value))


def _unquoted(text: str) -> Word:
    if "\\" not in text:
        return Word(text, text) if UNQUOTED.fullmatch(text) else Word(None, fault=UNCLEAR)
    if UNQUOTED.fullmatch(text) is None:
        return Word(None, fault=UNCLEAR)
    return Word(re.sub(r"\\(.)", r"\1", text), re.sub(r"\\.", MASK, text))


def _double(node: Node, text: str, source: bytes) -> Word:
    if DOUBLE.fullmatch(text):
        return _masked(re.sub(r"\\([\\\"`$\n])", lambda found: found.group(1).strip("\n"), text[1:-1]))
    for child in node.children:
        if child.type == "string_content":
            fault = "" if CONTENT.fullmatch(text_of(child, source)) else UNCLEAR
        else:
            fault = "" if child.type == '"' else _computed(child.type, text_of(child, source)).fault
        if fault:
            return Word(None, fault=fault)
    return COMPUTED


def _ansi(text: str) -> Word:
    """``$'…'``; None where an escape makes a byte, ends the text or differs between versions of bash."""
    inner = text[2:-1]
    if any(ANSI_PLAIN.fullmatch(found.group()) is None for found in ANSI_ESCAPE.finditer(inner)):
        return COMPUTED
    value = ANSI_ESCAPE.sub(lambda found: _ansi_character(found.group(1)), inner)
    return COMPUTED if "\x00" in value else _masked(value)


def _ansi_character(escape: str) -> str:
    if len(escape) > 1:
        return chr(int(escape.lstrip("xu"), 8 if escape[0].isdigit() else 16))
    return next((character for letter, character in ANSI_LETTERS if letter == escape), escape)


def _joined(node: Node, source: bytes) -> Word:
    """Parts that touch; what lies between two of them is a fault."""
    parts = tuple(_part(child, source) for child in node.children)
    fault = next((part.fault for part in parts if part.fault), "")
    touching = all(left.end_byte == right.start_byte for left, right in zip(node.children, node.children[1:], strict=False))
    if fault or not touching:
        return Word(None, fault=fault or UNCLEAR)
    if any(part.value is None for part in parts):
        return COMPUTED
    return Word("".join(part.value or "" for part in parts), "".join(part.bare for part in parts))


def substitutions(node: Node) -> tuple[Node, ...]:
    """The outermost command and process substitutions at or below ``node``, in the order of the text."""
    if node.type in SUBSTITUTIONS:
        return (node,)
    found: list[Node] = []
    waiting = node.children[::-1]
    while waiting:
        each = waiting.pop()
        if each.type in SUBSTITUTIONS:
            found.append(each)
        elif each.child_count:
            waiting += each.children[::-1]
    return tuple(found)
