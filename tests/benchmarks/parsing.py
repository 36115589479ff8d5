"""What finding calls in a streamed reply costs: microseconds a chunk, at the beginning and at the end of a reply of one megabyte.

python -m tests.benchmarks.parsing [bytes]
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import final

from attrs import frozen

from turnfold.core.config.values import ToolFormat
from turnfold.core.llm.call_format import begin, feed, finish
from turnfold.core.tools.builtin import BUILTIN_TOOLS

SIZE = 1_000_000
CHUNK = 4  # characters; about one token
TENTHS = 10
LINE = '    if a < b and "x" in names[1:]:  # <b>bold</b> & `code`\n'
OPENING = {ToolFormat.MARKDOWN: "```save a.py\n", ToolFormat.XML: '<tool-use>\n<save args="a.py">\n'}
ENDING = {ToolFormat.MARKDOWN: "```\n", ToolFormat.XML: "</save>\n</tool-use>\n"}


@final
@frozen
class Cost:
    """Microseconds a chunk in each tenth of a reply, and the seconds that the end took."""

    tenths_us: tuple[float, ...]
    end_s: float

    @property
    def growth(self) -> float:
        """How many times dearer a chunk of the reply's last third is than one of its first."""
        third = len(self.tenths_us) // 3
        return median(self.tenths_us[-third:]) / median(self.tenths_us[:third])


def replies(format: ToolFormat, size: int) -> dict[str, str]:
    """Replies of about ``size`` characters, by what is long in them."""
    return {
        "a call's lines": OPENING[format] + LINE * (size // len(LINE)) + ENDING[format],
        "a call's one line": OPENING[format] + "x = 1; " * (size // 7) + "\n" + ENDING[format],
        "prose": "Some words <b>here</b> and `there`.\n" * (size // 36),
    }


def cost(text: str, format: ToolFormat, chunk: int = CHUNK) -> Cost:
    """What ``text`` costs, in chunks of so many characters."""
    scan = begin(format, BUILTIN_TOOLS)
    assert scan is not None
    tenths = []
    part = len(text) // TENTHS // chunk * chunk
    for start in range(0, part * TENTHS, part):
        began = time.process_time()
        for place in range(start, start + part, chunk):
            scan = feed(scan, text[place : place + chunk])
        tenths.append((time.process_time() - began) * 1e6 / (part / chunk))
    scan = feed(scan, text[part * TENTHS :])
    began = time.process_time()
    finish(scan)
    return Cost(tuple(tenths), time.process_time() - began)


def main(size: int) -> None:
    """Print a line a kind of reply."""
    for format in (ToolFormat.MARKDOWN, ToolFormat.XML):
        for name, text in replies(format, size).items():
            found = cost(text, format)
            print(
                f"{format.value:9} {name:18} {len(text):9,} characters in chunks of {CHUNK}:  {found.tenths_us[0]:5.2f} µs a chunk at first,"
                f" {found.tenths_us[-1]:5.2f} µs at last; the end {found.end_s * 1e3:6.2f} ms"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SIZE)
