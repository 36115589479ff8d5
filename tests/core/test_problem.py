"""A Problem says who can mend it."""

from __future__ import annotations

from turnfold.core.problem import Blame, caller_problem, model_problem, world_problem


def test_blame_is_the_makers() -> None:
    assert caller_problem("a", "B.").blame is Blame.CALLER
    assert model_problem("a", "B.", "$.c").path == "$.c"
    assert world_problem("a", "B.").blame is Blame.WORLD


def test_the_place_is_shown_where_there_is_one() -> None:
    assert str(world_problem("a", "B.")) == "B."
    assert str(model_problem("a", "B.", "$.c")) == "B. @ $.c"
