"""G11 of SCENARIOS.md: a nested block in a streamed reply is not cut, and nothing of it runs truncated; with a real server and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Provider, Rule, ToolFormat, Verdict
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm.call_format import text_format
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.spec import find_tool
from turnfold.shell.folders import Folders
from turnfold.shell.real import real_world
from turnfold.shell.run import run
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

README = """\
# Demo

Run it:

```shell
make
```

Or write a call:

<tool-use>
<shell>
make
</shell>
</tool-use>

```
plain
```

The end.
"""
BARE = {
    ToolFormat.MARKDOWN: "I write it.\n\n```save README.md\n" + README + "```\n\nDone, I think: Saved to README.md",
    ToolFormat.XML: '<tool-use>\n<save args="README.md">\n' + README + "\n</save>\n</tool-use>\nSaved to README.md",
}
TOOLS = tuple(tool for tool in BUILTIN_TOOLS if tool.name in ("save", "shell", "read"))


def written(text: str, format: ToolFormat, piece_chars: int, folder: Path) -> str | None:
    """What README.md holds after a reply that came in pieces of so many characters."""
    replies = tuple(ScriptedReply(chunks=(chat_stream(said, piece_chars=piece_chars),)) for said in (text, "Done."))
    work = folder / "work"
    work.mkdir(parents=True)
    with ScriptedServer(replies) as server:
        config = Config(
            providers=(Provider(name="scripted", base_url=server.base_url),),
            model="scripted/m",
            tool_format=format,
            rules=(Rule(Verdict.ALLOW, "write"), Rule(Verdict.DENY, "run")),
        )
        folders = Folders(config=folder / "config", data=folder / "data", cache=folder / "cache")
        with real_world(environ={"PATH": "/usr/bin:/bin"}, folders=folders) as world:
            run("write it", TOOLS, ChatConfig(ProjectConfig(config), workspace=str(work)), world)
    file = work / "README.md"
    return file.read_text(encoding="utf-8") if file.exists() else None


@pytest.mark.parametrize("format", [ToolFormat.MARKDOWN, ToolFormat.XML])
@pytest.mark.parametrize("piece_chars", [1, 3, 1000])
def test_a_document_with_blocks_and_calls_in_it_is_written_whole(format: ToolFormat, piece_chars: int, tmp_path: Path) -> None:
    form, save = text_format(format), find_tool(TOOLS, "save")
    assert form is not None
    assert save is not None
    call = form.render(ToolCall("save", JsonObject.of(path="README.md", content=README)), save)
    assert written(f"I write it.\n\n{call}\n\nSaved.", format, piece_chars, tmp_path / "rendered") == README
    assert written(BARE[format], format, piece_chars, tmp_path / "bare") == README


@pytest.mark.parametrize("format", [ToolFormat.MARKDOWN, ToolFormat.XML])
def test_a_reply_that_ends_within_the_document_writes_nothing(format: ToolFormat, tmp_path: Path) -> None:
    cut = BARE[format][: BARE[format].index("Or write")]
    assert written(cut, format, 7, tmp_path) is None
