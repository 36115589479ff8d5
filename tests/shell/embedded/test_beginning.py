"""The kept beginning: which messages it is, that its file is whole or none, and that no reply depends on it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import final

import pytest
from attrs import evolve, frozen

from tests.shell.embedded.support import ask, cached_tokens, contents, needs_weights, pointing
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Perform, ProjectConfig, UserSaid, World, step
from turnfold.core.agent.state import ChatState
from turnfold.core.config.values import ExampleTurn, ModelProfile, Role, WorkedExample
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.catalogue import with_catalogue
from turnfold.shell.embedded.beginning import Beginning, Beginnings, engine_version, found, shared_messages_untrusted
from turnfold.shell.embedded.model import EmbeddedModel
from turnfold.shell.embedded.profile import EMBEDDED_MODEL, EMBEDDED_PROFILE, EMBEDDED_PROVIDER
from turnfold.shell.embedded.weights import QWEN_CODER_05B
from turnfold.shell.scope import Scope

FIRST = WorkedExample(tools=("a",), turns=(ExampleTurn(Role.USER, "One?"), ExampleTurn(Role.ASSISTANT, "1")))
SECOND = WorkedExample(tools=("b",), turns=(ExampleTurn(Role.USER, "Two?"), ExampleTurn(Role.ASSISTANT, "2")))
PROFILE = ModelProfile(pattern="*", instructions="You count.", examples=(FIRST, SECOND))
BEGINNINGS = Beginnings(profile=PROFILE, weights_sha256="0" * 64)
SYSTEM = ("system", "You count.")
ASKED = ("user", "Three?")


def request(*said: tuple[str, str], **more: object) -> bytes:
    """A request with these messages."""
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in said], "temperature": 0, **more}).encode()


def turns(*examples: WorkedExample) -> tuple[tuple[str, str], ...]:
    return tuple((turn.role.value, turn.text) for example in examples for turn in example.turns)


@pytest.mark.parametrize("examples", [(), (FIRST,), (SECOND,), (FIRST, SECOND)])
def test_instructions_and_whole_examples_are_shared_and_what_is_asked_is_not(examples: tuple[WorkedExample, ...]) -> None:
    shared = shared_messages_untrusted(request(SYSTEM, *turns(*examples), ASKED), PROFILE)
    assert len(shared) == 1 + 2 * len(examples)
    assert "Three?" not in str(shared)


def test_a_question_like_an_example_s_is_not_shared() -> None:
    assert len(shared_messages_untrusted(request(SYSTEM, *turns(FIRST), ("user", "Two?")), PROFILE)) == 3


@pytest.mark.parametrize(
    "request_body",
    [
        request(ASKED),
        request(("system", "You count.\n\n# What the user wants of you\n\nMy secret."), *turns(FIRST), ASKED),
        request(),
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"messages": 3}',
        b'{"messages": [3]}',
    ],
)
def test_nothing_is_shared_where_the_system_s_words_are_another_s(request_body: bytes, tmp_path: Path) -> None:
    assert shared_messages_untrusted(request_body, PROFILE) == ()
    assert BEGINNINGS.of(request_body, tmp_path) is None


def test_the_embedded_profile_s_requests_share_all_but_what_is_said() -> None:
    shared = shared_messages_untrusted(embedded_request("My own words"), EMBEDDED_PROFILE)
    assert len(shared) == 1 + sum(len(example.turns) for example in EMBEDDED_PROFILE.examples)
    assert "My own words" not in str(shared)


def embedded_request(said: str) -> bytes:
    """The first request of a conversation with the embedded model, as the core makes it; its reply is cut soon."""
    user = Config(model=EMBEDDED_MODEL, max_tokens=10)
    cfg = with_catalogue(ChatConfig(ProjectConfig(user), workspace="/w", conversation="c"))
    stepped = step(ChatState(), UserSaid(said, 0), BUILTIN_TOOLS, cfg)
    return next(effect.body for effect in stepped.effects if isinstance(effect, Perform))


# Files, without a model


def saved(beginning: Beginning, content: bytes) -> None:
    """What a worker does with an order to save: the file gets its bytes, and their number is told."""
    name = json.loads(beginning.order())["save"]
    (beginning.folder / name).write_bytes(content)
    beginning.saved(len(content))


def begun(folder: Path, *said: tuple[str, str]) -> Beginning:
    if not engine_version():
        pytest.skip("the engine xllamacpp is not installed, and its version is part of a file's name")
    beginning = BEGINNINGS.of(request(SYSTEM, *said, ASKED), folder)
    assert beginning is not None
    return beginning


def test_what_is_saved_is_found_again_and_is_for_nobody_else(tmp_path: Path) -> None:
    saved(begun(tmp_path), b"state")
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(begun(tmp_path).order())["restore"] == file.name


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b"statf"),
        lambda file: file.write_bytes(b"stat"),
        lambda file: file.write_bytes(b""),
        lambda file: file.rename(file.with_name(file.name.replace(".state", ".old"))),
    ],
)
def test_a_file_with_other_bytes_is_deleted(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    saved(begun(tmp_path), b"state")
    spoil(next(tmp_path.iterdir()))
    assert begun(tmp_path).file is None
    assert list(tmp_path.iterdir()) == []


def test_files_of_other_beginnings_and_what_a_crash_left_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "weights.gguf").write_bytes(b"weights")
    saved(begun(tmp_path), b"state")
    (tmp_path / "beginning-0.1.part").write_bytes(b"half")
    saved(begun(tmp_path, *turns(FIRST)), b"another")
    assert len(list(tmp_path.iterdir())) == 2
    assert begun(tmp_path, *turns(FIRST)).file is not None


@pytest.mark.parametrize("size_bytes", [0, 4, 6])
def test_a_file_that_is_not_as_long_as_was_told_is_dropped(tmp_path: Path, size_bytes: int) -> None:
    beginning = begun(tmp_path)
    (tmp_path / json.loads(beginning.order())["save"]).write_bytes(b"state")
    beginning.saved(size_bytes)
    beginning.saved(5)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    beginning = begun(tmp_path / "absent")
    assert json.loads(beginning.order())["save"] == ""
    beginning.saved(5)
    assert not beginning.discard()


def test_a_directory_in_a_file_s_place_is_done_without(tmp_path: Path) -> None:
    beginning = begun(tmp_path)
    (tmp_path / f"beginning-{beginning.key}-{'0' * 64}.state").mkdir()
    assert found(tmp_path, beginning.key) is None


def test_the_name_depends_on_weights_and_messages(tmp_path: Path) -> None:
    keys = {begun(tmp_path).key, begun(tmp_path, *turns(FIRST)).key}
    other = evolve(BEGINNINGS, weights_sha256="1" * 64).of(request(SYSTEM, ASKED), tmp_path)
    assert other is not None
    assert len(keys | {other.key}) == 3


# With the real weights; the profile is short, so that it is soon read

real = pytest.mark.weights
SHORT = ModelProfile(pattern="*", instructions=" ".join(f"Rule {n} is to be brief." for n in range(8)))
KEPT = Beginnings(profile=SHORT, weights_sha256=QWEN_CODER_05B.sha256)
QUESTION = request(("system", SHORT.instructions), ("user", "Name two colours."), max_tokens=12)


def replied(weights: Path) -> bytes:
    """What a new process replies."""
    with EmbeddedModel.start(weights, KEPT) as model:
        return ask(model, QUESTION)


def state_file(folder: Path) -> Path:
    (file,) = folder.glob("beginning-*")
    return file


@final
@frozen
class Computed:
    """What a process replied that found no file, and the file that it left."""

    stream: bytes
    file: Path


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Computed:
    folder = tmp_path_factory.mktemp("computed")
    stream = replied(pointing(folder))
    return Computed(stream, state_file(folder))


def kept_in(folder: Path, computed: Computed) -> Path:
    """The weights' path in ``folder``, with the kept file beside it."""
    shutil.copy(computed.file, folder)
    return pointing(folder)


