"""Recorded cases that turnfold meets otherwise on purpose: case id → reason. The corpus tests fail for any other difference.

A case that is listed and does not differ (any more) fails, too.
"""

from __future__ import annotations

PATCH: tuple[tuple[str, str], ...] = (
    ("2bdacba1ee91", "white space at the ends of lines is no reason to refuse: models can't see it"),
    (
        "b23bcfb84928",
        "an original that begins inside a line's indentation is refused with the line as it is: whole lines are replaced, or none",
    ),
    ("4b5fb18cbba1", "patch_many is a tool to come (issue 4)"),
    ("69c4d5962798", "patch_many is a tool to come (issue 4)"),
)

FILE_TOOLS: tuple[tuple[str, str], ...] = (
    (
        "757627f55c63",
        "save does not overwrite what is no text: nobody could see what is lost, and no digest guards it; it says how to remove it",
    ),
    ("2480d7477116", "read takes one path: several are several calls of one round"),
    ("4eaa3b41aaea", "read takes one path: several are several calls of one round"),
    ("7ca0c35e3c96", "read takes one path: several are several calls of one round"),
    ("fe55a8ef36f9", "read takes one path: several are several calls of one round"),
    ("54b2de8f0d74", "symbolic links are the shell's to resolve: a pure tool sees names only"),
    ("70de4d1ee293", "symbolic links are the shell's to resolve: a pure tool sees names only"),
    ("7af4b10f29a5", "symbolic links are the shell's to resolve: a pure tool sees names only"),
    ("fff901d73d8c", "symbolic links are the shell's to resolve: a pure tool sees names only"),
    ("af46dc578851", "a read root beside the workspace is not configurable: what is outside the workspace is asked for"),
)
