"""What lessons cost a message: ``python -m tests.benchmarks.lessons``. Linear in the text times the lessons."""

from __future__ import annotations

import time

from attrs import evolve

from turnfold.core.agent.lessons import user_message
from turnfold.core.agent.state import Past
from turnfold.core.config.briefing import Briefing, Lesson
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG

ROUNDS = 20
WORDS = "the build failed after a change of the parser and nobody knows why it did so on this machine but not there "


def lessons(count: int) -> tuple[Lesson, ...]:
    """Lessons of five keywords each, one of them with a wildcard; every second has a pattern."""
    return tuple(
        Lesson(
            path=f"lessons/{n:04}.md",
            title=f"Lesson {n}",
            text="Look first.\n" * 100,
            keywords=(f"keyword{n}", f"word {n}", f"topic{n}", f"merge*{n}", f"deploy {n}"),
            patterns=(rf"\b(error|warning) \w+ {n}\b",) if n % 2 else (),
        )
        for n in range(count)
    )


def main() -> None:
    """Print the milliseconds of one message, for some numbers of lessons and lengths of text."""
    print("lessons  characters  ms a message")
    for count in (0, 1, 10, 100, 1000):
        cfg = evolve(CONFIG, briefing=Briefing(lessons=lessons(count)))
        for length in (200, 2_000, 20_000, 200_000):
            text = (WORDS * (length // len(WORDS) + 1))[:length]
            user_message(text, "", ALL_TOOLS, cfg, Past())
            began = time.perf_counter()
            for _ in range(ROUNDS):
                user_message(text, "", ALL_TOOLS, cfg, Past())
            print(f"{count:7,}  {length:10,}  {(time.perf_counter() - began) / ROUNDS * 1000:12.3f}")


if __name__ == "__main__":
    main()
