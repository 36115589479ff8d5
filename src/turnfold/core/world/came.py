"""What came of a request, in a few words, for traces and lists."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.world.answers import (
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
    ProcessEnded,
    PythonEnded,
    Returned,
    StreamEnded,
    UrlFetched,
    Waited,
)


def came_of(answer: Answer) -> str:
    """``answer`` in a few words.

    >>> came_of(ProcessEnded(exit_code=1, output="", cwd="/w"))
    'exit code 1'
    """
    match answer:
        case ProcessEnded(timed_out=True) | PythonEnded(timed_out=True):
            return "timed out"
        case ProcessEnded(exit_code=code):
            return f"exit code {code}"
        case PythonEnded(failed=failed):
            return "raised" if failed else "ran"
        case FileRead(text=text):
            return f"{len(text):,} characters"
        case FilesListed(entries=entries, omitted=omitted):
            return f"{len(entries) + omitted:,} names"
        case FileWritten() | FilesChanged():
            return "written"
        case FilesSearched(found=found, omitted=omitted):
            return f"{len(found) + omitted:,} found"
        case StreamEnded():
            return "streamed"
        case Waited():
            return "over"
        case _:
            return _came_of_other(answer)


def _came_of_other(
    answer: ImageRead | IndexSearched | ChatsFound | JobStarted | JobTold | UrlFetched | BrowserSeen | Returned | HumanSaid | ChildEnded,
) -> str:
    match answer:
        case ImageRead(image=image):
            return image.media_type
        case IndexSearched(passages=passages):
            return f"{len(passages):,} found"
        case ChatsFound(chats):
            return f"{len(chats):,} found"
        case JobStarted(job):
            return f"job {job}"
        case JobTold(exit_code=code):
            return "running" if code is None else f"exit code {code}"
        case UrlFetched(status=status):
            return f"status {status}"
        case BrowserSeen(url=url):
            return url
        case Returned(ok=ok):
            return "returned" if ok else "failed"
        case HumanSaid():
            return "said"
        case ChildEnded(ok=ok):
            return "done" if ok else "not done"
        case _:
            assert_never(answer)
