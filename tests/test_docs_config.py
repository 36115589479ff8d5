"""docs/config.md says what is so: its files are read, its tables are those of the code, its transcripts are what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from returns.result import Success

from tests.test_docs import block
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, Verdict, explain
from turnfold.cli.arguments import CONFIG_ACTIONS
from turnfold.cli.config_text import explained_text, toml_value
from turnfold.core.codec.json_schema import settings_schema
from turnfold.core.codec.settings import FileSettings, read_file_untrusted
from turnfold.core.codec.shapes import SETTINGS, Key, Named, Rules, Table
from turnfold.core.codec.variables import VARIABLES
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.explain import Explained
from turnfold.core.config.layer import LayerName
from turnfold.core.config.layers import Overrides
from turnfold.core.config.values import SecretRef, Variable
from turnfold.shell.folders import HOME
from turnfold.shell.settings import CONFIG, PROJECT_FILES, local_of

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENT = (PROJECT / "docs" / "config.md").read_text(encoding="utf-8")


def row_of(key: Key) -> str:
    """The line of a setting in its table."""
    notes = [key.note.about]
    if key.note.granted:
        notes.append("**trust**")
    if key.note.awaits:
        notes.append(f"*waits for {key.note.awaits}*")
    default = "has to be there" if key.due else "" if key.default is None else f"`{toml_value(key.default)}`"
    return f"| `{key.name}` | {default} | {'; '.join(notes).replace('|', ',')} |"


def tables() -> tuple[tuple[str, Table], ...]:
    """The tables of a file, each with its heading; the settings that are in none come first."""
    single = Table(tuple(key for key in SETTINGS.keys if not isinstance(key.shape, Table | Named | Rules)))
    inner = []
    for key in SETTINGS.keys:
        match key.shape:
            case Table():
                inner.append((f"### `[{key.name}]`", key.shape))
            case Named(table=table, by=by):
                inner.append((f"### `[{key.name}.{'NAME' if by == 'name' else chr(34) + 'PATTERN' + chr(34)}]`", table))
            case Rules(table=table):
                inner.append((f"### `[[{key.name}]]`", table))
            case _:
                pass
    return (("### Without a table", single), *inner)


def reference() -> str:
    """The part of the document that lists every setting, made from the code: print it to write it anew."""
    head = "| key | default | what |\n|---|---|---|\n"
    return "\n".join(f"{heading}\n\n{head}" + "".join(f"{row_of(key)}\n" for key in table.keys) for heading, table in tables())


def test_every_setting_is_in_the_document_and_the_document_has_no_other() -> None:
    said = re.search(r"<!-- every setting -->\n(.*?)<!-- end -->", DOCUMENT, re.DOTALL)
    assert said is not None
    assert said[1].strip() == reference().strip(), "python -m tests.test_docs_config writes it anew"


def read(language: str, of: str, place: str, layer: LayerName) -> Overrides:
    found = read_file_untrusted(block(DOCUMENT, language, of), place, layer)
    assert isinstance(found, Success), found
    said: FileSettings = found.unwrap()
    assert not said.withheld
    return said.layer


def test_the_example_of_a_config_is_one_and_says_what_its_comments_say() -> None:
    cfg = ChatConfig(ProjectConfig(Config(files=(read("toml", "[providers.work]", "config.toml", "user"),))))
    assert cfg.model == "work/qwen3-coder"
    assert cfg.providers[0].secret == SecretRef("WORK_API_KEY")
    assert cfg.tools == ("-python",)
    assert cfg.rules == (Rule(Verdict.ALLOW, "run", "git status *"), Rule(Verdict.DENY, "*", "*.env"))
    assert (cfg.limits.generations, cfg.limits.usd) == (20, 2)
    assert cfg.environment == (Variable("CI", "1"), Variable("PAGER", None))


def test_the_agent_of_the_document_leads() -> None:
    cfg = ChatConfig(ProjectConfig(Config(files=(read("toml", "[agents.reviewer]", "config.toml", "user"),))))
    assert cfg.agents == (AgentSpec(name="reviewer", instructions="Review, change nothing.", tools=("read",), limits=cfg.agents[0].limits),)
    assert (cfg.agent, cfg.tools, cfg.instructions, cfg.limits.turns) == ("reviewer", ("read",), "Review, change nothing.", 3)


def test_the_transcript_is_what_is_printed() -> None:
    own = read("toml", "# yours", "~/.config/turnfold/config.toml", "user")
    project = read("toml", "# the project's", "turnfold.toml", "project")
    cfg = ChatConfig(ProjectConfig(Config(files=(own,)), files=(project,)))
    transcript = block(DOCUMENT, "console", "$ turnfold config explain")
    for part in transcript.split("$ turnfold config explain ")[1:]:
        key, _, printed = part.partition("\n")
        found = explain(cfg, key)
        assert isinstance(found, Explained)
        assert explained_text(found) == printed


def test_the_code_of_the_document_runs() -> None:
    names: dict[str, object] = {}
    exec(compile(block(DOCUMENT, "python", "ChatConfig("), "config.md", "exec"), names)
    assert names["place"] == ("project", "")


def test_the_variables_that_are_named_are_read() -> None:
    named = set(re.findall(r"`(TURNFOLD_\w+)`", DOCUMENT))
    assert HOME in named
    assert named - {HOME} <= set(VARIABLES)


def test_the_files_and_actions_that_are_named_are_so() -> None:
    for name in (CONFIG, str(local_of(Path(CONFIG))), *PROJECT_FILES, *(str(local_of(Path(name))) for name in PROJECT_FILES)):
        assert f"`{name}`" in DOCUMENT
    for name, _ in CONFIG_ACTIONS:
        assert f"turnfold config {name}" in DOCUMENT
    said = re.search(r"of the built-in ones: ([a-z_ ]+)", DOCUMENT)
    assert said is not None
    assert sorted(said[1].split()) == sorted(tool.name for tool in BUILTIN_TOOLS)
    assert settings_schema().get("title") == "turnfold's config"


@pytest.mark.parametrize("path", re.findall(r"`(src/turnfold/[\w/]+\.\w+)`", DOCUMENT))
def test_the_modules_that_are_named_are_there(path: str) -> None:
    assert (PROJECT / path).is_file()


if __name__ == "__main__":  # python -m tests.test_docs_config writes the tables anew
    before, _, rest = DOCUMENT.partition("<!-- every setting -->\n")
    after = rest.partition("<!-- end -->")[2]
    (PROJECT / "docs" / "config.md").write_text(f"{before}<!-- every setting -->\n{reference()}<!-- end -->{after}", encoding="utf-8")
