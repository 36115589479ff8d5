"""The tools that come with turnfold, as one tuple of values."""

from __future__ import annotations

from turnfold.core.tools.builtin.append import APPEND
from turnfold.core.tools.builtin.ask import ASK
from turnfold.core.tools.builtin.browser import BROWSER
from turnfold.core.tools.builtin.chats import CHATS
from turnfold.core.tools.builtin.complete import COMPLETE
from turnfold.core.tools.builtin.fetch import FETCH
from turnfold.core.tools.builtin.find import FIND
from turnfold.core.tools.builtin.gh import GH
from turnfold.core.tools.builtin.grep import GREP
from turnfold.core.tools.builtin.jobs import JOBS
from turnfold.core.tools.builtin.patch import PATCH
from turnfold.core.tools.builtin.patch_many import PATCH_MANY
from turnfold.core.tools.builtin.python import PYTHON
from turnfold.core.tools.builtin.rag import RAG
from turnfold.core.tools.builtin.read import READ
from turnfold.core.tools.builtin.save import SAVE
from turnfold.core.tools.builtin.screenshot import SCREENSHOT
from turnfold.core.tools.builtin.shell import SHELL
from turnfold.core.tools.builtin.subagent import SUBAGENT
from turnfold.core.tools.builtin.tmux import TMUX
from turnfold.core.tools.builtin.todo import TODO
from turnfold.core.tools.builtin.vision import VISION
from turnfold.core.tools.spec import ToolSpec

BUILTIN_TOOLS: tuple[ToolSpec, ...] = (
    READ,
    SAVE,
    APPEND,
    PATCH,
    PATCH_MANY,
    GREP,
    FIND,
    SHELL,
    JOBS,
    PYTHON,
    TODO,
    ASK,
    COMPLETE,
    SUBAGENT,
    CHATS,
    FETCH,
    BROWSER,
    VISION,
    SCREENSHOT,
    TMUX,
    RAG,
    GH,
)
