"""Asking a person: what their answer means (pure), and the terminal that it comes from."""

from __future__ import annotations

import contextlib
import os
import select
import termios
from functools import partial
from typing import final

from attrs import frozen

from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided
from turnfold.core.config.layers import ChatConfig
from turnfold.core.tools.preview import CUT, visible
from turnfold.core.world.likes import likes
from turnfold.shell.scope import Scope

TERMINAL = "/dev/tty"
ANSWER_BYTES = 4096
HINT = "Answer y, n, a, e or v; anything longer is your reason for no, which the model is told.\n"
VIEW = ("v", "view")
EDIT = ("e", "edit")


def prompt_of(question: Question, cfg: ChatConfig) -> str:
    """What the person is asked, after they were shown the act: with the very rules that *always* means, where it can mean any."""
    rules = question.always or likes(question.request, cfg)
    always = f" / [a]lways {' and '.join(visible(f'{rule.kind} {rule.pattern}') for rule in rules)}" if rules else ""
    edit = " / [e]dit what is done" if question.arguments is not None else ""
    more = " / [v]iew all of it" if CUT in question.preview else ""
    reason = visible(question.reason)
    return f"{reason}{'' if reason.endswith('.') else '.'} Allow? [y]es, this once / [n]o{always}{edit}{more} / reason for no: "


def decision_of(answer: str, question: Question, cfg: ChatConfig, at_ms: int) -> Decided | None:
    """What ``answer`` says of ``question``; None where it can't be told, so that it must be asked again.

    *Always* is a rule for the rest of the conversation: this and the like of it, as the question said.
    """
    said = answer.strip()
    match said.lower():
        case "y" | "yes":
            return Decided(question.request_id, allowed=True, at_ms=at_ms)
        case "n" | "no":
            return Decided(question.request_id, allowed=False, at_ms=at_ms)
        case "a" | "always":
            rules = question.always or likes(question.request, cfg)
            return Decided(question.request_id, allowed=True, rules=rules, at_ms=at_ms) if rules else None
        case "yep" | "yeah" | "okay" | "sure" | "allow" | "fine" | "all" | "view" | "edit":
            return None  # no reason for no, and not clear enough for yes
        case _:
            return Decided(question.request_id, allowed=False, note=said, at_ms=at_ms) if len(said) > 2 else None


def _wake(descriptor: int) -> None:
    os.write(descriptor, b"!")


@final
@frozen(eq=False)
class Terminal:
    """The terminal that the command belongs to, whatever its standard streams are."""

    descriptor: int

    @classmethod
    def open(cls) -> Terminal | None:
        """The controlling terminal; None where there is none, or it is lent to another job."""
        try:
            descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if os.tcgetpgrp(descriptor) == os.getpgrp():
                return cls(descriptor)
        except OSError:
            pass  # no longer ours
        os.close(descriptor)
        return None

    def close(self) -> None:
        """Release it."""
        os.close(self.descriptor)

    def say(self, text: str) -> None:
        """Write ``text`` to the person."""
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self.descriptor, data) :]

    def ask(self, text: str, scope: Scope) -> str | None:
        """The line that the person gives to ``text``; None at the end of input, or when ``scope`` is cancelled.

        What was typed before the question was asked does not count.
        """
        with contextlib.suppress(termios.error):
            termios.tcflush(self.descriptor, termios.TCIFLUSH)
        self.say(text)
        woken, wake = os.pipe()
        try:
            with scope.stopping(partial(_wake, wake)):
                ready, _, _ = select.select([self.descriptor, woken], [], [])
            if woken in ready:
                self.say("\n")
                return None
            line = os.read(self.descriptor, ANSWER_BYTES)
        except OSError:
            return None  # the terminal is gone
        finally:
            os.close(woken)
            os.close(wake)
        if not line:
            self.say("\n")
            return None
        return line.decode("utf-8", "replace")
