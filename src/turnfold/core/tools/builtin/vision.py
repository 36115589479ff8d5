"""The tool ``vision``: an image, shown to the model."""

from __future__ import annotations

from collections.abc import Generator

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import parameters, text_parameter
from turnfold.core.tools.files import Target, find_target
from turnfold.core.tools.generator import Asked, Script, Sent, asked, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import ImageRead
from turnfold.core.world.images import Image
from turnfold.core.world.requests import ReadImage


def _vision(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Show the image at ``path``."""
    target = find_target(arguments, cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    image = yield from image_at(target, cfg)
    return Refuse(image) if isinstance(image, Problem) else shown(target.name, image)


def image_at(target: Target, cfg: ChatConfig) -> Generator[Asked, Sent, Image | Problem]:
    """The step that reads an image.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> next(image_at(Target("/w/a.png", "a.png"), ChatConfig(ProjectConfig(Config()))))
    ReadImage(path='/w/a.png', limit_bytes=5000000)
    """
    read = yield from asked(ReadImage(path=target.path, limit_bytes=cfg.limits.image_bytes), ImageRead)
    return read if isinstance(read, Problem) else read.image


def shown(name: str, image: Image) -> Done:
    """The end of a call that shows ``image``.

    >>> shown("a.png", Image("image/png", "AAAA")).text
    'a.png (image/png, 3 bytes)'
    """
    return Done(f"{name} ({image.media_type}, {counted(image.size_bytes, 'byte')})", images=(image,))


VISION: ToolSpec = ToolSpec(
    name="vision",
    description="Look at an image: a PNG, JPEG, GIF or WebP file.",
    parameters=parameters(("path",), path=text_parameter("The file, relative to the workspace.", least=1)),
    advance=from_generator(_vision),
    header=("path",),
    examples=(Example("What is on plot.png?", JsonObject.of(path="plot.png")),),
)
