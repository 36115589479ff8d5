"""Each request has one kind of answer."""

from __future__ import annotations

from typing import cast, get_args

from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.world.answers import ANSWERS, Answer, FileWritten, ImageRead, Returned, answers, images_of
from turnfold.core.world.images import Image
from turnfold.core.world.requests import Request
from turnfold.testing.strategies import values


def test_every_request_has_one_kind_of_answer_and_every_answer_is_one() -> None:
    assert sorted(asked.__name__ for asked, _ in ANSWERS) == sorted(each.__name__ for each in get_args(Request))
    assert {told for _, told in ANSWERS} == set(get_args(Answer))


@given(st.data())
def test_a_request_is_answered_by_its_own_kind_alone(data: st.DataObject) -> None:
    asked, told = data.draw(st.sampled_from(ANSWERS))
    request = cast(Request, data.draw(values(asked)))
    kind = data.draw(st.just(told) | st.sampled_from(get_args(Answer)))
    assert answers(request, cast(Answer, data.draw(values(kind)))) == (kind is told)


def test_the_pictures_of_an_answer() -> None:
    image = Image("image/png", "")
    assert [images_of(each) for each in (ImageRead(image, digest=""), Returned(text="", images=(image,)), FileWritten(""))] == [
        (image,),
        (image,),
        (),
    ]
