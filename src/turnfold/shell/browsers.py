"""Browsers of this machine: one for each conversation, kept until it is closed, is told to stop, or dies.

Playwright's synchronous interface belongs to one thread, waits where no other thread can wake it, and starts a server of its own. So it
runs in a process beside ours (``browser_worker``), which can be ended at any moment with all that it started; what a page does to it is
not done to us. All that the browser loads passes the gate (``browser_gate``) that stands in our process.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem, model_problem, world_problem
from turnfold.core.tools.output import split_to_limit
from turnfold.core.tools.web import checked_url
from turnfold.core.world.answers import BrowserSeen
from turnfold.core.world.permission import Deny, permit, relative
from turnfold.core.world.requests import Browsing, UseBrowser, WriteFile
from turnfold.shell.addresses import Resolve, system_resolve
from turnfold.shell.beneath import real_path
from turnfold.shell.bounds import Bounds
from turnfold.shell.browser_gate import Gate
from turnfold.shell.child import Child, Pump, Waker
from turnfold.shell.chromium import find_chromium
from turnfold.shell.clock import monotonic_s
from turnfold.shell.environment import base_environment
from turnfold.shell.living import Living
from turnfold.shell.new_file import put_new
from turnfold.shell.ports import Port
from turnfold.shell.scope import Scope, never_began

PROGRAM = str(Path(__file__).with_name("browser_worker.py"))
START_S = 30.0
SLACK_S = 3.0  # from the end of an act's time to that of the browser
LEAVE_S = 3.0
LENGTH_BYTES = 8
SCHEMES = ("http:", "https:", "about:", "blob:", "chrome-error:")
MISSING = "The browser needs a library: pip install 'turnfold[browser]'."


@final
@frozen(kw_only=True)
class _Told:
    """What the worker answered; ``wrong`` is empty where all went well, else what kind of failure it was."""

    wrong: str = ""
    why: str = ""
    url: str = ""
    title: str = ""
    text: str = ""
    picture: str = ""
    notes: tuple[str, ...] = ()


@final
class _Browser:
    """One living browser, with its gate and its folder; used by one thread at a time."""

    __slots__ = ("_child", "_control", "_folder", "_result", "fresh", "gate")

    def __init__(self, executable: str, resolve: Resolve, variables: Mapping[str, str]) -> None:
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            self._folder = tempfile.TemporaryDirectory(prefix="turnfold-browser-", ignore_cleanup_errors=True)
            ours.callback(self._folder.cleanup)
            self.gate = Gate(resolve, variables)
            ours.callback(self.gate.close)
            control, self._control = os.pipe()
            theirs.callback(os.close, control)
            ours.callback(os.close, self._control)
            self._result, result = os.pipe()
            theirs.callback(os.close, result)
            ours.callback(os.close, self._result)
            os.set_blocking(self._control, False)
            argv = (sys.executable, "-P", PROGRAM, str(control), str(result))
            ends = (self._folder.name, str(self.gate.port), executable)
            environment = {**dict(base_environment(variables)), "TMPDIR": self._folder.name}
            self._child = Child(lambda lifeline: (*argv, str(lifeline), *ends), self._folder.name, environment, keep=(control, result))
            self.fresh = True
            ours.pop_all()

    def alive(self) -> bool:
        """Whether it still runs."""
        return not self._child.exited()

    def act(self, request: UseBrowser, waker: Waker) -> _Told:
        """Do it; after ``gone``, ``crashed`` or ``time-out`` only ``close`` is left to do."""
        pump, result = Pump(), bytearray()
        said = {"action": request.action.value, "target": request.target, "text": request.text, "timeout_s": request.timeout_s}
        data = json.dumps(said).encode()
        pump.read(self._child.output, lambda _: None)
        pump.read(self._result, result.extend)
        pump.write(self._control, len(data).to_bytes(LENGTH_BYTES, "big") + data)
        self._child.attach(pump, waker)
        self.gate.private_hosts = request.private_hosts
        allowed_s = request.timeout_s + SLACK_S + (START_S if self.fresh else 0)
        self.fresh = False

        def over() -> bool:
            return _whole(result) or self._child.exited() or waker.woken

        in_time = pump.until(over, monotonic_s() + allowed_s)
        pump.rest()
        if _whole(result):
            return _read(bytes(result[LENGTH_BYTES:]))
        return _Told(wrong="gone" if in_time else "stuck")

    def close(self) -> None:
        """End the browser and all that it started; give everything back."""
        os.close(self._control)  # its end of input: it closes its browser, and leaves
        self.gate.close()
        pump = Pump()
        pump.read(self._child.output, lambda _: None)
        with Waker() as waker:
            self._child.attach(pump, waker)
            pump.until(self._child.exited, monotonic_s() + LEAVE_S)
        self._child.reap()
        os.close(self._result)
        self._folder.cleanup()


def _whole(result: bytearray) -> bool:
    return len(result) >= LENGTH_BYTES and len(result) >= LENGTH_BYTES + int.from_bytes(result[:LENGTH_BYTES], "big")


def _read(data: bytes) -> _Told:
    said = json.loads(data)
    texts = {name: scalar_text(str(said.get(name, ""))) for name in ("wrong", "why", "url", "title", "text", "picture")}
    return _Told(**texts, notes=tuple(scalar_text(str(each)) for each in said.get("notes", ())))


@final
class LocalBrowsers(Port[UseBrowser]):
    """The browsers of this machine, by conversation; ``close_all`` ends them. ``resolve`` finds the addresses of all that they load."""

    __slots__ = ("_living", "_resolve", "_variables")

    def __init__(self, variables: Mapping[str, str], resolve: Resolve = system_resolve) -> None:
        self._variables = dict(variables)
        self._resolve = resolve
        self._living = Living(_Browser.close)

    @override
    def act(self, request: UseBrowser, cfg: ChatConfig, scope: Scope) -> BrowserSeen | Problem:
        wrong = _before(request, cfg)
        if wrong is not None:
            return wrong
        with contextlib.ExitStack() as held:
            waker = held.enter_context(Waker())
            held.enter_context(scope.stopping(waker.wake))
            mine = held.enter_context(self._living.turn(cfg.conversation, waker))
            if scope.cancelled or not mine:
                return never_began() if scope.cancelled else _busy()
            browser = self._browser(request, cfg)
            if isinstance(browser, Problem):
                return browser
            told = self._told(request, cfg.conversation, browser, waker)
            if waker.woken:
                return world_problem("cancelled", "It was stopped, and the browser with it: its next use starts it anew.")
            return _answer(request, told, browser.gate.drain_refused(), cfg)

    @override
    def close(self, conversation: str) -> None:
        self._living.close(conversation)

    @override
    def close_all(self) -> None:
        self._living.close_all()

    def _browser(self, request: UseBrowser, cfg: ChatConfig) -> _Browser | Problem:
        """This conversation's browser, started where there is none and an address is to be opened."""
        browser = self._living.get(cfg.conversation)
        if browser is not None and browser.alive():
            return browser
        if browser is not None:
            self._living.end(cfg.conversation)
        if browser is not None and request.action is not Browsing.OPEN:
            return crashed("")
        if request.action is not Browsing.OPEN:
            return model_problem("no-page", "The browser has no page: open an address first.", "$.action")
        if find_spec("playwright") is None:
            return caller_problem("no-library", MISSING)
        executable = find_chromium(cfg.web.browser, self._variables)
        if isinstance(executable, Problem):
            return executable
        try:
            browser = _Browser(executable, self._resolve, self._variables)
        except OSError as error:
            return world_problem("no-browser", f"The browser could not be started ({error}): free memory or disk space, then try again.")
        self._living.put(cfg.conversation, browser)
        return browser

    def _told(self, request: UseBrowser, conversation: str, browser: _Browser, waker: Waker) -> _Told:
        """What the browser answered; one that is of no more use, after an interrupt here, too, is ended."""
        usable = False
        try:
            told = browser.act(request, waker)
            usable = told.wrong not in {"gone", "stuck", "crashed", "start"} and not waker.woken
        finally:
            if not usable:
                self._living.end(conversation)
        return told


