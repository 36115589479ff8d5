"""A picture from its file to the model and into the export: held once, shown once, named everywhere else."""

from __future__ import annotations

import base64
import json

from turnfold.core.agent.commands.transcript import as_json, as_markdown, shortened
from turnfold.core.agent.events import CallClosed, RequestClosed
from turnfold.core.agent.inputs import CommandGiven
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.journal import fold
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.text import trace_text
from turnfold.core.world.answers import ImageRead
from turnfold.shell.run import run
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
DATA = base64.b64encode(PNG).decode()
CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="c")


def test_a_person_attaches_a_picture_and_the_model_is_shown_it() -> None:
    world = fake_world((chat_stream("A dot."),), files={"/w/dot.png": PNG})
    seen = run(CommandGiven("/vision dot.png"), BUILTIN_TOOLS, CFG, world)
    result = run("What is it?", BUILTIN_TOOLS, seen.cfg, world, state=seen.state)
    (body,) = world.models.bodies  # type: ignore[attr-defined]
    messages = json.loads(body)["messages"]
    assert [each["role"] for each in messages if each["role"] != "system"] == ["user", "assistant", "tool", "user", "user"]
    assert body.count(DATA.encode()) == 1
    events = world.journal.load("c")
    texts = "".join(encode(EVENT, event) for event in events)
    assert texts.count(DATA) == 1
    (read,) = (event.outcome for event in events if isinstance(event, RequestClosed) and isinstance(event.outcome, ImageRead))
    (closed,) = (event for event in events if isinstance(event, CallClosed))
    assert closed.images == (read.image.digest,)
    past = fold(events)
    assert past == result.state.past
    (told,) = (message for message in past.log if isinstance(message, ToolMessage))
    assert told.images == (read.image,)
    for text in (as_markdown(past, "", BUILTIN_TOOLS), shortened(past, 10), as_json(past, ""), trace_text(trace_of(events))):
        assert "image/png" in text
        assert DATA[:60] not in text
    (shown,) = next(each for each in json.loads(as_json(past, ""))["messages"] if each["role"] == "tool")["images"]
    assert shown == {"media_type": "image/png", "size_bytes": len(PNG), "digest": read.image.digest}
