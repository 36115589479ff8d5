"""Async functions, awaited from a thread: on an event loop that lives as long as the call, or on one that the caller runs.

A cancel cancels the task; one that does not stop is left behind after a moment, and nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from collections.abc import Awaitable, Coroutine
from threading import Thread
from typing import Any, TypeVar

from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.shell.scope import Scope

T = TypeVar("T")
GRACE_S = 1.0  # from a cancel until a task that does not stop is left


def awaited(name: str, work: Awaitable[T], scope: Scope, loop: asyncio.AbstractEventLoop | None) -> T | Problem:
    """What ``work`` gives, or that it was cancelled; raises what it raises. ``loop``: where it runs; None for a loop of its own."""
    coroutine = work if inspect.iscoroutine(work) else _waited(work)
    if loop is not None:
        return _on(name, coroutine, scope, loop)
    if not _in_a_loop():
        return _alone(name, coroutine, scope)
    told: concurrent.futures.Future[T | Problem] = concurrent.futures.Future()
    thread = Thread(target=_kept, args=(told, name, coroutine, scope), name="turnfold-async")
    thread.start()  # whoever drives a conversation on the thread of a loop blocks that; our loop can't run in it
    thread.join()
    return told.result()


async def _waited(work: Awaitable[T]) -> T:
    return await work


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _kept(told: concurrent.futures.Future[T | Problem], name: str, work: Coroutine[Any, Any, T], scope: Scope) -> None:
    try:
        told.set_result(_alone(name, work, scope))
    except BaseException as error:  # noqa: BLE001 - it goes on in the thread that waits
        told.set_exception(error)


def _on(name: str, work: Coroutine[Any, Any, T], scope: Scope, loop: asyncio.AbstractEventLoop) -> T | Problem:
    if not loop.is_running() or (_in_a_loop() and asyncio.get_running_loop() is loop):
        work.close()
        message = f"{name} was to run on an event loop that is not running, or waits for this very call: use run_async, or hand in no loop."
        return caller_problem("no-loop", message)
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        with scope.stopping(lambda: _cancel(future)):
            return future.result()
    except concurrent.futures.CancelledError:
        return cancelled(name)


def _cancel(future: concurrent.futures.Future[Any]) -> None:
    future.cancel()


def _alone(name: str, work: Coroutine[Any, Any, T], scope: Scope) -> T | Problem:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_until_cancelled(name, work, scope))
    finally:
        loop.close()  # its threads (asyncio.to_thread) are not waited for: they can't be stopped


async def _until_cancelled(name: str, work: Coroutine[Any, Any, T], scope: Scope) -> T | Problem:
    """What ``work`` gives, with whatever it started and left behind cancelled."""
    loop = asyncio.get_running_loop()
    task, stop = loop.create_task(work), asyncio.Event()
    stopped = loop.create_task(stop.wait())
    try:
        with scope.stopping(lambda: _wake(loop, stop)):
            await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _ended(asyncio.all_tasks() - {asyncio.current_task()})
        await loop.shutdown_asyncgens()
    if not task.done() or task.cancelled():
        return cancelled(name)
    return task.result()


def _wake(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    left = {task for task in tasks if not task.done()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=GRACE_S)


def cancelled(name: str) -> Problem:
    """The Problem of a call that was stopped.

    >>> cancelled("fetch_all").code
    'cancelled'
    """
    return world_problem("cancelled", f"{name} was stopped before its end; what it had begun may have happened.")
