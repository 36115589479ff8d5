"""Where each wire format is spoken to."""

from __future__ import annotations

import pytest

from turnfold.core.config.values import Provider, Wire
from turnfold.core.llm.endpoint import ENDPOINTS, address_of, endpoint


def test_each_wire_format_has_one_endpoint() -> None:
    assert [wire for wire, _ in ENDPOINTS] == list(Wire)
    assert all(endpoint(wire).path.startswith("/") for wire in Wire)


@pytest.mark.parametrize("base_url", ["https://x.example/v1", "https://x.example/v1/", "https://x.example/v1//"])
@pytest.mark.parametrize(
    ("wire", "address"),
    [
        (Wire.CHAT, "https://x.example/v1/chat/completions"),
        (Wire.RESPONSES, "https://x.example/v1/responses"),
        (Wire.MESSAGES, "https://x.example/v1/messages"),
        (Wire.GEMINI, "https://x.example/v1/models/tuned/a%3Fb%23c:streamGenerateContent?alt=sse"),
    ],
)
def test_a_call_is_posted_behind_the_base_url(base_url: str, wire: Wire, address: str) -> None:
    assert address_of(Provider(name="x", base_url=base_url, wire=wire), "tuned/a?b#c") == address
