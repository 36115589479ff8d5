"""The values that settings hold: providers, profiles of models, rules, limits."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import field, frozen

from turnfold.core.config.notes import Form, note
from turnfold.core.json import JsonObject


class ToolFormat(Enum):
    """How a model writes tool calls."""

    NATIVE = "native"  # the provider's own function calls
    MARKDOWN = "markdown"  # fenced blocks in the reply's text
    XML = "xml"  # elements in the reply's text


class Verdict(Enum):
    """What a rule says of the requests that it matches."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Preset(Enum):
    """What may be done without a question where no rule speaks."""

    READ_ONLY = "read-only"  # what changes something is denied
    ASK = "ask"  # what only looks is allowed, the rest is asked for
    EDIT = "edit"  # files of the workspace may be changed as well
    ALL = "all"  # everything, but for what a rule asks for or denies


class Wire(Enum):
    """The format in which a server of models is spoken to."""

    CHAT = "chat"  # OpenAI Chat Completions, which most servers speak
    RESPONSES = "responses"  # OpenAI Responses
    MESSAGES = "messages"  # Anthropic Messages
    GEMINI = "gemini"  # Google's generateContent


class TokensParameter(Enum):
    """What an API calls the longest reply that is asked for."""

    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"  # OpenAI: its reasoning models refuse max_tokens


@final
@frozen
class SecretRef:
    """The name of a secret; its value never enters the core."""

    name: str


@final
@frozen(kw_only=True)
class Provider:
    """``[providers.NAME]``: where models are served, and in which wire format."""

    name: str
    base_url: str = field(default="", metadata=note("the address, up to and with /v1 (Gemini: /v1beta)", form=Form.URL, granted=True))
    secret: SecretRef | None = field(
        default=None, metadata=note("the NAME of the environment variable that holds the key; a key itself is refused", granted=True)
    )
    headers: JsonObject = field(
        factory=JsonObject, metadata=note('more HTTP headers: text, or {secret = "NAME"}', form=Form.PAIRS, granted=True)
    )
    default_model: str = field(default="", metadata=note("the model that is used when the key is all that is known"))
    wire: Wire = field(default=Wire.CHAT, metadata=note("the format that the server is spoken to in"))
    tokens_parameter: TokensParameter = field(
        default=TokensParameter.MAX_TOKENS, metadata=note("what the API calls the longest reply that is asked for")
    )
    asks_usage: bool = field(
        default=True, metadata=note("whether a stream has to be asked to tell its tokens (chat; Mistral refuses to be asked)")
    )
    timeout_s: float = field(default=120.0, metadata=note("the longest silence while a reply is awaited", over=0))
    connect_s: float = field(default=10.0, metadata=note("the longest wait for a connection", over=0))
    retries: int = field(default=6, metadata=note("how often a call that failed for the moment is made again", least=0, most=1000))
    retry_base_s: float = field(
        default=1.0,
        metadata=note(
            "the longest wait before the first such try; it doubles from try to try, and chance says how much of it is waited", least=0
        ),
    )
    retry_most_s: float = field(
        default=60.0,
        metadata=note("the longest such wait; where the provider asks for a longer one, a fallback is asked, or the turn ends", least=0),
    )


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
    """``[models."PATTERN"]``: facts about models, by ``provider/name``; ``*`` stands for any text in the pattern.

    ``grammar``: the server takes a GBNF grammar. ``must_call``: under it, the first reply of a turn, and the one after a
    failed call, has to be a call. ``ends_on_repeat``: a call that the turn has made before is not made again, and ends it.
    ``names_files``: the files of the workspace that the person names are told as being there. ``instructions`` replace the
    general ones where not empty. ``tools`` and ``generations`` hold where no layer says otherwise. Of several profiles that
    fit, each fact comes from the highest layer's that mentions it; within a layer, from the one with the longest pattern.
    """

    pattern: str
    aliases: tuple[str, ...] = field(default=(), metadata=note("short names of the model; only for a pattern without *"))
    tool_format: ToolFormat = field(default=ToolFormat.NATIVE, metadata=note("how the model writes calls"))
    grammar: bool = field(default=False, metadata=note("whether its server takes a GBNF grammar"))
    must_call: bool = False
    ends_on_repeat: bool = False
    names_files: bool = False
    instructions: str = field(default="", metadata=note("what replaces the general instructions"))
    examples: tuple[WorkedExample, ...] = ()
    tools: tuple[str, ...] | None = None
    temperature: float | None = field(default=None, metadata=note("sampling temperature", least=0, most=2))
    max_tokens: int | None = field(default=None, metadata=note("the longest reply that is asked for, in tokens", least=1))
    generations: int | None = None
    window_tokens: int | None = field(default=None, metadata=note("the most tokens of a conversation and its reply", least=1))
    output_tokens: int | None = field(default=None, metadata=note("the longest reply that the model can give, in tokens", least=1))
    input_usd: float | None = field(default=None, metadata=note("the price of a million tokens read", least=0, granted=True))
    output_usd: float | None = field(default=None, metadata=note("the price of a million tokens written", least=0, granted=True))
    cached_usd: float | None = field(
        default=None, metadata=note("the price of a million tokens read from the cache", least=0, granted=True)
    )
    cache_write_usd: float | None = field(
        default=None, metadata=note("the price of a million tokens written to the cache, where that costs more", least=0, granted=True)
    )
    calls_tools: bool | None = field(default=None, metadata=note("whether it knows native calls"))
    reasons: bool | None = field(default=None, metadata=note("whether it reasons before it answers"))
    returns_reasoning: bool = field(
        default=False,
        metadata=note("whether the model must get its reasoning back with its messages (chat, as reasoning_content or reasoning_details)"),
    )
    ordered: bool = field(
        default=False, metadata=note("whether words of the model have to stand between outputs of tools and a person's words (chat)")
    )
    sees_images: bool | None = field(default=None, metadata=note("whether it can read images"))
    holds_output: bool | None = field(
        default=None, metadata=note("whether its server holds a reply to a JSON Schema, also while it is offered tools")
    )


