"""What came of a request, in a few words, for every kind of answer."""

from __future__ import annotations

import pytest

from turnfold.core.json import JsonObject
from turnfold.core.world.answers import (
    ANSWERS,
    Answer,
    BrowserSeen,
    ChatsFound,
    ChildEnded,
    FileRead,
    FilesChanged,
    FilesListed,
    FilesSearched,
    FileWritten,
    HumanSaid,
    ImageRead,
    IndexSearched,
    JobStarted,
    JobTold,
    Match,
    ProcessEnded,
    PythonEnded,
    Returned,
    StreamEnded,
    UrlFetched,
    Waited,
)
from turnfold.core.world.came import came_of
from turnfold.core.world.images import Image

TOLD: tuple[tuple[Answer, str], ...] = (
    (StreamEnded(), "streamed"),
    (Waited(), "over"),
    (FileRead(text="abc", digest=""), "3 characters"),
    (ImageRead(Image("image/png", ""), digest=""), "image/png"),
    (FileWritten(""), "written"),
    (FilesChanged(("",)), "written"),
    (FilesListed(entries=(), omitted=2), "2 names"),
    (FilesSearched(found=(Match(path="a"),), omitted=2), "3 found"),
    (IndexSearched(passages=(), files=1), "0 found"),
    (ChatsFound(()), "0 found"),
    (ProcessEnded(exit_code=1, output="", cwd="/"), "exit code 1"),
    (ProcessEnded(exit_code=1, output="", cwd="/", timed_out=True), "timed out"),
    (PythonEnded(output=""), "ran"),
    (PythonEnded(output="", failed=True), "raised"),
    (PythonEnded(output="", timed_out=True), "timed out"),
    (JobStarted("1"), "job 1"),
    (JobTold(job="1", output=""), "running"),
    (JobTold(job="1", output="", exit_code=-9), "exit code -9"),
    (UrlFetched(url="u", status=404, media_type="text/html", text=""), "status 404"),
    (BrowserSeen(url="https://a.example", title=""), "https://a.example"),
    (Returned(text=""), "returned"),
    (Returned(text="", ok=False), "failed"),
    (HumanSaid(JsonObject()), "said"),
    (ChildEnded(conversation="c", text="", ok=True), "done"),
    (ChildEnded(conversation="c", text="", ok=False), "not done"),
)


@pytest.mark.parametrize(("answer", "words"), TOLD)
def test_every_answer_is_told_in_a_few_words(answer: Answer, words: str) -> None:
    assert came_of(answer) == words


def test_no_kind_of_answer_is_left_out() -> None:
    assert {type(answer) for answer, _ in TOLD} == {told for _, told in ANSWERS}