def _before(request: UseBrowser, cfg: ChatConfig) -> Problem | None:
    """Why ``request`` can't be done, whatever the browser says."""
    if request.action is Browsing.OPEN:
        url = checked_url(request.target)
        return url if isinstance(url, Problem) else None
    if request.action is not Browsing.SCREENSHOT:
        return None
    if relative(real_path(request.target), real_path(cfg.workspace)).startswith("/"):
        return model_problem("outside", f"{request.target} is outside of the workspace: name a file in it.", "$.target")
    writing = WriteFile(path=request.target, text="", expected_digest="")
    if isinstance(permit(writing, cfg), Deny):
        return model_problem("denied", f"A rule of the configuration denies writing {request.target}: name another file.", "$.target")
    return Bounds(cfg).fault(writing, real_path(request.target), real_path)  # and once more when it is written


def _answer(request: UseBrowser, told: _Told, refused: Mapping[str, Problem], cfg: ChatConfig) -> BrowserSeen | Problem:
    if told.wrong:
        return _wrong(told, refused, request)
    if not told.url.startswith(SCHEMES):
        return model_problem("bad-url", f"The page led to {told.url[:200]}, which is no address of the web: open another one.")
    notes = (*told.notes, *(f"not loaded: {problem.message}" for problem in refused.values() if problem.code == "private-address"))
    if told.picture:
        return _kept(told, request.target, cfg)
    limited = split_to_limit("\n".join((told.text, *(f"({note})" for note in notes))), request.output_bytes)
    return BrowserSeen(url=told.url, title=told.title, text=limited.head + limited.tail, cut_bytes=limited.cut_bytes)


