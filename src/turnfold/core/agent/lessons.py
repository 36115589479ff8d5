"""What a person says as the message that the model gets: with the lessons that fit it, each told once in a conversation."""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.state import Past, effective, offered, usable
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.matching import fitting
from turnfold.core.config.models import profile_of
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.json import scalar_text
from turnfold.core.llm.enclosing import enclosed
from turnfold.core.tools.spec import ToolSpec

ABOUT_LESSONS = "Lessons from earlier work that fit what the user says; mind them where they apply."


def user_message(text: str, context: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig, past: Past) -> UserMessage:
    """The message of a person who says ``text`` with ``context``, behind which stand the lessons of the briefing that fit the text.

    None is told that the log or a message that waits has already; nor is any to a model whose profile has instructions of
    its own, as with the rest of the briefing. Linear in the text times the lessons; free where there are none.

    >>> from turnfold.core.config.briefing import Briefing, Lesson
    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> lesson = Lesson(path="git.md", title="Rebase", text="Fetch first.", keywords=("rebase",))
    >>> cfg = ChatConfig(ProjectConfig(Config()), briefing=Briefing(lessons=(lesson,)))
    >>> user_message("Rebase it.", "", (), cfg, Past()).lessons
    ('git.md',)
    """
    plain = UserMessage(scalar_text(text), scalar_text(context))
    now = effective(cfg, past) if cfg.briefing.lessons else cfg
    profile = profile_of(now) if now.briefing.lessons else None
    if profile is None or profile.instructions:
        return plain
    told = (*past.told, *(path for message in past.queue for path in message.lessons))
    names = tuple(tool.name for tool in offered(usable(tools, now), now, profile))
    found = fitting(now.briefing.lessons, plain.text, names, told, now.skills.lessons_at_once)
    if not found:
        return plain
    lessons = "\n\n".join((ABOUT_LESSONS, *(enclosed(f"{each.title} ({each.path})", each.text) for each in found)))
    after = f"{plain.context}\n\n{lessons}" if plain.context else lessons
    return UserMessage(plain.text, after, tuple(each.path for each in found))


def said_instead(message: UserMessage, text: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig, past: Past) -> UserMessage:
    """``message`` with another text, and the lessons that fit that one; ``past`` is as it was before it.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> said = UserMessage("Rebase.", f"a.txt is there.\\n\\n{ABOUT_LESSONS}\\n\\nRebase (git.md): …", ("git.md",))
    >>> said_instead(said, "Merge.", (), ChatConfig(ProjectConfig(Config())), Past())
    UserMessage(text='Merge.', context='a.txt is there.', lessons=(), pinned=False, urged=False)
    """
    given = message.context.rpartition(ABOUT_LESSONS)[0].removesuffix("\n\n") if message.lessons else message.context
    return evolve(user_message(text, given, tools, cfg, past), pinned=message.pinned)
