"""Pictures on the wire of OpenAI Chat Completions.

A message of role ``tool`` holds text alone, and all those of a round must follow each other. So, with native calls, what the tools of a
round show stands in a message of the person behind them all; in a text format, where outputs are the person's messages anyway, each
picture stands in its output's. A model that can't see is told so in the text: what it does not know it might invent.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.conversation.messages import Message, ToolMessage
from turnfold.core.json import quoted
from turnfold.core.tools.output import counted
from turnfold.core.world.images import Image

# What a picture counts in estimates, however many bytes it has: providers count its area, up to about this many tokens.
IMAGE_TOKENS = 1600
IMAGE_BYTES = 4 * IMAGE_TOKENS


def image_parts(images: tuple[Image, ...]) -> str:
    """``images`` as parts of a message's content.

    >>> image_parts((Image("image/png", "AA=="),))
    '{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}'
    """
    urls = (quoted(f"data:{image.media_type};base64,{image.data}") for image in images)
    return ",".join(f'{{"type":"image_url","image_url":{{"url":{url}}}}}' for url in urls)


def told_with_images(text: str, images: tuple[Image, ...]) -> bytes:
    """A message of the person that says ``text`` and shows ``images``.

    >>> told_with_images("Look.", ())
    b'{"role":"user","content":[{"type":"text","text":"Look."}]}'
    """
    shown = f",{image_parts(images)}" if images else ""
    return f'{{"role":"user","content":[{{"type":"text","text":{quoted(text)}}}{shown}]}}'.encode("utf-8", "replace")


def encode_images(messages: tuple[ToolMessage, ...]) -> bytes:
    """The message that shows what the tools of a round show, ``messages`` being all their outputs; empty where they show nothing.

    >>> encode_images((ToolMessage(call_id="1.1.0", tool="read", text="a"),))
    b''
    """
    images = tuple(image for message in messages for image in message.images)
    tools = tuple(dict.fromkeys(message.tool for message in messages if message.images))
    return told_with_images(f"Shown by {', '.join(tools)}, in this order:", images) if images else b""


def as_seen(message: Message, *, sees: bool) -> Message:
    """``message`` for a model that ``sees`` or does not: then its text says what it is not shown.

    >>> as_seen(ToolMessage(call_id="", tool="vision", text="a.png", images=(Image("image/png", ""),)), sees=False).text
    'a.png\\n(1 image is not shown to you: this model can see none. Tell the user so, and do not guess what is on it.)'
    """
    if sees or not isinstance(message, ToolMessage) or not message.images:
        return message
    count = len(message.images)
    note = f"({counted(count, 'image')} {'is' if count == 1 else 'are'} not shown to you: this model can see none. Tell the user so, and do not guess what is on {'it' if count == 1 else 'them'}.)"
    return evolve(message, text=f"{message.text}\n{note}", images=())


def spared_bytes(message: Message) -> int:
    """By how many bytes a message is longer than what its pictures count in estimates.

    >>> spared_bytes(ToolMessage(call_id="", tool="vision", text="", images=(Image("image/png", "A" * 10_000),)))
    3600
    """
    return sum(len(image.data) - IMAGE_BYTES for image in message.images) if isinstance(message, ToolMessage) else 0