def renamed(file: Path, content: bytes) -> None:
    """Other bytes under the name that they would have, had they been saved."""
    file.unlink()
    key = file.name.split("-")[1]
    (file.parent / f"beginning-{key}-{hashlib.sha256(content).hexdigest()}.state").write_bytes(content)


@real
@needs_weights
def test_a_new_process_goes_on_from_the_kept_beginning(computed: Computed, tmp_path: Path) -> None:
    again = replied(kept_in(tmp_path, computed))
    assert contents(again) == contents(computed.stream) != ""
    assert cached_tokens(again) == cached_tokens(computed.stream) > 50
    assert state_file(tmp_path).read_bytes() == computed.file.read_bytes()
    assert b"colours" not in computed.file.read_bytes()


@real
@needs_weights
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-100]), id="cut"),
        pytest.param(lambda file: renamed(file, file.read_bytes()[: file.stat().st_size // 2]), id="llama.cpp aborts on it"),
        pytest.param(lambda file: renamed(file, b"no state" * 1000), id="llama.cpp refuses it"),
    ],
)
def test_a_spoilt_file_is_deleted_and_the_reply_is_the_same(computed: Computed, tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    weights = kept_in(tmp_path, computed)
    spoil(state_file(tmp_path))
    spoilt = state_file(tmp_path).read_bytes()
    assert contents(replied(weights)) == contents(computed.stream)
    assert not [each for each in tmp_path.glob("beginning-*") if each.read_bytes() == spoilt]


@real
@needs_weights
def test_where_nothing_can_be_kept_the_reply_is_the_same(computed: Computed, tmp_path: Path) -> None:
    weights = pointing(tmp_path)
    beginning = KEPT.of(QUESTION, tmp_path)
    assert beginning is not None
    in_the_way = tmp_path / f"beginning-{beginning.key}.{os.getpid()}.part"
    in_the_way.mkdir()
    assert contents(replied(weights)) == contents(computed.stream)
    assert {path.name for path in tmp_path.iterdir()} == {weights.name, in_the_way.name}


PROMPTS = (
    "Create hello.txt containing hi.",
    "How many lines does poem.txt have?",
    "What is 37 times 43?",
    "Change the port in app.py from 8000 to 9090.",
    "Write a script add.py that prints 19 + 23, then run it.",
)


@real
@needs_weights
def test_replies_are_the_same_with_and_without_the_kept_beginning(embedded_world: World, embedded_cache: Path) -> None:
    """The world's process has computed its beginning; a second process takes it from the file that was kept."""
    computed = [in_world(embedded_world, embedded_request(prompt)) for prompt in PROMPTS]
    beginnings = Beginnings(profile=EMBEDDED_PROFILE, weights_sha256=QWEN_CODER_05B.sha256)
    with EmbeddedModel.start(embedded_cache / "models" / QWEN_CODER_05B.name, beginnings) as model:
        kept = [ask(model, embedded_request(prompt)) for prompt in PROMPTS]
    assert cached_tokens(kept[0]) > 600
    assert [contents(reply) for reply in kept] == [contents(reply) for reply in computed]
    assert all(contents(reply) for reply in kept)


def in_world(world: World, request_body: bytes) -> bytes:
    """The event stream that the world's models give."""
    pieces: list[bytes] = []
    call = CallModel(provider=EMBEDDED_PROVIDER, model=EMBEDDED_MODEL, upto=0)
    assert world.models.stream(call, request_body, Scope(pieces.append)) == StreamEnded()
    return b"".join(pieces)
