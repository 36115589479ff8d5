"""The tree that tree-sitter makes of a script: the one place that calls it."""

from __future__ import annotations

from tree_sitter import Language, Node, Parser
from tree_sitter_bash import language

BASH = Language(language())  # the grammar's tables; they never change


def parsed(source: bytes) -> Node:
    """The root of ``source``; total, and linear in all that people write.

    >>> parsed(b"ls").type
    'program'
    """
    return Parser(BASH).parse(source).root_node


def text_of(node: Node, source: bytes) -> str:
    """What stands in ``source`` where ``node`` is."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")
