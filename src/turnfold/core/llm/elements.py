"""One XML element ⇄ one call: what stands in its tag and in its text (``spelling.py``).

::

    <NAME args="VALUE…">          or  <invoke name="NAME" args="VALUE…">
    TEXT
    </NAME>                       or  </invoke>

Read as well: a parameter as an attribute of its own (``path="a.txt"``), and in ``<invoke>`` nothing but
``<parameter name="path">a.txt</parameter>`` elements; there a value is text where the tool's schema takes text, else JSON.

Text is written as it is: ``a && b < c`` means itself. The newline behind the opening tag and the one before the closing tag are
not part of it. ``&lt; &gt; &amp; &quot; &apos;`` and numbers (``&#13;``) stand for one character and are read once;
what else begins with ``&`` means itself. A text that begins with ``<![CDATA[`` is quoted up to ``]]>``: nothing in it has a meaning;
further on in a text that is just text.
"""

from __future__ import annotations

import re
from typing import Final, final

from attrs import frozen

from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.spelling import JSON_FORM, Spelling, Wording, in_json, malformed, plainly, read_spelling
from turnfold.core.problem import model_problem
from turnfold.core.tools.advance import unknown_tool
from turnfold.core.tools.spec import ToolSpec, find_tool

TOOL_USE, FUNCTION_CALLS = "tool-use", "function_calls"  # what calls are wrapped in
INVOKE, PARAMETER = "invoke", "parameter"
CDATA, CDATA_END = "<![CDATA[", "]]>"
ARGS, NAMED = "args", "name"

