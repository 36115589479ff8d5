"""What turns wrote, folded from the exchanges of their calls."""

from __future__ import annotations

from turnfold.core.agent.events import Forgotten
from turnfold.core.agent.state import Past
from turnfold.core.agent.writes import Writes, Written, chains_of, in_order, text_before, written_in
from turnfold.core.journal import fold
from turnfold.core.problem import world_problem
from turnfold.core.world.answers import Exchange, FileRead, FilesChanged, FileWritten
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ListFiles, ReadFile, WriteFile


def read(path: str, text: str, digest: str) -> Exchange:
    return Exchange(ReadFile(path=path, limit_bytes=9), FileRead(text=text, digest=digest))


def write(path: str, text: str, expected: str) -> WriteFile:
    return WriteFile(path=path, text=text, expected_digest=expected)


def one(path: str, before: str, after: str, turn: int = 1) -> Written:
    return Written(turn=turn, path=path, before=None, before_digest=before, after="é", after_digest=after)


def test_several_changes_are_as_many_writes_with_the_texts_that_were_read() -> None:
    changes = ChangeFiles((write("/a", "A", "da"), DeleteFile(path="/b", expected_digest="db"), write("/c", "same", "dc")))
    exchanges = (read("/b", "b", "db"), read("/a", "old", "other"), Exchange(changes, FilesChanged(("dA", "", "dc"))))
    first, second = written_in(3, exchanges)
    assert first == Written(turn=3, path="/a", before=None, before_digest="da", after="A", after_digest="dA")
    assert second == Written(turn=3, path="/b", before="b", before_digest="db", after=None, after_digest="")


def test_what_did_not_come_about_is_no_write() -> None:
    request = write("/a", "A", "da")
    assert (
        written_in(1, (Exchange(request, world_problem("changed", "No.")), Exchange(ListFiles(path="/", limit=1), FileWritten("d")))) == ()
    )
    assert text_before(request, (read("/a", "old", "da"), read("/b", "b", "da"))) == "old"
    assert text_before(request, (Exchange(ReadFile(path="/a", limit_bytes=9), world_problem("not-found", "No.")),)) is None


def test_writes_side_by_side_are_put_in_the_order_in_which_they_must_have_been() -> None:
    a, b, c, other = one("/a", "0", "1"), one("/a", "1", "2"), one("/a", "2", "3"), one("/b", "", "x")
    assert in_order((c, other, a, b)) == (a, b, c, other)
    assert in_order((one("/a", "1", "2"), one("/a", "2", "1"))) == (one("/a", "1", "2"), one("/a", "2", "1"))
    (chain,) = chains_of((a, b, c))
    assert (chain.first, chain.last, chain.between) == (a, c, False)
    (broken,) = chains_of((a, c))
    assert (broken.first, broken.between) == (c, True)


def test_what_is_forgotten_is_counted_by_turns_and_nothing_forgets_nothing() -> None:
    writes = Writes().plus((one("/a", "0", "1"), one("/a", "1", "2", turn=2), one("/b", "", "x", turn=4)))
    past = Past(writes=writes)
    assert fold((Forgotten(0),), past).writes == writes
    left = fold((Forgotten(2),), past).writes
    assert (tuple(left.log), left.forgotten) == ((one("/b", "", "x", turn=4),), 2)
    assert fold((Forgotten(99),), past).writes == Writes(forgotten=4)
    assert writes.excess(writes.size_bytes) == 0
    assert writes.excess(writes.size_bytes - 1) == 1
    assert writes.excess(0) == 3
    assert writes.size_bytes == sum(each.size_bytes for each in writes.log)
