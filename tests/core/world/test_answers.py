"""Each request has one kind of answer."""

from __future__ import annotations

from turnfold.core.config.values import Provider
from turnfold.core.world.answers import Answer, FileRead, FilesListed, FileWritten, ProcessEnded, PythonEnded, StreamEnded, answers
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, Request, RunProcess, RunPython, WriteFile

PAIRS: tuple[tuple[Request, Answer], ...] = (
    (CallModel(provider=Provider(name="a", base_url="b"), model="c", upto=1), StreamEnded()),
    (ReadFile(path="/a", limit_bytes=1), FileRead(text="", digest="")),
    (WriteFile(path="/a", text="", expected_digest=""), FileWritten("")),
    (ListFiles(path="/", limit=1), FilesListed(entries=())),
    (RunProcess(script="", cwd="/", environment=(), timeout_s=1, output_bytes=1), ProcessEnded(exit_code=0, output="", cwd="/")),
    (RunPython(code="", cwd="/", environment=(), timeout_s=1, output_bytes=1), PythonEnded(output="")),
)


def test_a_request_is_answered_by_its_own_kind_alone() -> None:
    for request, own in PAIRS:
        assert [answer for _, answer in PAIRS if answers(request, answer)] == [own]