KINDS: tuple[str, ...] = (
    "read",
    "list",
    "write",
    "run",
    "python",
    "fetch",
    "browse",
    "function",
    "mcp",
    "child",
    "chats",
    "job",
    "model",
    "*",
)  # of requests that a rule speaks of


@final
@frozen
class Rule:
    """``[[rules]]``: ``verdict`` for every request of ``kind`` (``*``: all kinds) whose subject matches the glob ``pattern``."""

    verdict: Verdict = field(metadata=note("allow, ask or deny"))
    kind: str = field(default="*", metadata=note("the kind of request", form=Form.KIND))
    pattern: str = field(default="*", metadata=note("a glob over the path, the command, the code, the host or the name", form=Form.SOME))


class AtGenerations(Enum):
    """What comes of a turn that has had all its model calls."""

    STOP = "stop"  # it ends
    ANSWER = "answer"  # the model is called once more, without tools, to answer with what it knows


@final
@frozen(kw_only=True)
class Limits:
    """``[limits]``: what ends a turn or a conversation, or cuts an output: counts, tokens, seconds, money and bytes."""

    generations: int = field(default=40, metadata=note("model calls in one turn", least=1, granted=True))
    at_generations: AtGenerations = field(
        default=AtGenerations.STOP,
        metadata=note("what comes of a turn that has had all its model calls: stop, or answer with what it knows", granted=True),
    )
    repairs: int = field(
        default=2,
        metadata=note("how often in a turn the model may write a reply anew that does not fit output", least=0, most=20, granted=True),
    )
    turns: int | None = field(default=None, metadata=note("turns in the conversation", least=1, granted=True))
    tokens: int | None = field(default=None, metadata=note("tokens read and written in the conversation", least=1, granted=True))
    usd: float | None = field(default=None, metadata=note("what the conversation may cost, in US dollars", least=0, granted=True))
    turn_s: float | None = field(default=None, metadata=note("seconds of one turn, the wait for a person apart", over=0, granted=True))
    reply_bytes: int = field(
        default=32_000_000, metadata=note("of one streamed reply, as it comes over the wire", least=1000, granted=True)
    )
    output_bytes: int = field(default=20_000, metadata=note("of a tool's output that the model is shown", least=100, granted=True))
    file_bytes: int = field(default=2_000_000, metadata=note("of a file that is read", least=1, granted=True))
    image_bytes: int = field(default=5_000_000, metadata=note("of an image that a model is shown", least=1, granted=True))
    undo_bytes: int = field(default=10_000_000, metadata=note("of what was written to files, kept for /undo", least=0, granted=True))
    command_s: float = field(default=300.0, metadata=note("of one command or one piece of Python", over=0))
    side_by_side: int = field(
        default=8, metadata=note("requests of one conversation that are performed at once, where it is driven so", least=1, most=1000)
    )
    child_depth: int = field(
        default=2, metadata=note("how deep conversations that tools start may lie below yours; 0 for none", least=0, most=9, granted=True)
    )
    request_s: float | None = field(
        default=None,
        metadata=note("seconds of one model call in all, before it counts as failed", over=0, granted=True),
    )
    conversation_s: float | None = field(
        default=None,
        metadata=note("seconds of all turns together, the waits for a person apart", over=0, granted=True),
    )
    grace_s: float = field(
        default=5.0, metadata=note("from an interrupt until a request that does not answer counts as lost", least=0, granted=True)
    )


@final
@frozen
class Variable:
    """One environment variable of a command; ``None`` removes it."""

    name: str
    value: str | None


Environment = tuple[Variable, ...]

RESERVED_PARAMETERS: tuple[str, ...] = (
    "model",
    "messages",
    "input",
    "contents",
    "system",
    "instructions",
    "stream",
    "stream_options",
    "tools",
    "grammar",
    "temperature",
    TokensParameter.MAX_TOKENS.value,
    TokensParameter.MAX_COMPLETION_TOKENS.value,
    "max_output_tokens",
)  # what turnfold says itself in a model call of one wire format or another, so that no ``parameters`` may

DEFAULT_PROVIDERS: tuple[Provider, ...] = (
    Provider(
        name="openai",
        base_url="https://api.openai.com/v1",
        secret=SecretRef("OPENAI_API_KEY"),
        default_model="gpt-5-mini",
        tokens_parameter=TokensParameter.MAX_COMPLETION_TOKENS,
    ),
    Provider(
        name="openrouter",
        base_url="https://openrouter.ai/api/v1",
        secret=SecretRef("OPENROUTER_API_KEY"),
        default_model="openai/gpt-5-mini",
    ),
    Provider(name="ollama", base_url="http://127.0.0.1:11434/v1", timeout_s=600.0),
    Provider(name="lmstudio", base_url="http://127.0.0.1:1234/v1", timeout_s=600.0),
    Provider(name="llamacpp", base_url="http://127.0.0.1:8080/v1", timeout_s=600.0),
    Provider(name="vllm", base_url="http://127.0.0.1:8000/v1", timeout_s=600.0),
)

DEFAULT_LIMITS: Limits = Limits()
