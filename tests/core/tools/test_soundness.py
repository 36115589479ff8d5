"""What outside code made is taken only when it is all that its type says."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.json import JsonObject
from turnfold.core.tools.soundness import sound_images, sound_request
from turnfold.core.world.images import Image
from turnfold.core.world.requests import AskHuman, CallPython, ChangeFiles, FormField, ReadFile, WorldRequest, WriteFile
from turnfold.testing.strategies import values

KINDS: tuple[type, ...] = get_args(WorldRequest)
WRITE = WriteFile(path="/w/a", text="", expected_digest="")


@given(st.data())
def test_every_request_that_is_well_typed_is_sound_unless_it_says_nothing(data: st.DataObject) -> None:
    request = data.draw(values(data.draw(st.sampled_from(KINDS))))
    if isinstance(request, AskHuman):
        assert sound_request(request) == bool(request.fields)
    elif isinstance(request, ChangeFiles):
        assert sound_request(request) == (0 < len({each.path for each in request.changes}) == len(request.changes))
    else:
        assert sound_request(request)


@given(st.data())
def test_no_field_may_hold_what_is_of_no_kind(data: st.DataObject) -> None:
    request = data.draw(values(data.draw(st.sampled_from(KINDS))))
    name = data.draw(st.sampled_from([field.name for field in fields(type(request))]))
    assert not sound_request(evolve(request, **{name: object()}))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "ls",
        ReadFile(path="\ud800", limit_bytes=1),
        ReadFile(path="/w", limit_bytes=True),
        ChangeFiles(()),
        ChangeFiles((WRITE, WRITE)),
        ChangeFiles((cast(Any, FormField(name="a")),)),
        AskHuman(question="?", fields=(cast(Any, WRITE),)),
        CallPython("f", JsonObject((("a", cast(Any, float("nan"))),))),
        CallPython("f", JsonObject((("a", cast(Any, object())),))),
        Image("image/png", ""),
    ],
)
def test_what_is_no_sound_request_is_refused(value: object) -> None:
    assert not sound_request(value)


def test_images_are_images() -> None:
    assert sound_images((Image("image/png", "AA=="),))
    assert not sound_images([Image("image/png", "AA==")])
    assert not sound_images(("AA==",))
    assert not sound_images((Image(cast(Any, 1), ""),))
