"""The program beside a browser: does what it is sent with Playwright, in a process of its own, until its control pipe ends.

Started by file name (``python -P …/browser_worker.py CONTROL RESULT LIFELINE FOLDER PORT EXECUTABLE``), never imported; it imports
nothing of turnfold. A message on CONTROL is a length (8 bytes) and a JSON object, an answer on RESULT the same. First of all LIFELINE is
told the process id (see ``child``). The browser reaches the network through the SOCKS5 proxy on PORT of this machine and in no other
way; its pictures go into FOLDER.
"""

import contextlib
import json
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

LENGTH_BYTES = 8
SETTLE_MS = 1000  # after a click, for what it loads
ROLE = re.compile(r'(\w+) "(.*)"\Z', re.DOTALL)  # as a page's text names its elements
SELECTOR = re.compile(r"[#.\[*]|css=|xpath=|//")
FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # it looks no name up itself
    "--proxy-bypass-list=<-loopback>",  # its own machine is reached through the gate, too
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--no-first-run",
)
CALL_LOG = re.compile(r"\n(Call log:|Browser logs:|=====).*", re.DOTALL)


class Worker:
    """One browser, with the page that is used. ``api`` is Playwright's module, which is not everywhere."""

    __slots__ = ("api", "browser", "context", "folder", "notes", "pictures")

    def __init__(self, api: Any, playwright: Any, folder: str, port: int, executable: str) -> None:
        self.api = api
        self.notes: list[str] = []
        self.folder = folder
        self.pictures = 0
        self.browser = playwright.chromium.launch(
            executable_path=executable or None,
            headless=True,
            chromium_sandbox=os.geteuid() != 0,  # Chromium's own sandbox does not run as root
            proxy={"server": f"socks5://127.0.0.1:{port}"},
            args=list(FLAGS),
        )
        self.context = self.browser.new_context(accept_downloads=False, service_workers="block")
        self.context.on("page", lambda page: self.watched(page))  # noqa: PLW0108 - Playwright writes on the object of a method
        self.context.new_page()

    @property
    def page(self) -> Any:
        """The page that was opened last."""
        return self.context.pages[-1] if self.context.pages else self.context.new_page()

    def watched(self, page: Any) -> None:
        """Have what ``page`` would ask a person answered, and told."""
        page.on("dialog", lambda dialog: self.dismissed(dialog))  # noqa: PLW0108 - the same
        page.on("download", lambda download: self.refused(download))  # noqa: PLW0108 - the same

    def dismissed(self, dialog: Any) -> None:
        """Answer a dialog."""
        if dialog.type == "beforeunload":
            dialog.accept()
            return
        self.notes.append(f"the page showed a dialog, which was dismissed: {dialog.message[:500]!r}")
        dialog.dismiss()

    def refused(self, download: Any) -> None:
        """Leave a download undone."""
        self.notes.append(f"a download was refused: {download.url[:500]}")

    def do(self, said: dict[str, Any]) -> dict[str, Any]:
        """One act, and what is seen then."""
        self.notes = []
        wait_ms = said["timeout_s"] * 1000
        target, text, picture, page = said["target"], said["text"], "", self.page
        page.set_default_timeout(wait_ms)
        match said["action"]:
            case "open":
                self.gone_to(target, wait_ms)
                self.settled()
            case "click":
                self.found(target, clicked=True).click(timeout=wait_ms)
                self.settled()
            case "type":
                field = self.found(target, clicked=False)
                field.fill(text.removesuffix("\n"), timeout=wait_ms)
                if text.endswith("\n"):
                    field.press("Enter", timeout=wait_ms)
                    self.settled()
            case "screenshot":
                self.pictures += 1
                picture = str(Path(self.folder) / f"{self.pictures}.png")
                page.screenshot(path=picture, timeout=wait_ms)
            case _:
                pass
        page = self.page
        seen = "" if picture else page.locator("body").aria_snapshot(timeout=wait_ms)
        title = page.locator("title").first.text_content(timeout=wait_ms) if page.locator("title").count() else ""
        return {"url": page.url, "title": (title or "").strip(), "text": seen, "picture": picture, "notes": self.notes}

    def gone_to(self, url: str, wait_ms: float) -> None:
        """Open ``url`` in a page of its own: what an earlier one still loads, or never stops doing, is not in its way."""
        earlier = list(self.context.pages)
        page = self.context.new_page()
        for each in earlier:
            with contextlib.suppress(self.api.Error):
                each.close()
        page.goto(url, wait_until="domcontentloaded", timeout=wait_ms)

    def stuck(self) -> bool:
        """Whether the page answers nothing at all, as one does whose script never ends."""
        try:
            self.page.locator("html").wait_for(state="attached", timeout=SETTLE_MS)
        except self.api.Error:
            return True
        return False

    def settled(self) -> None:
        """Wait a moment for what an act loads."""
        with contextlib.suppress(self.api.TimeoutError):
            self.page.wait_for_load_state("networkidle", timeout=SETTLE_MS)

    def found(self, target: str, *, clicked: bool) -> Any:
        """The element that is meant: ``role "name"``, a selector, or what is written on it or beside it."""
        named = ROLE.match(target)
        if named is not None:
            return self.page.get_by_role(named.group(1), name=named.group(2), exact=True).first
        if SELECTOR.match(target):
            return self.page.locator(target).first
        if clicked:
            return self.page.get_by_text(target).first
        return self.page.get_by_label(target).or_(self.page.get_by_placeholder(target)).first


def wrong(error: Exception, worker: Worker) -> dict[str, Any]:
    """An exception of the library as an answer."""
    why = CALL_LOG.sub("", str(error)).strip()[:500]
    if not worker.browser.is_connected() or "crashed" in why.lower():
        return {"wrong": "crashed", "why": why}
    if isinstance(error, worker.api.TimeoutError):
        return {"wrong": "stuck" if worker.stuck() else "time-out", "why": why}
    return {"wrong": "failed", "why": why}


def exactly(descriptor: int, count: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = b""
    while len(data) < count and (piece := os.read(descriptor, count - len(data))):
        data += piece
    return data


def tell(descriptor: int, answer: dict[str, Any]) -> None:
    """Send one answer."""
    data = json.dumps(answer).encode()
    data = len(data).to_bytes(LENGTH_BYTES, "big") + data
    while data:
        data = data[os.write(descriptor, data) :]


def main() -> None:
    """Serve until there is no more to do, or the browser is gone."""
    control, result, lifeline = map(int, sys.argv[1:4])
    os.write(lifeline, f"{os.getpid()}\n".encode())
    os.close(lifeline)
    api: Any = import_module("playwright.sync_api")
    with api.sync_playwright() as playwright:
        try:
            worker = Worker(api, playwright, sys.argv[4], int(sys.argv[5]), sys.argv[6])
        except api.Error as error:
            tell(result, {"wrong": "start", "why": CALL_LOG.sub("", str(error)).strip()[:500]})
            return
        while len(head := exactly(control, LENGTH_BYTES)) == LENGTH_BYTES:
            said = json.loads(exactly(control, int.from_bytes(head, "big")))
            try:
                answer = worker.do(said)
            except api.Error as error:
                answer = wrong(error, worker)
            tell(result, {**answer, "notes": worker.notes})
            if answer.get("wrong") in {"crashed", "stuck"}:
                return
        with contextlib.suppress(api.Error):
            worker.browser.close()


if __name__ == "__main__":
    main()
