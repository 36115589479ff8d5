"""The scope of a request: a cancel reaches whatever it stands for, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typing_extensions import override

from turnfold.shell.scope import Scope


def test_a_cancel_calls_what_is_registered_and_nothing_that_is_over() -> None:
    scope, called = Scope(), list[str]()
    with scope.stopping(lambda: called.append("over")):
        pass
    with scope.stopping(lambda: called.append("outer")), scope.stopping(lambda: called.append("inner")):
        scope.cancel()
        scope.cancel()
        assert called == ["outer", "inner"]
    assert scope.cancelled
    assert called == ["outer", "inner"]


def test_what_comes_after_the_cancel_is_stopped_at_once() -> None:
    scope, called = Scope(), list[str]()
    scope.cancel()
    with scope.stopping(lambda: called.append("late")):
        assert called == ["late"]
    assert called == ["late"]


def test_a_signal_that_cancels_while_something_registers_calls_it_once() -> None:
    class Interrupting(list[Callable[[], None]]):
        """The stops of a scope, cancelled by a signal handler right after one was added."""

        @override
        def append(self, stop: Callable[[], None], /) -> None:
            super().append(stop)
            scope.cancel()

    scope, called = Scope(), list[str]()
    scope._stops = Interrupting()
    with scope.stopping(lambda: called.append("once")):
        pass
    assert called == ["once"]


def test_an_error_in_the_block_leaves_nothing_registered() -> None:
    scope, called = Scope(), list[str]()
    with pytest.raises(ValueError, match="boom"), scope.stopping(lambda: called.append("never")):
        raise ValueError("boom")
    scope.cancel()
    assert called == []