def _wrong(told: _Told, refused: Mapping[str, Problem], request: UseBrowser) -> Problem:
    barred = sorted(refused.values(), key=lambda problem: problem.code != "private-address")  # Chromium asks for hosts of its own, too
    if barred and "ERR_SOCKS" in told.why:
        return barred[0]
    match told.wrong:
        case "time-out" if request.action is Browsing.OPEN:
            return world_problem("time-out", f"{request.target} took longer than {request.timeout_s:g} s: try again, or go on without it.")
        case "time-out":
            return model_problem(
                "time-out", f"The browser waited in vain ({told.why}): look at the page's text, and name an element as it does there."
            )
        case "stuck":
            return world_problem("stuck", "The browser did not answer in time and was ended: open the page again, or go on without it.")
        case "start":
            return world_problem("no-browser", f"The browser could not be started ({told.why}): tell the user.")
        case "failed":
            return model_problem("failed", f"The browser could not do it ({told.why}): look at the page's text, then try something else.")
        case _:
            return crashed(told.why)


def crashed(why: str) -> Problem:
    """The Problem of a browser that is gone, for a reason that is known or not."""
    told = f" ({why})" if why else ""
    return world_problem("crashed", f"The browser crashed{told}: open the page again, which starts it anew, or go on without it.")


def _kept(told: _Told, target: str, cfg: ChatConfig) -> BrowserSeen | Problem:
    """The picture put into the new file ``target``."""
    try:
        data = Path(told.picture).read_bytes()
    except OSError as error:
        return world_problem("world", f"The picture could not be read ({error.strerror}): check the disk, then try again.", "$.target")
    wrong = put_new(target, data, Bounds(cfg))
    return BrowserSeen(url=told.url, title=told.title, text=target) if wrong is None else wrong


def _busy() -> Problem:
    return world_problem("busy", "The browser is still at work for another call of this conversation: wait until that has ended.")
