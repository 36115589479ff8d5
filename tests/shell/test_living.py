"""What lives for conversations: one thing each, one user at a time, and an end."""

from __future__ import annotations

import threading

from turnfold.shell.child import Waker
from turnfold.shell.living import Living


def test_each_conversation_has_its_own_until_it_is_closed() -> None:
    ended: list[str] = []
    living = Living[str](ended.append)
    living.put("a", "one")
    living.put("b", "two")
    living.end("a")
    assert (living.get("a"), living.get("b"), ended) == (None, "two", ["one"])
    living.end("a")
    living.close_all()
    assert (living.get("b"), ended) == (None, ["one", "two"])


def test_a_turn_is_one_users_and_others_wait_no_longer_than_they_say() -> None:
    living = Living[str](lambda _: None)
    with Waker() as one, Waker() as other:
        with living.turn("a", one) as mine, living.turn("a", other) as too, living.turn("b", other) as apart:
            assert (mine, too, apart) == (True, False, True)
        other.wake()
        with living.turn("a", other, 20) as woken:
            assert not woken


def test_closing_wakes_the_user_and_waits_for_it() -> None:
    ended: list[str] = []
    living = Living[str](ended.append)
    living.put("a", "one")
    with Waker() as waker, living.turn("a", waker) as mine:
        assert mine
        closing = threading.Thread(target=living.close, args=("a",))
        closing.start()
        while not waker.woken:
            pass
        assert ended == []
    closing.join(20)
    assert ended == ["one"]
