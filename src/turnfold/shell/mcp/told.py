"""What an MCP server answered, as the model is told."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ReadResourceResult,
    Resource,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from turnfold.core.json import dumps, freeze, scalar_text
from turnfold.core.tools.output import limit_text
from turnfold.core.world.answers import Returned
from turnfold.core.world.images import MEDIA_TYPES, Image
from turnfold.shell.masking import Mask

MAX_IMAGES = 8
MAX_IMAGE_CHARS = 8_000_000


def returned(result: CallToolResult, mask: Mask, limit_bytes: int) -> Returned:
    """The content of a tool's ``result``: texts, images that a model can see, and of what it can't, that it was there."""
    blocks = tuple(result.content)
    images = tuple(_image(each) for each in blocks if _seen(each))[:MAX_IMAGES]
    texts = [text for each in blocks if (text := _text(each))]
    if not texts and not images and result.structured_content is not None:
        texts = [_json(result.structured_content)]
    return Returned(text=_shown(texts, mask, limit_bytes), ok=not result.is_error, images=images)


def resource(result: ReadResourceResult, mask: Mask, limit_bytes: int) -> Returned:
    """What a resource holds."""
    return Returned(text=_shown((_contents(each) for each in result.contents), mask, limit_bytes))


def resources(found: Iterable[Resource], mask: Mask, limit_bytes: int) -> Returned:
    """What resources there are: a line each."""
    lines = (f"{each.uri}  {each.title or each.name}{'  ' + each.description if each.description else ''}" for each in found)
    return Returned(text=_shown((" ".join(line.split()) for line in lines), mask, limit_bytes) or "There are no resources.")


def _shown(texts: Iterable[str], mask: Mask, limit_bytes: int) -> str:
    return limit_text(mask.text(scalar_text("\n".join(texts))), limit_bytes)


def _seen(block: ContentBlock) -> bool:
    return (
        isinstance(block, ImageContent) and block.mime_type in MEDIA_TYPES and len(block.data) <= MAX_IMAGE_CHARS and block.data.isascii()
    )


def _image(block: ContentBlock) -> Image:
    return Image(block.mime_type, block.data) if isinstance(block, ImageContent) else Image("", "")


def _text(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case EmbeddedResource():
            return _contents(block.resource)
        case ResourceLink():
            return f"[resource {block.uri}: {block.title or block.name}]"
        case AudioContent():
            return f"[sound, {block.mime_type}, which can't be shown]"
        case _:
            return "" if _seen(block) else f"[image, {block.mime_type}, which can't be shown]"


def _contents(found: TextResourceContents | BlobResourceContents) -> str:
    if isinstance(found, TextResourceContents):
        return found.text
    return f"[{found.uri}: {found.mime_type or 'binary data'}, which can't be shown]"


def _json(value: object) -> str:
    try:
        return dumps(freeze(value))
    except ValueError:
        return "[data that is no JSON]"
