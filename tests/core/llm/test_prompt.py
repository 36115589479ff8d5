"""The system prompt: what it says in each format, and that its examples are calls."""

from __future__ import annotations

from attrs import evolve

from tests.core.llm.plain_tools import READ, SAVE, TODO, TOOLS
from turnfold.core.config.briefing import Briefing, Skill, Text
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.tables import User
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm import call_format
from turnfold.core.llm.markdown import parse
from turnfold.core.llm.prompt import system_prompt

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w/demo")
TOLD = ChatConfig(ProjectConfig(Config(instructions="Speak French.")), workspace="/w/demo")


def test_markdown_says_how_to_call_each_tool() -> None:
    text = system_prompt(CFG, (SAVE, READ, TODO), ToolFormat.MARKDOWN)
    assert "The workspace is /w/demo;" in text
    assert "## save\n\nWrite a file.\n\nUser: Save hi in a.txt\nAssistant:\n```save a.txt\nhi\n```" in text
    assert "```read PATH\n```" in text
    assert "```todo --json\n{}\n```" in text


def test_parameters_that_only_json_can_give_are_described() -> None:
    properties = JsonObject.of(path=JsonObject.of(type="string"), last=JsonObject.of(type="integer"))
    spec = evolve(READ, parameters=JsonObject.of(type="object", properties=properties))
    assert 'Arguments as JSON: {"last":{"type":"integer"}}\n\n```read PATH' in system_prompt(CFG, (spec,), ToolFormat.MARKDOWN)
    covered = evolve(spec, header=("path", "last"))
    assert "Arguments as JSON" not in system_prompt(CFG, (covered,), ToolFormat.MARKDOWN)


def test_the_examples_are_calls() -> None:
    text = system_prompt(CFG, (SAVE, READ, TODO), ToolFormat.MARKDOWN)
    assert parse(text, TOOLS) == (
        ToolCall("save", JsonObject.of(path="a.txt", content="hi")),
        ToolCall("read", JsonObject.of(path="PATH")),
        ToolCall("todo", JsonObject()),
    )


def test_xml_says_how_to_call_each_tool_and_its_examples_are_calls() -> None:
    text = system_prompt(CFG, (SAVE, READ, TODO), ToolFormat.XML)
    assert "write <tool-use> on a line of its own" in text
    assert (
        '## save\n\nWrite a file.\n\nUser: Save hi in a.txt\nAssistant:\n<tool-use>\n<save args="a.txt">\nhi\n</save>\n</tool-use>' in text
    )
    assert "```" not in text
    assert call_format.parse(text, ToolFormat.XML, TOOLS) == parse(system_prompt(CFG, (SAVE, READ, TODO), ToolFormat.MARKDOWN), TOOLS)


def test_native_leaves_the_tools_to_the_request() -> None:
    text = system_prompt(CFG, TOOLS, ToolFormat.NATIVE)
    assert "```" not in text
    assert "The workspace is /w/demo;" in text


def test_without_tools_nothing_is_said_of_calling() -> None:
    assert system_prompt(CFG, (), ToolFormat.MARKDOWN) == system_prompt(CFG, (), ToolFormat.NATIVE)


def test_a_profile_replaces_all_but_what_the_person_wants() -> None:
    assert system_prompt(CFG, TOOLS, ToolFormat.MARKDOWN, "Tuned.") == "Tuned."
    assert system_prompt(TOLD, TOOLS, ToolFormat.MARKDOWN, "Tuned.").startswith("Tuned.\n\n# What the user wants")
    assert system_prompt(TOLD, TOOLS, ToolFormat.NATIVE).endswith("\n\nSpeak French.")


def test_the_same_arguments_give_the_same_text() -> None:
    assert system_prompt(CFG, TOOLS, ToolFormat.MARKDOWN) == system_prompt(CFG, TOOLS, ToolFormat.MARKDOWN)


BRIEFED = evolve(
    CFG,
    user=User(name="Ada", style="short"),
    briefing=Briefing(
        texts=(Text("AGENTS.md", "Use tabs.\n````\n"), Text("$ git\nstatus", "clean")),
        skills=(Skill(name="release", description="How to release.", path="/w/demo/s/release/SKILL.md"),),
    ),
)


def test_an_empty_briefing_takes_no_word() -> None:
    for format in ToolFormat:
        plain = system_prompt(CFG, TOOLS, format)
        assert plain.endswith("The workspace is /w/demo; paths are relative to it.")
        assert system_prompt(evolve(CFG, user=User(), briefing=Briefing()), TOOLS, format) == plain


def test_who_is_talking_then_texts_then_skills_then_what_is_wanted() -> None:
    text = system_prompt(evolve(BRIEFED, instructions="Speak French."), TOOLS, ToolFormat.NATIVE)
    assert text.startswith(system_prompt(CFG, TOOLS, ToolFormat.NATIVE))
    told = text.partition("relative to it.")[2]
    assert told.startswith("\n\n# The user\n\nName: Ada\nAnswers should be: short\n\n# What is known of the project\n\n")
    assert "\n\nAGENTS.md:\n`````\nUse tabs.\n````\n`````\n\n$ git status:\n````\nclean\n````\n\n# Skills\n\n" in told
    assert "\n\n- release: How to release. (/w/demo/s/release/SKILL.md)\n\n# What the user wants of you\n\nSpeak French." in told


def test_skills_are_for_whoever_can_read_them() -> None:
    assert "# Skills" not in system_prompt(BRIEFED, (), ToolFormat.NATIVE)


def test_a_profile_with_instructions_is_told_nothing_of_the_surroundings() -> None:
    assert system_prompt(BRIEFED, TOOLS, ToolFormat.MARKDOWN, "Tuned.") == "Tuned."