_OWN_NAME: Final = re.compile(r"[^\W\d][\w.:-]*")
_TAKEN: Final = (TOOL_USE, FUNCTION_CALLS, INVOKE, PARAMETER, "think", "thinking")
_ATTRIBUTE: Final = re.compile(r"""(?<![^\s"'])([^\s=<>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")
_ENTITY: Final = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
_NAMED_ENTITIES: Final = (("lt", "<"), ("gt", ">"), ("amp", "&"), ("quot", '"'), ("apos", "'"))
_SECTION: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_FIRST_NEWLINE: Final = re.compile(r"[ \t]*\n")
_PARAMETER: Final = re.compile(r"<parameter\s[^<>]*>")
_PARAMETER_END: Final = re.compile(r"</parameter\s*>\s*(?=<parameter\s|\Z)")


@final
@frozen
class Tag:
    """An opening tag: its name, its attributes in order, and whether it is closed as well (``<NAME/>``)."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    empty: bool = False

    def said(self, name: str) -> str | None:
        """The attribute called ``name``."""
        return next((value for key, value in self.attributes if key == name), None)


def tag_of(text: str) -> Tag:
    """The tag that ``text`` is, from ``<`` to ``>``; linear.

    >>> tag_of("<save args='a &amp; b.txt'>")
    Tag(name='save', attributes=(('args', 'a & b.txt'),), empty=False)
    """
    inner = text[1:-1]
    empty = inner.endswith("/")
    named = _OWN_NAME.match(inner)
    name = named[0] if named else ""
    found = _ATTRIBUTE.finditer(inner[: len(inner) - empty], len(name))
    return Tag(name, tuple((each[1], unescaped(each[2] or each[3] or each[4] or "")) for each in found), empty)


def unescaped(text: str) -> str:
    r"""``text`` with its entities read, once; those that stand for no character mean themselves.

    >>> unescaped("&lt;b&gt; &amp;lt; && &nbsp; &#13;")
    '<b> &lt; && &nbsp; \r'
    """
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    if entity[1]:
        return next(character for name, character in _NAMED_ENTITIES if name == entity[1])
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else entity[0]


def escaped(text: str) -> str:
    r"""``text`` so that nothing in it has a meaning, and no reader changes it.

    >>> escaped("a && b\r")
    'a &amp;&amp; b&#13;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(text: str) -> str:
    return escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def element_text(raw: str) -> str:
    r"""The text that stands between two tags as ``raw``, whose lines end with LF.

    >>> element_text("\nif a &lt; b && c:\n"), element_text("<![CDATA[&lt;]]>")
    ('if a < b && c:', '&lt;')
    """
    if raw.lstrip().startswith(CDATA):
        pieces = _SECTION.split(raw.strip())
        return "".join(_inner(piece) if number % 2 else unescaped(piece) for number, piece in enumerate(pieces))
    return unescaped(_inner(raw))


def _inner(raw: str) -> str:
    """``raw`` without the newlines next to the tags."""
    first = _FIRST_NEWLINE.match(raw)
    start = first.end() if first else 0
    last = raw.rfind("\n", start)
    return raw[start:last] if last >= 0 and not raw[last:].strip(" \t\n") else raw[start:]


def read_element(tag: Tag, raw: str, tools: tuple[ToolSpec, ...]) -> Invocation:
    """The call that an element spells: its opening ``tag``, and ``raw``, which stands between that and its closing tag.

    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> read_element(Tag("save", (("args", "a.txt"),)), "hi", (save,))
    ToolCall(name='save', arguments=JsonObject.of(path='a.txt', content='hi'))
    """
    name = called(tag)
    if not name:
        return BrokenCall("", raw, model_problem("call-malformed", 'An <invoke> names no tool. Write it as <invoke name="NAME">.'))
    tool = find_tool(tools, name)
    if tool is None:
        return BrokenCall(name, raw, unknown_tool(name, tools))
    given = tuple((key, value) for key, value in tag.attributes if key != ARGS and not (key == NAMED and tag.name == INVOKE))
    if tag.name == INVOKE and tag.said(ARGS) is None and _PARAMETER.match(raw.lstrip()):
        return _read_parameters(tool, given, raw)
    text, line = element_text(raw), tag.said(ARGS)
    if not given:
        return read_spelling(tool, Spelling(line or "", text), WORDING)
    strange = tuple(key for key, _ in given if key not in _known(tool))
    if strange or line is not None:
        return malformed(tool, Spelling(line or "", text), f"has no {' and no '.join(strange or (ARGS,))} here", WORDING)
    own = () if not tool.body or tag.said(tool.body) is not None else ((tool.body, text),)
    return ToolCall(tool.name, JsonObject((*_typed(tool, given), *own)))


def called(tag: Tag) -> str:
    """The name of the tool that an element with this opening tag calls; empty where it names none.

    >>> called(Tag("invoke", (("name", "save"),))), called(Tag("shell"))
    ('save', 'shell')
    """
    return (tag.said(NAMED) or "") if tag.name == INVOKE else tag.name


def _known(tool: ToolSpec) -> tuple[str, ...]:
    properties = tool.parameters.get("properties")
    return (*tool.header, tool.body, *(properties if isinstance(properties, JsonObject) else ()))


def _read_parameters(tool: ToolSpec, given: tuple[tuple[str, str], ...], raw: str) -> Invocation:
    """The call whose arguments stand in ``<parameter>`` elements; between those is nothing but white space."""
    elements = _PARAMETER_END.split(raw.strip())
    opened = tuple(_PARAMETER.match(element) for element in elements[:-1])
    tags = tuple(Tag("") if each is None else tag_of(each[0]) for each in opened)
    names = tuple(tag.said(NAMED) or "" for tag in tags)
    if elements[-1] or not all(names):
        return malformed(tool, Spelling("", raw), 'has parameters that are not all <parameter name="…">…</parameter>', WORDING)
    texts = (element_text(element[each.end() :]) for each, element in zip(opened, elements, strict=False) if each)
    return ToolCall(tool.name, JsonObject(_typed(tool, (*given, *zip(names, texts, strict=True)))))


def _typed(tool: ToolSpec, given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, JsonValue], ...]:
    """What was given as text, by name, the last of a name: text where the schema takes one, or does not say; else what it spells as JSON."""
    properties = tool.parameters.get("properties")
    known = properties if isinstance(properties, JsonObject) else JsonObject()
    last = dict(given)
    return tuple((name, text if _takes_text(known.get(name)) else loads_untrusted(text).value_or(text)) for name, text in last.items())


def _takes_text(schema: JsonValue) -> bool:
    if not isinstance(schema, JsonObject):
        return True
    kinds = schema.get("type")
    if kinds is not None:
        return "string" in kinds if isinstance(kinds, tuple) else kinds == "string"
    choices = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(choices, tuple):
        return any(_takes_text(choice) for choice in choices)
    values = schema.get("enum")
    return not isinstance(values, tuple) or any(isinstance(value, str) for value in values)


def written(name: str, said: Spelling) -> str:
    """The element that calls ``name``, in what calls are wrapped in.

    >>> print(written("save", Spelling("a.txt", "1 < 2")))
    <tool-use>
    <save args="a.txt">
    1 < 2
    </save>
    </tool-use>
    """
    own = name.isascii() and _OWN_NAME.fullmatch(name) is not None and name not in _TAKEN
    wrapper, element = (TOOL_USE, name) if own else (FUNCTION_CALLS, INVOKE)
    naming = "" if own else f' {NAMED}="{_attribute(name)}"'
    args = f' {ARGS}="{_attribute(said.line)}"' if said.line else ""
    text = said.text if _means_itself(said.text, wrapper, element) else escaped(said.text)
    lines = (f"<{wrapper}>", f"<{element}{naming}{args}>", *((text,) if text else ()), f"</{element}>", f"</{wrapper}>")
    return "\n".join(lines)


def _means_itself(text: str, wrapper: str, element: str) -> bool:
    """Whether ``text`` reads as itself within these tags, whatever other tools there are."""
    marks = (f"</{element}", f"<{wrapper}", f"</{wrapper}", CDATA, f"<{PARAMETER}", "\r")
    return not any(mark in text for mark in marks) and _ENTITY.search(text) is None


def element_of(call: ToolCall, tool: ToolSpec) -> str:
    """``call`` as an element, in the first form where that says the same, else in JSON.

    >>> print(
    ...     element_of(ToolCall("ls", JsonObject.of(all=True)), ToolSpec(name="ls", description="", parameters=JsonObject(), advance=print))
    ... )
    <tool-use>
    <ls args="--json">
    {"all":true}
    </ls>
    </tool-use>
    """
    return written(call.name, plainly(call, tool, WORDING) or in_json(call))


def sample(tool: ToolSpec) -> str:
    """A call of ``tool`` to learn from: its first worked example, else its form."""
    for example in tool.examples:
        return element_of(ToolCall(tool.name, example.arguments), tool)
    if not tool.header and not tool.body:
        return written(tool.name, Spelling(JSON_FORM, "{}"))
    return written(tool.name, Spelling(" ".join(map(str.upper, tool.header)), tool.body.upper()))


WORDING = Wording(call="element", line='in args="…"', text="between its tags", sample=sample)
