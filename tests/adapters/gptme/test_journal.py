"""Transcripts of gptme become journals that turnfold could have recorded, and nothing of them goes without a word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.gptme.support import CORPUS, NATIVE, STARTED, WALRUS, assert_lawful, imported, jsonl, said, transcripts, with_corpus
from tests.laws.examples import examples
from turnfold.adapters.gptme.journal import events_of_untrusted
from turnfold.core.agent.events import CallClosed, MessageAdded, RequestClosed, RequestOpened
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.world.requests import CallModel
from turnfold.core.world.usage import Usage


def log_of(*messages: dict[str, object]) -> tuple[Message, ...]:
    found = events_of_untrusted(jsonl(*messages), STARTED)
    if found.events:
        assert_lawful(found.events)
    return tuple(fold(found.events).log)


def told(*messages: dict[str, object]) -> list[str]:
    return [str(left) for left in events_of_untrusted(jsonl(*messages), STARTED).left]


def test_a_conversation_that_gptme_wrote() -> None:
    found = imported(WALRUS / "conversation.jsonl")
    assert_lawful(found.events)
    past = fold(found.events)
    assert [type(message).__name__[0] for message in past.log] == list("UATATAUATATTA")
    first, picture = past.log[0], past.log[6]
    assert first == UserMessage("Write a sum in add.py and run it.", pinned=True)
    assert picture == UserMessage("Make it 3. See the picture.\n\n[file: /home/ann/work/shot.png]", context="Warning: add.py has no test.")
    calls = [call for message in past.log if isinstance(message, AssistantMessage) for call in message.calls]
    assert calls == [
        ToolCall("save", JsonObject.of(path="add.py", content="print(1 + 1)")),
        ToolCall("shell", JsonObject.of(command="python3 add.py")),
        ToolCall("patch", JsonObject.of(path="add.py", patch="<<<<<<< ORIGINAL\nprint(1 + 1)\n=======\nprint(1 + 2)\n>>>>>>> UPDATED")),
        ToolCall("python", JsonObject.of(code="1 + 2")),
        ToolCall("shell", JsonObject.of(command="ls nowhere")),
    ]
    results = [message for message in past.log if isinstance(message, ToolMessage)]
    assert [(result.call_id, result.tool, result.ok) for result in results] == [
        ("1.1.0", "save", True),
        ("1.2.0", "shell", True),
        ("2.1.0", "patch", True),
        ("2.2.0", "python", True),
        ("2.2.1", "shell", False),
    ]
    assert past.turns == 2


def test_its_usage_times_and_models_are_those_of_the_file() -> None:
    found = imported(WALRUS / "conversation.jsonl")
    usage = fold(found.events).usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (3 * 1050, 3 * 900, 3 * 40)
    assert usage.cost_usd == pytest.approx(3 * 0.0123)
    opened = [event.request for event in found.events if isinstance(event, RequestOpened)]
    assert all(isinstance(request, CallModel) for request in opened)
    assert next((request.provider.name, request.model) for request in opened if isinstance(request, CallModel)) == (
        "anthropic",
        "claude-sonnet-4-6",
    )
    times = [event.at_ms for event in found.events]
    assert times == sorted(times)
    assert times[0] == 1_795_262_775_174  # 2026-11-21T12:06:15.174 in no zone, so UTC here


def test_calls_in_xml_are_calls() -> None:
    text = "I look.\n<tool-use>\n<ipython>\na = '<b>'\n```shell\nls\n```\n</ipython>\n</tool-use>"
    log = log_of(said("user", "Go."), said("assistant", text), said("system", "done"), said("assistant", "That is it."))
    assert isinstance(log[1], AssistantMessage)
    assert log[1].calls == (ToolCall("python", JsonObject.of(code="a = '<b>'\n```shell\nls\n```")),)
    assert isinstance(log[2], ToolMessage)
    unanswered = log_of(said("user", "Go."), said("assistant", "<tool-use><shell>ls</shell></tool-use>"))
    assert [getattr(message, "calls", ()) for message in unanswered] == [(), ()]
    strange = log_of(said("user", "Go."), said("assistant", "<tool-use><nope>ls</nope></tool-use>"), said("system", "x"))
    assert [getattr(message, "calls", ()) for message in strange][:2] == [(), ()]


def test_a_branch_is_the_same_conversation_up_to_where_it_parts() -> None:
    main, side = imported(WALRUS / "conversation.jsonl"), imported(WALRUS / "branches" / "side.jsonl")
    assert_lawful(side.events)
    assert side.events[: len(main.events)] == main.events
    assert [message.text for message in fold(side.events).log][-2:] == ["Undo that in your head.", "Then it prints 2 again."]


def test_calls_of_the_provider_are_calls_and_no_text() -> None:
    found = imported(NATIVE / "conversation.jsonl")
    assert_lawful(found.events)
    _, reply, listed, saved, _ = fold(found.events).log
    assert isinstance(reply, AssistantMessage)
    assert reply.text == "I do both."
    assert reply.calls == (ToolCall("shell", JsonObject.of(command="ls")), ToolCall("save", JsonObject.of(path="b.txt", content="b")))
    assert (listed.text, saved.text) == ("Ran allowlisted command: `ls`\n\n`add.py`\n\n", "Saved to b.txt")


def test_what_is_not_in_the_journal_is_told() -> None:
    left = [str(each) for each in imported(WALRUS / "conversation.jsonl").left]
    assert [each.partition(":")[0] for each in left] == ["metadata.timings", "line 1", "line 2", "line 10"]
    assert "shot.png" in left[-1]


@with_corpus
@pytest.mark.parametrize(("name", "data"), transcripts())
def test_the_transcripts_of_the_corpus(name: str, data: bytes) -> None:
    found = events_of_untrusted(data, STARTED)
    if found.events:
        assert_lawful(found.events)
    texts = json.dumps([(message.text, getattr(message, "context", "")) for message in fold(found.events).log])
    for number, line in enumerate(data.decode().splitlines(), 1):
        content = json.loads(line)["content"]
        named = any(left.path == f"line {number}" for left in found.left)
        assert named or json.dumps(content)[1:-1] in texts or content.startswith("@shell"), content


@with_corpus
def test_the_corpus_has_transcripts() -> None:
    assert len(transcripts()) > 5, CORPUS


def test_a_reply_that_nobody_asked_for_is_kept() -> None:
    reply = said("assistant", "```shell\nls\n```", metadata={"usage": {"input_tokens": 1}})
    log = log_of(reply, said("system", "a.txt"), said("assistant", "There is a.txt."))
    assert [type(message).__name__ for message in log] == ["AssistantMessage", "ToolMessage", "AssistantMessage"]
    assert told(reply) == ["line 1: its tokens and cost are not counted: it is a reply that nobody asked for"]


def test_two_replies_in_a_row_are_two() -> None:
    log = log_of(said("user", "hi"), said("assistant", "Hello."), said("assistant", "Again."))
    assert [message.text for message in log] == ["hi", "Hello.", "Again."]


def test_what_the_system_said_before_a_reply_is_told_to_the_model() -> None:
    log = log_of(said("user", "hi"), said("assistant", "Hello."), said("system", "The check failed."), said("assistant", "I mend it."))
    assert log[2] == UserMessage("", context="The check failed.")


def test_what_the_system_said_around_a_message_is_its_context() -> None:
    log = log_of(
        said("user", "hi"), said("assistant", "Hello."), said("system", "before", pinned=True), said("user", "go"), said("system", "after")
    )
    assert log[2] == UserMessage("go", context="before\n\nafter", pinned=True)


def test_a_block_that_nothing_answers_is_no_call() -> None:
    (_, reply, _) = log_of(said("user", "how?"), said("assistant", "So:\n\n```shell\nls\n```"), said("user", "thanks"))
    assert isinstance(reply, AssistantMessage)
    assert reply.calls == ()


def test_outputs_go_to_their_calls() -> None:
    two = "```shell\nls\n```\n\n```shell\npwd\n```"
    fewer = log_of(said("user", "x"), said("assistant", two), said("system", "one"))
    more = log_of(said("user", "x"), said("assistant", two), said("system", "one"), said("system", "two"), said("system", "note"))
    assert [message.text for message in fewer if isinstance(message, ToolMessage)] == ["one"]
    assert [message.text for message in more if isinstance(message, ToolMessage)] == ["one", "two\n\nnote"]


def test_outputs_with_ids_go_to_the_calls_that_they_name() -> None:
    calls = '@shell(a): {"command": "ls"}\n@shell(b): {"command": "pwd"}\n@shell(c): {"command": "x"}'
    outputs = (said("system", "careful"), said("system", "B", call_id="b"), said("system", "A", call_id="a"), said("system", "note"))
    _, reply, *results = log_of(said("user", "x"), said("assistant", calls), *outputs)
    assert isinstance(reply, AssistantMessage)
    assert [result.text for result in results] == ["A", "careful\n\nB\n\nnote"]
    assert reply.text == '@shell(c): {"command": "x"}'


def test_a_call_that_was_broken_has_its_output() -> None:
    _, reply, result = log_of(said("user", "x"), said("assistant", "```save\nhi\n```"), said("system", "Error: no path"))
    assert isinstance(reply, AssistantMessage)
    assert isinstance(reply.calls[0], BrokenCall)
    assert isinstance(result, ToolMessage)
    assert not result.ok


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"1", b'{"role": "user"}', b'{"role": "tool", "content": "x"}', b'{"role": "user", "content": 1}']
)
def test_a_broken_line_is_told_and_skipped(line: bytes) -> None:
    found = events_of_untrusted(b"\n".join((jsonl(said("user", "a")).strip(), line, jsonl(said("assistant", "b")))), STARTED)
    assert_lawful(found.events)
    assert [message.text for message in fold(found.events).log] == ["a", "b"]
    (left,) = found.left
    assert left.path == "line 2"
    assert "skipped" in left.why


def test_flat_counts_of_old_logs_are_read() -> None:
    metadata = {"model": "claude-sonnet", "input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 80, "cost": 0.005}
    found = events_of_untrusted(jsonl(said("user", "a"), said("assistant", "b", metadata=metadata)), STARTED)
    assert fold(found.events).usage == Usage(input_tokens=180, cached_tokens=80, output_tokens=50, cost_usd=0.005)
    assert found.left == ()


@pytest.mark.parametrize("cost", [-1, "1", True, None, 1e400])
def test_a_cost_that_is_none_leaves_the_tokens_without_a_price(cost: object) -> None:
    metadata = {"usage": {"input_tokens": 3, "output_tokens": -4}, "cost": cost}
    found = events_of_untrusted(jsonl(said("user", "a"), said("assistant", "b", metadata=metadata)), STARTED)
    assert not found.events or fold(found.events).usage in (Usage(input_tokens=3, unpriced_tokens=3), Usage())


def test_what_was_only_shown_or_nobody_said_is_left_with_a_word() -> None:
    assert told(
        said("user", "a"),
        said("system", "tick", ui_only=True),
        said("assistant", " "),
        said("system", "x"),
        said("assistant", "b"),
        said("system", "end"),
    ) == [
        "line 2: gptme only showed it, no model was told",
        "line 6: nobody said anything after it",
        "an empty message: nobody said anything in it",
    ]


def test_nobody_spoke_no_journal() -> None:
    assert events_of_untrusted(jsonl(said("system", "You are gptme.")), STARTED).events == ()
    assert events_of_untrusted(b"", STARTED).events == ()


TEXTS = st.sampled_from(
    ("", "hi", "```shell\nls\n```", "```ipython\n1\n```\n\n```save a\nb\n```", "```save", '@shell(a): {"command": "ls"}', "@x(b): {")
) | st.text(max_size=30)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(("system", "user", "assistant", "assistant")), "content": TEXTS},
    optional={
        "timestamp": st.sampled_from(("2026-11-21T12:00:00", "2026-11-21T12:00:00+02:00", "0001-01-01T00:00:00", "soon", "9999-12-31T23:59:59-12:00")),
        "call_id": st.sampled_from(("a", "b")),
        "pinned": st.booleans(),
        "ui_only": st.booleans(),
        "files": st.lists(st.text(max_size=5), max_size=2),
        "metadata": st.fixed_dictionaries(
            {}, optional={"model": st.sampled_from(("a/b", "c", "")), "cost": st.floats(), "usage": st.dictionaries(st.sampled_from(("input_tokens", "output_tokens", "x")), st.integers() | st.floats())}
        ),
    },
)  # fmt: skip


@given(st.lists(MESSAGES, max_size=12))
@examples(60)
def test_any_transcript_becomes_a_lawful_journal(messages: list[dict[str, object]]) -> None:
    found = events_of_untrusted(jsonl(*messages), STARTED)
    if found.events:
        assert_lawful(found.events)


@given(st.lists(MESSAGES, max_size=8), st.lists(MESSAGES, max_size=4), st.lists(MESSAGES, max_size=4))
@examples(60)
def test_whatever_is_said_twice_is_read_alike(
    shared: list[dict[str, object]], one: list[dict[str, object]], other: list[dict[str, object]]
) -> None:
    """Branches have the turns in common that ended before they part."""
    stem = [*shared, said("user", "x"), said("assistant", "y"), said("user", "z")]
    first, second = (events_of_untrusted(jsonl(*stem, *rest), STARTED).events for rest in (one, other))
    common = events_of_untrusted(jsonl(*stem[:-1]), STARTED).events
    assert first[: len(common)] == second[: len(common)] == common


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=40)).map(b"\n".join))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    found = events_of_untrusted(data, STARTED)
    assert not found.events
    assert len(found.left) >= sum(bool(line.strip()) for line in data.decode("utf-8", "replace").split("\n"))


def test_a_lone_surrogate_and_deep_json_are_no_error() -> None:
    deep = "[" * 100_000
    data = (
        jsonl(said("user", "\ud800 hi"), said("assistant", f'@shell(a): {{"x": {deep}'), said("system", "out", call_id="a")) + deep.encode()
    )
    found = events_of_untrusted(data, STARTED)
    assert_lawful(found.events)
    assert found.left[0].path == "line 4"


def test_a_reply_full_of_what_looks_like_calls_costs_no_more_than_it_is_long() -> None:
    reply = said("assistant", "\n@shell(a): {" * 20_000 + '\n@shell(a): {"command": "ls"}')
    found = events_of_untrusted(jsonl(said("user", "x"), reply, said("system", "out", call_id="a")), STARTED)
    _, kept = fold(found.events).log
    assert isinstance(kept, AssistantMessage)
    assert kept.calls == ()
    assert str(found.left[-1]) == "line 3: nobody said anything after it"


def test_events_of_calls_stand_between_their_reply_and_the_next() -> None:
    found = imported(WALRUS / "conversation.jsonl")
    kinds = [type(event) for event in found.events]
    assert kinds.count(RequestOpened) == kinds.count(RequestClosed) == 6
    assert kinds.count(CallClosed) == 5
    assert kinds.count(MessageAdded) == 8
