"""The tool ``chats``: the person's past conversations, searched for words, or one of them read."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import integer_argument, parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.moments import day
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import ChatFound, ChatsFound
from turnfold.core.world.requests import SearchChats

MOST = 20
USUAL = 5


def _chats(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Search, or read one; and tell what was found."""
    query, conversation = text_argument(arguments, "query").strip(), text_argument(arguments, "conversation").strip()
    if not query and not conversation:
        return Refuse(model_problem("no-words", "Give the words to look for (query), or the conversation to read.", "$.query"))
    limit = min(max(integer_argument(arguments, "limit", USUAL), 1), MOST)
    found = yield from asked(SearchChats(query=query, limit=limit, conversation=conversation), ChatsFound)
    if isinstance(found, Problem):
        return Refuse(found)
    if conversation:
        return Done(limit_text("\n".join(map(_whole, found.chats)), cfg.limits.output_bytes))
    said = "\n".join(map(_line, found.chats)) or "No past conversation says that."
    return Done(limit_text(said, cfg.limits.output_bytes))


def _line(chat: ChatFound) -> str:
    return f"{chat.conversation} ({day(chat.changed_ms)}, {chat.title}): {chat.text}"


def _whole(chat: ChatFound) -> str:
    return f"{chat.title} ({day(chat.changed_ms)})\n\n{chat.text}"


CHATS: ToolSpec = ToolSpec(
    name="chats",
    description="Search the user's past conversations for words, the best first; or read one of them by its id.",
    parameters=parameters(
        (),
        query=text_parameter("The words to look for."),
        conversation=text_parameter("The id of the one conversation to read, as a search gave it."),
        limit=JsonObject.of(type="integer", description=f"The most that are told; {USUAL} by default.", minimum=1, maximum=MOST),
    ),
    advance=from_generator(_chats),
    body="query",
    examples=(Example("How did we set up the database last month?", JsonObject.of(query="database setup SQLite PostgreSQL")),),
    optional=True,
)
