"""A request in a few words: its kind, as rules name it, and what it acts on. Paths stay absolute; nothing is shortened."""

from __future__ import annotations

from typing import assert_never, final

from attrs import frozen

from turnfold.core.world.requests import (
    AskHuman,
    AskJob,
    CallMcp,
    CallModel,
    CallPython,
    ChangeFiles,
    FetchUrl,
    ListFiles,
    ReadFile,
    ReadImage,
    Request,
    RunProcess,
    RunPython,
    SearchChats,
    SearchFiles,
    SearchIndex,
    StartChild,
    StartJob,
    UseBrowser,
    Wait,
    WriteFile,
)


@final
@frozen
class Described:
    """What a request does (``kind``), and to what."""

    kind: str
    subject: str


def described(request: Request) -> Described:
    """The kind of ``request`` and what it acts on; of several changes, the first.

    >>> described(ReadFile(path="/w/a.txt", limit_bytes=9))
    Described(kind='read', subject='/w/a.txt')
    """
    match request:
        case ReadFile(path=path) | ReadImage(path=path) | SearchFiles(root=path) | SearchIndex(root=path):
            return Described("read", path)
        case ListFiles(path=path):
            return Described("list", path)
        case WriteFile(path=path):
            return Described("write", path)
        case ChangeFiles(changes):
            return Described("write", changes[0].path if changes else "/")
        case RunProcess(script=script) | StartJob(script=script):
            return Described("run", script.strip())
        case RunPython(code=code):
            return Described("python", code.strip())
        case _:
            return _other(request)


def _other(
    request: CallModel | Wait | AskHuman | AskJob | FetchUrl | UseBrowser | SearchChats | StartChild | CallPython | CallMcp,
) -> Described:
    match request:
        case CallModel(provider=provider, model=model):
            return Described("model", f"{provider.name}/{model}")
        case Wait(delay_ms):
            return Described("wait", f"{delay_ms / 1000:g} s")
        case AskHuman(question=question):
            return Described("ask", question)
        case AskJob(job=job):
            return Described("job", job)
        case FetchUrl(url=url):
            return Described("fetch", url)
        case UseBrowser(action=action, target=target):
            return Described("browse", target or action.value)
        case SearchChats(query=query, conversation=conversation):
            return Described("chats", conversation or query)
        case StartChild(task=task):
            return Described("child", task)
        case CallPython(name=name):
            return Described("function", name)
        case CallMcp(server=server, tool=tool):
            return Described("mcp", f"{server}/{tool}")
        case _:
            assert_never(request)
