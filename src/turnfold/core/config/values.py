"""The values that settings hold: providers, profiles of models, rules, limits."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import field, frozen


class ToolFormat(Enum):
    """How a model writes tool calls."""

    NATIVE = "native"  # the provider's own function calls
    MARKDOWN = "markdown"  # fenced blocks in the reply's text


class Verdict(Enum):
    """What a rule says of the requests that it matches."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@final
@frozen
class SecretRef:
    """The name of a secret; its value never enters the core."""

    name: str


@final
@frozen(kw_only=True)
class Provider:
    """Where models are served: an OpenAI-compatible base URL (up to and with ``/v1``) and the name of the key."""

    name: str
    base_url: str
    secret: SecretRef | None = None
    timeout_s: float = 120.0  # the longest silence while a reply is awaited


class Role(Enum):
    """Whose words an example's turn is."""

    USER = "user"
    ASSISTANT = "assistant"


@final
@frozen
class ExampleTurn:
    """One message of a worked example."""

    role: Role
    text: str


@final
@frozen(kw_only=True)
class WorkedExample:
    """Turns that a model sees before every conversation, where all ``tools`` that they call are offered."""

    turns: tuple[ExampleTurn, ...]
    tools: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class ModelProfile:
    """Facts about one model, by ``provider/name``; ``*`` stands for any text in ``pattern``.

    ``grammar``: the server takes a GBNF grammar. ``must_call``: under it, the first reply of a turn, and the one after a
    failed call, has to be a call. ``ends_on_repeat``: a call that the turn has made before is not made again, and ends it.
    ``names_files``: the files of the workspace that the person names are told as being there. ``instructions`` replace the
    general ones where not empty. ``tools`` and ``generations`` hold where no layer says otherwise.
    """

    pattern: str
    tool_format: ToolFormat = ToolFormat.NATIVE
    grammar: bool = False
    must_call: bool = False
    ends_on_repeat: bool = False
    names_files: bool = False
    instructions: str = ""
    examples: tuple[WorkedExample, ...] = ()
    tools: tuple[str, ...] | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    generations: int | None = None


@final
@frozen
class Rule:
    """``verdict`` for every request of ``kind`` (``*``: all kinds) whose subject matches the glob ``pattern``."""

    verdict: Verdict
    kind: str = "*"
    pattern: str = "*"


@final
@frozen(kw_only=True)
class Limits:
    """What ends a turn or cuts an output: counts, seconds and bytes."""

    generations: int = 40  # model calls in one turn
    reply_bytes: int = 32_000_000  # of one streamed reply, as it came over the wire: some 300 bytes a token
    output_bytes: int = 20_000  # of a tool's output that the model is shown
    file_bytes: int = 2_000_000  # of a file that is read
    command_s: float = 300.0  # of one command or one piece of Python
    grace_s: float = 5.0  # from an interrupt until a request that does not answer counts as lost


@final
@frozen
class Variable:
    """One environment variable of a command; ``None`` removes it."""

    name: str
    value: str | None


Environment = tuple[Variable, ...]

DEFAULT_PROVIDERS: tuple[Provider, ...] = (
    Provider(name="openai", base_url="https://api.openai.com/v1", secret=SecretRef("OPENAI_API_KEY")),
    Provider(name="openrouter", base_url="https://openrouter.ai/api/v1", secret=SecretRef("OPENROUTER_API_KEY")),
    Provider(name="ollama", base_url="http://127.0.0.1:11434/v1", timeout_s=600.0),
    Provider(name="lmstudio", base_url="http://127.0.0.1:1234/v1", timeout_s=600.0),
    Provider(name="llamacpp", base_url="http://127.0.0.1:8080/v1", timeout_s=600.0),
    Provider(name="vllm", base_url="http://127.0.0.1:8000/v1", timeout_s=600.0),
)

DEFAULT_LIMITS: Limits = Limits()


@final
@frozen
class Missing:
    """What a layer says of a setting that it does not mention; not the same as a default, nor as empty."""

    mentioned: bool = field(default=False, init=False)


MISSING: Missing = Missing()
