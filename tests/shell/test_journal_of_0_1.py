"""A journal as turnfold 0.1 wrote it, line by line (commit 133e4d5), is listed, read and gone on with."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from turnfold import BUILTIN_TOOLS, UserSaid, fold, step
from turnfold.core.agent.events import Reconfigured, RequestOpened
from turnfold.core.agent.state import effective
from turnfold.core.config.models import profile_of
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.journal import load
from turnfold.core.world.requests import CallModel, Purpose
from turnfold.shell.journal import SqliteJournal

SCHEMA = """
CREATE TABLE configs (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE conversations (
  conversation TEXT PRIMARY KEY, digest TEXT NOT NULL, started_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
  events INTEGER NOT NULL, title TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE events (
  conversation TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (conversation, number)
);
"""
PROVIDER = '{"name":"near","base_url":"http://127.0.0.1/v1","secret":{"name":"NEAR_KEY"},"timeout_s":120.0}'
PROFILE = (
    '{"pattern":"near/*","tool_format":"markdown","grammar":false,"must_call":false,"ends_on_repeat":false,"names_files":false,'
    '"instructions":"","examples":[],"tools":null,"temperature":0.5,"max_tokens":null,"generations":null}'
)
LIMITS = '{"generations":5,"reply_bytes":32000000,"output_bytes":20000,"file_bytes":2000000,"command_s":300.0,"grace_s":5.0}'
CONFIG = (
    f'{{"project":{{"base":{{"model":"near/qwen","providers":[{PROVIDER}],"profiles":[{PROFILE}],"tools":["read"],'
    f'"rules":[{{"verdict":"allow","kind":"read","pattern":"*"}}],"limits":{LIMITS}}}}},"environment":[{{"name":"A","value":"1"}}],'
    '"workspace":"/w","conversation":"c1","name":"mine","overrides":[{"temperature":1.0}]}'
)
EVENTS = (
    '{"type":"Started","conversation":"c1","cfg_digest":"d1","tools_digest":"t","schema":1,"at_ms":1}',
    '{"type":"MessageAdded","message":{"type":"UserMessage","text":"hi","context":"ctx"},"at_ms":2}',
    (
        f'{{"type":"RequestOpened","request_id":"1.1.m.0","request":{{"type":"CallModel","provider":{PROVIDER},"model":"qwen","upto":2}},'
        '"asked":"","at_ms":3}'
    ),
    (
        '{"type":"RequestClosed","request_id":"1.1.m.0","outcome":{"type":"ModelReplied","usage":{"input_tokens":10,"output_tokens":2,'
        '"cached_tokens":0},"stop":"calls"},"at_ms":4}'
    ),
    (
        '{"type":"MessageAdded","message":{"type":"AssistantMessage","text":"ok","place":"1.1","calls":[{"type":"ToolCall","name":"read",'
        '"arguments":{"path":"a"}}],"reasoning":"","cut":false},"at_ms":5}'
    ),
    '{"type":"RequestOpened","request_id":"1.1.0.0","request":{"type":"ReadFile","path":"/w/a","limit_bytes":10},"asked":"why","at_ms":6}',
    '{"type":"Permitted","request_id":"1.1.0.0","at_ms":7}',
    '{"type":"RequestClosed","request_id":"1.1.0.0","outcome":{"type":"FileRead","text":"x","digest":"d"},"at_ms":8}',
    '{"type":"CallClosed","slot":0,"text":"x","ok":true,"memory":{},"at_ms":9}',
    '{"type":"RoundEnded","at_ms":10}',
    '{"type":"TurnInterrupted","at_ms":12}',
    '{"type":"TurnEnded","reason":"limit","problem":{"code":"l","message":"m","blame":"caller","path":""},"at_ms":13}',
    f'{{"type":"Reconfigured","change":{{"rules":[{{"verdict":"allow","kind":"run","pattern":"ls"}}],"limits":{LIMITS}}},"at_ms":14}}',
    '{"type":"CallCommanded","line":"/shell ls","call":{"name":"shell","arguments":{"command":"ls"}},"at_ms":15}',
    '{"type":"TurnEnded","reason":"completed","problem":null,"at_ms":17}',
    '{"type":"Rewound","to":2,"at_ms":18}',
)


def old_journal(folder: Path) -> SqliteJournal:
    path = folder / "journal.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        connection.execute("INSERT INTO configs VALUES ('d1', ?)", (CONFIG,))
        connection.execute("INSERT INTO conversations VALUES ('c1', 'd1', 1, 18, ?, 'hi')", (len(EVENTS),))
        connection.executemany("INSERT INTO events VALUES ('c1', ?, ?)", enumerate(EVENTS))
    connection.close()
    return SqliteJournal(path)


def test_its_conversations_are_listed(tmp_path: Path) -> None:
    journal = old_journal(tmp_path)
    (kept,) = journal.find()
    assert (kept.conversation, kept.name, kept.workspace, kept.events, kept.title) == ("c1", "mine", "/w", len(EVENTS), "hi")
    journal.close()


def test_its_settings_mean_what_they_meant(tmp_path: Path) -> None:
    journal = old_journal(tmp_path)
    cfg = journal.config("d1")
    assert (cfg.model, cfg.temperature, cfg.tools, cfg.rules) == ("near/qwen", 1.0, ("read",), (Rule(Verdict.ALLOW, "read", "*"),))
    assert cfg.limits == Limits(generations=5)
    assert (cfg.providers[0].name, cfg.providers[0].base_url) == ("near", "http://127.0.0.1/v1")
    assert (profile_of(cfg).pattern, profile_of(cfg).tool_format.value, profile_of(cfg).temperature) == ("near/*", "markdown", 0.5)
    journal.close()


def test_its_events_fold_and_the_conversation_goes_on(tmp_path: Path) -> None:
    journal = old_journal(tmp_path)
    events = journal.load("c1")
    past = fold(events)
    assert [event.change.own_limits for event in events if isinstance(event, Reconfigured)] == [Limits(generations=5)]
    assert [message.text for message in past.log] == ["hi", "ok", "x"]
    assert (past.turns, past.usage.input_tokens, past.usage.cost_usd, past.turn, len(past.undone)) == (2, 10, 0.0, None, 1)
    assert effective(journal.config("d1"), past).limits.generations == 5
    stepped = step(load(events), UserSaid("go on", at_ms=20), BUILTIN_TOOLS, journal.config("d1"))
    opened = next(each.event for each in stepped.effects if hasattr(each, "event") and isinstance(each.event, RequestOpened))
    assert isinstance(opened.request, CallModel)
    assert (opened.request.purpose, opened.request.model) == (Purpose.REPLY, "qwen")
    journal.close()
