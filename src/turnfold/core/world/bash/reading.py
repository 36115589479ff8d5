"""Reading a script: every command that it may run, wherever it stands, and what can't be read, named as such.

The tree comes from tree-sitter's grammar of bash. Bash is not that grammar, so three things hold besides:

* what kinds of nodes mean is a list; a node that is not in it is unread, and what is below it is read all the same;
* between two nodes there may be blanks alone, and between two words of a command there must be some;
* words, comments and here-documents are read once more by bash's own rules (``words``, ``heredocs``).

Commands in functions, branches and loops count, whether they would run or not. A command behind another one (``sudo``, ``xargs``,
``bash -c``) counts as one of its own. An unread script still tells the commands that were seen, so that a rule can deny them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve
from tree_sitter import Node

from turnfold.core.world.bash.heredocs import UNCLEAR as HEREDOC
from turnfold.core.world.bash.heredocs import heredoc_fault
from turnfold.core.world.bash.script import Assignment, Command, Piece, Redirection, Script, Unread, Way, quoted
from turnfold.core.world.bash.tree import parsed, text_of
from turnfold.core.world.bash.words import UNCLEAR, Word, read_word, substitutions
from turnfold.core.world.bash.wrappers import RESERVED, Behind, Opaque, Text, inside

MAX_BYTES = 64_000
MAX_NODES = 20_000
MAX_DEPTH = 8  # of commands behind commands
SYNTAX = "it is no bash that can be read"
STRANGE = re.compile(r"[^\x20-\x7e\t\n\x80-\U0010ffff]|[\x80-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufeff]")
JOINED = re.compile(r"(?<![ \t\n])\\\n")  # a line continuation that may join two halves of a word
DESCRIPTOR = re.compile(r"[0-9]+-?")
ENDS_WORD = (b"", b" ", b"\t", b"\n", b";", b"(", b")", b"&", b"|", b"<", b">", b"`", b"}")
ASSIGNING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
BLANK = re.compile(rb"(?:[ \t\n]|\\\n)*")
BETWEEN = re.compile(rb"(?:[ \t]|\\\n)*[ \t](?:[ \t]|\\\n)*|[ \t](?:[ \t]|\\\n)*")
STRUCTURE = frozenset(
    "program list pipeline subshell do_group if_statement elif_clause else_clause while_statement negated_command "
    "redirected_statement variable_assignments heredoc_redirect case_item".split()
)
STATEMENTS = STRUCTURE | frozenset(
    "command declaration_command unset_command test_command compound_statement for_statement c_style_for_statement case_statement "
    "function_definition variable_assignment comment file_redirect herestring_redirect".split()
)
OPERATORS = frozenset(
    "; & && || | |& ;; ;& ;;& ( ) { } ! if then elif else fi while until do done for select in case esac function << <<- $( ` <( >( =".split()
) | frozenset("\n")
WORD_PARTS = frozenset("word number string raw_string ansi_c_string concatenation brace_expression".split())
EXPANSIONS = frozenset("simple_expansion expansion command_substitution process_substitution arithmetic_expansion".split())
WORDS = WORD_PARTS | EXPANSIONS
SINGLE_TEST = re.compile(r"""\[ (?:[A-Za-z0-9_ "'./:=!~%+,@-]|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})* \]""", re.ASCII)
DOUBLE_TEST = re.compile(r"""\[\[ (?:[A-Za-z0-9_ "'./:=!~%+,@*^-]|&&|\|\||\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})* \]\]""", re.ASCII)
GLOB = re.compile(r"[A-Za-z0-9_.,:/*?\[\]-]+")
COMPUTING_TEST = re.compile(r"\s-(?:eq|ne|lt|le|gt|ge|v)\s|\$\(")
OPENING = ("<", ">", ">>", "&>", "&>>", ">|", "<>", ">&", "<&", ">&-", "<&-")


def read_script(text: str, depth: int = 0) -> Script:
    """``text`` as bash would take it apart; total. Some 40 µs for a command, linear in the text.

    >>> [each.words for each in read_script("sudo ls -l | grep 'a b' > out").commands]
    [('sudo', 'ls', '-l'), ('ls', '-l'), ('grep', 'a b')]
    >>> read_script("echo $(").unread
    'it is no bash that can be read'
    """
    if STRANGE.search(text) or JOINED.search(text):
        return Script((Unread("it has characters that bash and people read differently"), *_read(STRANGE.sub(" ", text), depth)))
    return Script(_read(text, depth))


def _read(text: str, depth: int) -> tuple[Piece, ...]:
    source = text.encode("utf-8", "replace")
    if len(source) > MAX_BYTES:
        return (Unread("it is too long to be read"),)
    root = parsed(source)
    found: list[Piece] = [Unread(SYNTAX)] if root.has_error or not _blank(source[: root.start_byte] + source[root.end_byte :]) else []
    waiting: list[Node] = [root]
    seen = 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            found.append(Unread("it is too long to be read"))
            break
        pieces, below = _node(node, source, depth)
        found += pieces
        waiting += below[::-1]
    return tuple(found)


def _blank(between: bytes) -> bool:
    return not between or BLANK.fullmatch(between) is not None


Found = tuple[Iterable[Piece], tuple[Node, ...]]


def _node(node: Node, source: bytes, depth: int) -> Found:
    """What stands at ``node`` itself, and the nodes below it that are to be read."""
    match node.type:
        case "command" | "declaration_command" | "unset_command":
            return _command(node, source, depth, ())
        case "redirected_statement":
            return _redirected(node, source, depth)
        case "file_redirect":
            pieces, more = _redirection(node, source)
            return (*pieces, *_told(SYNTAX if more else "")), substitutions(node)
        case "heredoc_redirect":
            fault = heredoc_fault(node, source)
            return _told(fault), tuple(each for each in node.children if each.is_named and not each.type.startswith("heredoc_")) + (
                _inside_heredoc(node)
            )
        case "herestring_redirect":
            return _told(*(read_word(each, source).fault for each in node.named_children)), substitutions(node)
        case "variable_assignment":
            return _assignment(node, source), substitutions(node)
        case "comment":
            return _told("" if _begins_word(node, source) else "it has a comment that may be none"), ()
        case "test_command":
            return _told(_test_fault(text_of(node, source))), substitutions(node)
        case "command_substitution" | "process_substitution":
            nested = "" if b"<<" not in source[node.start_byte : node.end_byte] else HEREDOC
            return _told(_gaps(node, source), nested), tuple(each for each in node.children if each.is_named)
        case _:
            return _compound(node, source)


def _told(*faults: str) -> tuple[Piece, ...]:
    return tuple(Unread(fault) for fault in faults if fault)


def _inside_heredoc(node: Node) -> tuple[Node, ...]:
    return tuple(found for each in node.children if each.type == "heredoc_body" for found in substitutions(each))


def _compound(node: Node, source: bytes) -> Found:
    """Statements that hold others."""
    children = tuple(node.children)
    named = tuple(each for each in children if each.is_named)
    match node.type:
        case "compound_statement":
            arithmetic = not children or children[0].type != "{"
            return _told("it computes something that can't be read" if arithmetic else _gaps(node, source) or _apart(node, source)), named
        case "negated_command":
            return _told(_gaps(node, source) or _apart(node, source)), named
        case "for_statement":
            return _loop(node, source)
        case "case_statement" | "case_item":
            return _cases(node, source)
        case "function_definition":
            return _told("it defines a function", _gaps(node, source)), tuple(each for each in named if each.type in STATEMENTS)
        case "c_style_for_statement":
            return _told("it computes something that can't be read"), tuple(each for each in named if each.type in STATEMENTS)
        case kind if kind in STRUCTURE:
            return _told(_gaps(node, source)), named
        case _:
            return _told(SYNTAX), named


def _gaps(node: Node, source: bytes) -> str:
    """A fault where something stands between the children of ``node`` that is no blank, or an operator that is not known."""
    place = node.start_byte
    for child in node.children:
        strange = not child.is_named and (child.type not in OPERATORS or not _stands_alone(child, source))
        if strange or (child.start_byte > place and not _blank(source[place : child.start_byte])):
            return SYNTAX
        place = child.end_byte
    return "" if _blank(source[place : node.end_byte]) else SYNTAX


def _stands_alone(node: Node, source: bytes) -> bool:
    """Whether the keyword at ``node`` is a word of its own; an operator always is."""
    around = source[node.start_byte - 1 : node.start_byte] if node.start_byte else b"", source[node.end_byte : node.end_byte + 1]
    return not node.type.isalpha() or all(each in ENDS_WORD for each in around)


def _apart(node: Node, source: bytes) -> str:
    """A fault where the first sign of ``node``, ``{`` or ``!``, is no word of its own: then bash takes it for a part of one."""
    place = node.children[0].end_byte
    return "" if source[place : place + 1] in (b" ", b"\t", b"\n") else SYNTAX


def _begins_word(node: Node, source: bytes) -> bool:
    """Whether the ``#`` at ``node`` stands where bash begins a comment."""
    before = source[: node.start_byte][-2:]
    return not before or (before[-1:] in b" \t\n;|&(" and before != b"\\\n")


def _loop(node: Node, source: bytes) -> Found:
    """``for`` and ``select``: they set a variable, to words."""
    children = tuple(node.children)
    name = next((text_of(each, source) for each in children if each.type == "variable_name"), "")
    words = tuple(each for each in children if each.type in WORDS)
    faults = tuple(read_word(each, source).fault for each in words)
    below = tuple(each for each in children if each.is_named and each.type not in WORDS and each.type != "variable_name")
    return (Assignment(name=name, source=f"{name}=…"), *_told(_gaps(node, source), *faults)), (*_nested(words), *below)


def _cases(node: Node, source: bytes) -> Found:
    """``case``: its word and its patterns are words; what stands behind them are statements."""
    named = tuple(each for each in node.children if each.is_named)
    words = tuple(each for each in named if each.type in WORDS)
    faults = tuple(read_word(each, source).fault for each in words)
    below = tuple(each for each in named if each.type in STATEMENTS)
    patterns = tuple(each for each in named if each.type == "extglob_pattern" and GLOB.fullmatch(text_of(each, source)))
    odd = SYNTAX if len(words) + len(below) + len(patterns) < len(named) else ""
    return _told(_gaps(node, source), odd, *faults), (*_nested(words), *below)


def _nested(nodes: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(found for each in nodes if each.child_count for found in substitutions(each))


def _test_fault(text: str) -> str:
    """Why a test can't be read; a test that is read runs nothing."""
    whole = SINGLE_TEST.fullmatch(text) if not text.startswith("[[") else DOUBLE_TEST.fullmatch(text)
    inner = text.strip("[] ")
    alone = " ]" not in inner
    return "" if whole and alone and COMPUTING_TEST.search(text) is None else "it has a test that can't be read"


def _assignment(node: Node, source: bytes) -> tuple[Piece, ...]:
    """``name=value`` that is no part of a command."""
    text = text_of(node, source)
    name, *rest = node.named_children
    if name.type != "variable_name" or ASSIGNING.match(text) is None:
        return (Assignment(name=text_of(name, source), source=text), Unread("it computes something that can't be read"))
    words = tuple(word for each in rest for word in (each.named_children if each.type == "array" else (each,)))
    if any(each.type not in WORDS for each in words) or any(each.type == "array" and _gaps(each, source) for each in rest):
        return (Assignment(name=text_of(name, source), source=text), Unread(UNCLEAR))
    read = tuple(read_word(each, source) for each in words)
    plain = len(rest) <= 1 and all(each.type != "array" for each in rest) and "+=" not in text[: len(text_of(name, source)) + 2]
    value = (read[0].value if read else "") if plain else None
    return (Assignment(name=text_of(name, source), value=value, source=text), *_told(*(word.fault for word in read)))


def _redirection(node: Node, source: bytes) -> tuple[tuple[Piece, ...], tuple[Node, ...]]:
    """The file that is opened, and the words behind it that are the command's."""
    kinds = tuple(each.type for each in node.children)
    operator = next((kind for kind in kinds if kind in OPENING), "")
    words = tuple(each for each in node.children if each.type in WORDS)
    text = text_of(node, source)
    if (
        not operator
        or _gaps_in_redirect(node, source, operator)
        or len(words) + len([kind for kind in kinds if kind in {*OPENING, "file_descriptor"}]) < len(kinds)
    ):
        return (Unread(SYNTAX),), words[1:]
    if not words:
        return _told("" if operator in (">&-", "<&-") else SYNTAX), ()
    word = read_word(words[0], source)
    fault = word.fault
    if operator in (">&", "<&", ">&-", "<&-"):
        if DESCRIPTOR.fullmatch(word.value or ""):
            return _told(fault), words[1:]
        plain = word.value == word.bare and not word.bare.startswith("-") and not word.bare[:1].isdigit()
        fault = fault or ("" if plain else UNCLEAR)  # bash takes its quotes off twice, and a - for an end
    way = Way.READ if operator in ("<", "<&") else Way.WRITE
    return (Redirection(way, word.value, f"{operator} {text_of(words[0], source)}" if text else ""), *_told(fault)), words[1:]


def _gaps_in_redirect(node: Node, source: bytes, operator: str) -> bool:
    """Whether a word follows where none can, touches the one before it, or something else than blanks stands between two parts."""
    for left, right in zip(node.children, node.children[1:], strict=False):
        between = source[left.end_byte : right.start_byte]
        if not _blank(between) or (left.type in WORDS and BETWEEN.fullmatch(between) is None):
            return True
        if left.type == operator and right.type in WORDS and operator.endswith("-"):
            return True
    return False


def _redirected(node: Node, source: bytes, depth: int) -> Found:
    """A statement with redirections; the words that stand behind a redirection's file are the command's."""
    children = tuple(node.children)
    body = tuple(each for each in children if each.is_named and not each.type.endswith("_redirect"))
    pieces: list[Piece] = list(_told(_gaps(node, source)))
    more: list[Node] = []
    others: list[Node] = []
    for each in children:
        if each.type == "file_redirect":
            found, words = _redirection(each, source)
            pieces += found
            more += words
            others += substitutions(each)
        elif each.is_named and each not in body:
            others.append(each)
    if more and (len(body) != 1 or body[0].type != "command"):
        return (*pieces, Unread(SYNTAX)), (*body, *others)
    if not more:
        return pieces, (*body, *others)
    own, below = _command(body[0], source, depth, tuple(more))
    return (*own, *pieces), (*below, *others)


def _command(node: Node, source: bytes, depth: int, more: tuple[Node, ...]) -> Found:
    """A simple command, those behind it, and what is nested in its words; ``more``: words that stand behind its redirections."""
    before: list[Assignment] = []
    words: list[Word] = []
    pieces: list[Piece] = list(_told("" if node.end_byte == node.children[-1].end_byte else UNCLEAR))
    place = node.start_byte
    for child in (*node.children, *more):
        word_like = child.type not in ("file_redirect", "herestring_redirect")
        touching = child.start_byte == place and place != node.start_byte and word_like
        if touching or not (child.start_byte <= place or child in more or BETWEEN.fullmatch(source[place : child.start_byte])):
            pieces.append(Unread(UNCLEAR))
        place = child.end_byte
        if child.type == "variable_assignment" and not words:
            told = _assignment(child, source)
            before += (each for each in told if isinstance(each, Assignment))
            pieces += (each for each in told if isinstance(each, Unread))
        elif child.type == "file_redirect":
            found, behind = _redirection(child, source)
            pieces += found
            words += (read_word(each, source) for each in behind)
        elif child.type == "herestring_redirect":
            pieces += _told(*(read_word(each, source).fault for each in child.named_children))
        else:
            words.append(_argument(child, source))
    pieces += _told(*(word.fault for word in words))
    below = _nested((*node.children, *more))
    if not words or (words[0].value in RESERVED - {"time", "coproc"} and words[0].value == words[0].bare):
        return (*pieces, Unread(SYNTAX)), below
    text = text_of(node, source) + "".join(f" {text_of(each, source)}" for each in more)
    command = Command(
        words=tuple(word.value for word in words), source=" ".join(text.split()) if "\n" not in text else text, environment=tuple(before)
    )
    return (*behind_too(command, depth), *pieces), below


def _argument(node: Node, source: bytes) -> Word:
    """A word of a command; what a declaration assigns is one, too."""
    if node.type == "command_name":
        return read_word(node.children[0], source) if node.child_count == 1 else Word(None, fault=UNCLEAR)
    if node.type == "variable_assignment":
        told = _assignment(node, source)
        fault = next((each.why for each in told if isinstance(each, Unread)), "")
        made = next(each for each in told if isinstance(each, Assignment))
        return Word(None, fault=fault) if made.value is None else Word(f"{made.name}={made.value}", fault=fault)
    if not node.is_named:  # the declaring word itself, such as `export`
        text = text_of(node, source)
        return Word(text) if text.isalpha() else Word(None, fault=UNCLEAR)
    return read_word(node, source)


def behind_too(command: Command, depth: int) -> tuple[Piece, ...]:
    """``command``, then the commands that it runs."""
    parts = inside(command.words)
    if not parts:
        return (command,)
    if depth >= MAX_DEPTH:
        return (evolve(command, unread="it runs commands behind commands behind commands"),)
    opaque = next((part.why for part in parts if isinstance(part, Opaque)), "")
    passes = (
        not opaque
        and all(isinstance(part, Text) or (isinstance(part, Behind) and part.passes) for part in parts)
        and command.name != "find"
    )
    found: tuple[Piece, ...] = (evolve(command, passes=passes, unread=opaque),)
    for part in parts:
        if isinstance(part, Text):
            found += read_script(part.text, depth + 1).pieces
        elif isinstance(part, Behind):
            variables = tuple(Assignment(name=name, value=value) for name, value in part.environment)
            inner = Command(words=part.words, source=_source(part.words), environment=(*command.environment, *variables))
            found += behind_too(inner, depth + 1)
    return found


def _source(words: tuple[str | None, ...]) -> str:
    return " ".join("…" if word is None else quoted(word) for word in words)
