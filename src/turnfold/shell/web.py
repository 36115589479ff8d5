"""Pages of the web: the port of ``FetchUrl``.

A fetch goes from hop to hop. Each, the first and every redirect, is judged anew: its URL by its form, its host by the addresses that it
has now, and the URL by the rules of the config. A rule that denies it stops there; where the first was allowed by a rule, and not by the
person, a redirect that no rule allows stops as well, so that an open redirector on an allowed host opens nothing. The connection is made
to the address that was judged.

Through a proxy (``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``) it is the proxy that looks the name up and connects: then names are
judged by how they are written and by the addresses that this machine finds for them, if it finds any; where the proxy goes in the end,
only the proxy knows.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from threading import Lock
from typing import final
from urllib.parse import urljoin

from attrs import evolve
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.web import checked_url
from turnfold.core.world.answers import UrlFetched
from turnfold.core.world.permission import Allow, Deny, permit
from turnfold.core.world.requests import FetchUrl
from turnfold.shell.addresses import Resolve, system_resolve
from turnfold.shell.beside import beside
from turnfold.shell.charset import is_binary, text_of
from turnfold.shell.cutter import Cutter
from turnfold.shell.page_text import is_html, is_textual, markdown_of, media_type_of
from turnfold.shell.ports import Port
from turnfold.shell.scope import Scope
from turnfold.shell.ways import Way, find_way

MOST_HOPS = 10
HTML_SNIFFED = ("<!doctype html", "<html")


@final
class LocalWeb(Port[FetchUrl]):
    """Fetches over this machine's network. ``variables`` name its proxies, ``resolve`` finds addresses, ``tls`` knows whom to trust.

    The HTTP library is imported with the first request. Nothing lives on between two requests.
    """

    __slots__ = ("_lock", "_resolve", "_tls", "_variables")

    def __init__(self, variables: Mapping[str, str], resolve: Resolve = system_resolve, tls: ssl.SSLContext | None = None) -> None:
        self._variables = dict(variables)
        self._resolve = resolve
        self._lock = Lock()
        self._tls = tls

    @override
    def act(self, request: FetchUrl, cfg: ChatConfig, scope: Scope) -> UrlFetched | Problem:
        cutter = Cutter()
        return beside(lambda: self._fetched(request, cfg, cutter), cutter.cut, scope, request.timeout_s, "The fetch")

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""

    def _fetched(self, request: FetchUrl, cfg: ChatConfig, cutter: Cutter) -> UrlFetched | Problem:
        from turnfold.shell.web_line import Get, Got, got

        hop, tls = request, self._certificates()
        for _ in range(MOST_HOPS + 1):
            way = self._way(hop)
            if isinstance(way, Problem):
                return way
            answer: Got | Problem = model_problem("no-host", "There is no address.")
            for address in way.addresses:
                get = Get(url=hop.url, address=address, proxy=way.proxy, limit_bytes=hop.limit_bytes, timeout_s=hop.timeout_s)
                answer = got(get, tls, cutter)
                if not isinstance(answer, Problem) or answer.code != "no-server" or cutter.was_cut:
                    break
            if isinstance(answer, Problem):
                return answer
            if not answer.location:
                return _readable(answer.status, answer.content_type, answer.body, answer.cut_bytes, hop.url)
            next_hop = _next_hop(request, hop, answer.location, cfg)
            if isinstance(next_hop, Problem):
                return next_hop
            hop = next_hop
        return model_problem(
            "redirects", f"{request.url} leads from one address to the next more than {MOST_HOPS} times: go on without it."
        )

    def _way(self, hop: FetchUrl) -> Way | Problem:
        """Where to connect to for ``hop``, judged."""
        url = checked_url(hop.url)
        if isinstance(url, Problem):
            return url
        return find_way(url.scheme, url.host, url.port, hop.private_hosts, self._resolve, self._variables)

    def _certificates(self) -> ssl.SSLContext:
        from turnfold.shell.web_line import tls_context

        with self._lock:
            if self._tls is None:
                self._tls = tls_context()
            return self._tls


def _next_hop(first: FetchUrl, hop: FetchUrl, location: str, cfg: ChatConfig) -> FetchUrl | Problem:
    """The request that a redirect stands for, where the rules let it pass."""
    try:
        moved = evolve(hop, url=urljoin(hop.url, scalar_text(location)))
    except ValueError:
        return model_problem("bad-url", f"{hop.url} leads to what is no address: go on without it.", "$.url")
    said = permit(moved, cfg)
    if isinstance(said, Deny):
        return model_problem(
            "denied", f"{hop.url} leads to {moved.url}, which a rule of the configuration denies: go on without it.", "$.url"
        )
    if isinstance(permit(first, cfg), Allow) and not isinstance(said, Allow):
        message = f"{hop.url} leads to {moved.url}, which no rule allows: fetch that address itself, and the user is asked."
        return model_problem("redirected", message, "$.url")
    return moved


def _readable(status: int, content_type: str, body: bytes, cut_bytes: int, url: str) -> UrlFetched | Problem:
    """What came, as text; what is none has an empty one."""
    media_type = media_type_of(content_type)
    if not is_textual(media_type) or is_binary(body, content_type):
        shown = media_type if media_type and not is_textual(media_type) else sniffed_type(body)
        return UrlFetched(url=url, status=status, media_type=shown, text="", cut_bytes=cut_bytes or len(body))
    text = text_of(body, content_type)
    if is_html(media_type) or (not media_type and text.lstrip()[:20].lower().startswith(HTML_SNIFFED)):
        page = markdown_of(text, url)
        if isinstance(page, Problem):
            return page
        return UrlFetched(url=url, status=status, media_type="text/html", text=scalar_text(page), cut_bytes=cut_bytes)
    return UrlFetched(url=url, status=status, media_type=media_type or "text/plain", text=scalar_text(text), cut_bytes=cut_bytes)


def sniffed_type(body: bytes) -> str:
    """The media type of bytes that are no text, by how they begin.

    >>> sniffed_type(b"%PDF-1.7"), sniffed_type(b"a")
    ('application/pdf', 'application/octet-stream')
    """
    return "application/pdf" if body.startswith(b"%PDF-") else "application/octet-stream"
