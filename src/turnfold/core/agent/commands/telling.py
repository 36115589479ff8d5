"""Commands that tell and change nothing: tools, log, trace, tokens, cost, export; and the wish to leave."""

from __future__ import annotations

from turnfold.core.agent.commands.command import Command, columns, number_untrusted, parted, tell, wrong
from turnfold.core.agent.commands.transcript import as_json, as_markdown, shortened
from turnfold.core.agent.context import estimated_tokens
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Document, Leave, Publish, Recall, TellTrace
from turnfold.core.agent.encoding import encoded_for, profile_for
from turnfold.core.agent.state import offered
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import full_name, profile_of
from turnfold.core.config.values import ModelProfile
from turnfold.core.tools.spec import ToolSpec

LAST = 10  # messages that /log shows
FORMATS = ("markdown", "json")


def _tools(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    rows = [f"{tool.name}: {tool.description.partition(chr(10))[0]}" for tool in tools]
    return tell(draft, "\n".join(rows) or "There are no tools.")


def _log(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    last = number_untrusted(rest or str(LAST))
    if not last:
        return wrong(draft, f"/log takes how many messages to show, not {rest[:40]!r}.")
    return tell(draft, shortened(draft.past, last) or "Nothing was said yet.")


def _trace(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    turn = number_untrusted(rest or "0")
    turns = draft.past.turns
    if not turns:
        return wrong(draft, "Nothing has happened yet, so there is nothing to trace.", "nothing-to-trace")
    if turn is None or turn > turns:
        return wrong(draft, f"/trace takes the number of a turn, from 1 to {turns}, or 0 for all; not {rest[:40]!r}.")
    return draft.act(Recall(TellTrace(turn)))


def _tokens(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    profile = profile_for(draft.state, cfg)
    usage, window, most = draft.past.usage, profile.window_tokens, cfg.limits.tokens
    due = estimated_tokens(encoded_for(draft.state, offered(tools, cfg, profile), cfg, profile).size_bytes, draft.past.measured)
    rows = (
        ("read", f"{usage.input_tokens:,}"),
        ("of these, from the cache", f"{usage.cached_tokens:,}"),
        ("written", f"{usage.output_tokens:,}"),
        *((("limit of both (limits.tokens)", f"{most:,}"),) if most is not None else ()),
        ("in the next request, about", f"{due:,}"),
        ("window of the model", "not known" if window is None else f"{window:,} ({due / max(window, 1):.0%} full)"),
    )
    return tell(draft, columns(rows))


def _cost(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    usage, most = draft.past.usage, cfg.limits.usd
    rows = (
        ("so far", _usd(usage.cost_usd)),
        *((("tokens without a known price", f"{usage.unpriced_tokens:,}"),) if usage.unpriced_tokens else ()),
        *((("limit (limits.usd)", _usd(most)),) if most is not None else ()),
        *((("prices of " + full_name(cfg, cfg.model), _prices(profile_of(cfg))),) if cfg.model else ()),
    )
    return tell(draft, columns(rows))


def _prices(profile: ModelProfile) -> str:
    buffered = ((profile.cached_usd, "from the cache"), (profile.cache_write_usd, "into the cache"))
    priced = ((profile.input_usd, "read"), *buffered, (profile.output_usd, "written"))
    known = ", ".join(f"{_usd(price)} {what}" for price, what in priced if price is not None)
    return f"{known} (a million tokens)" if known else "not known"


def _usd(amount: float) -> str:
    """An amount of money, with as many digits as a short conversation needs."""
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:,.4f}"


def _export(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    past = draft.past
    if not len(past.log):
        return wrong(draft, "Nothing was said yet, so there is nothing to export.", "nothing-to-export")
    word, behind = parted(rest)
    path = behind.strip() if word in FORMATS else rest
    format = word if word in FORMATS else "json" if path.lower().endswith(".json") else "markdown"
    if "\n" in path or "\r" in path or "\0" in path:
        return wrong(draft, "A path is one line: write  /export [markdown|json] [PATH]")
    name = past.name or cfg.name
    return draft.act(Publish(Document(path, as_json(past, name) if format == "json" else as_markdown(past, name, tools))))


def _exit(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    return draft.act(Publish(Leave()))


TOOLS = Command(name="tools", arguments="", help="List the tools that can be used.", run=_tools)
LOG = Command(name="log", arguments="[N]", help="Show the last 10 messages, or the last N; long ones are clipped.", run=_log)
TRACE = Command(
    name="trace",
    arguments="[TURN]",
    help="Show what happened in all turns, or in one, with times and usage.\nTurns that were taken back are among them.",
    run=_trace,
)
TOKENS = Command(
    name="tokens", arguments="", help="Say how many tokens the conversation has used, and how full the model's window is.", run=_tokens
)
COST = Command(name="cost", arguments="", help="Say what the conversation has cost, its limit, and the model's prices.", run=_cost)
EXPORT = Command(
    name="export",
    arguments="[markdown|json] [PATH]",
    help="Show the whole conversation as a document, or write it to the new file PATH.\nWithout a format it is Markdown, or JSON for a PATH that ends with .json.",
    run=_export,
)
EXIT = Command(name="exit", arguments="", help="Leave; the conversation stays as it is.", run=_exit, aliases=("quit",))
