"""Forty small tasks for an agent in a folder: set A to tune on, set B held out.

A task is judged by what the folder holds afterwards and, where it asks for something, by what the tools printed and
the last reply said. It knows nothing of the loop that runs it: `check(folder, outcome)` gets the folder and two texts.
A question also fails if a file that was there before has changed, and what a script prints counts only if it was run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, final

from attrs import frozen


@final
@frozen(kw_only=True)
class Outcome:
    """What a run left besides its folder: what all tools printed, in order, and the last reply."""

    printed: str
    reply: str


Check: TypeAlias = Callable[[Path, Outcome], bool]
Files: TypeAlias = tuple[tuple[str, str], ...]


@final
@frozen(kw_only=True)
class Task:
    """One task: what is asked, the files that are there before, and the judge of the outcome."""

    name: str
    prompt: str
    files: Files = ()
    check: Check


def prepare(task: Task, folder: Path) -> None:
    """Write the task's files into an empty folder."""
    for path, text in task.files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def text_of(folder: Path, path: str) -> str:
    """The text of a file, or an empty text if it isn't there."""
    target = folder / path
    return target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""


def every(*checks: Check) -> Check:
    """All of these hold."""
    return lambda folder, outcome: all(check(folder, outcome) for check in checks)


def says(*words: str) -> Check:
    """What was printed or replied has each of these words."""
    return lambda folder, outcome: has_words(f"{outcome.printed}\n{outcome.reply}", words)


def printed(*words: str) -> Check:
    """What the tools printed has each of these words, whatever the reply says."""
    return lambda folder, outcome: has_words(outcome.printed, words)


def has_words(text: str, words: tuple[str, ...]) -> bool:
    """The text has each of these as a whole word, whatever the case; thousands separators don't count."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return all(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\d)", plain, re.IGNORECASE) for word in words)


def holds(path: str, *parts: str) -> Check:
    """The file is there and has each of these parts."""
    return lambda folder, outcome: (folder / path).is_file() and all(part in text_of(folder, path) for part in parts)


def lacks(path: str, *parts: str) -> Check:
    """The file is there and has none of these parts."""
    return lambda folder, outcome: (folder / path).is_file() and not any(part in text_of(folder, path) for part in parts)


def exactly(path: str, text: str) -> Check:
    """The file is there and is this text, spaces at the ends of lines and empty lines at the end apart."""

    def shape(raw: str) -> list[str]:
        return [line.rstrip() for line in raw.rstrip().split("\n")]

    return lambda folder, outcome: (folder / path).is_file() and shape(text_of(folder, path)) == shape(text)


def gone(path: str) -> Check:
    """Nothing is at this path."""
    return lambda folder, outcome: not (folder / path).exists()


def is_folder(path: str) -> Check:
    """A folder is at this path."""
    return lambda folder, outcome: (folder / path).is_dir()


def prints(code: str, text: str) -> Check:
    """This python code, run in the folder, ends well and prints this text."""

    def check(folder: Path, outcome: Outcome) -> bool:
        ran = subprocess.run(
            [sys.executable, "-c", code], check=False, cwd=folder, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
        return ran.returncode == 0 and text in ran.stdout

    return check


def concludes(right: str, *wrong: str) -> Check:
    """The last line that names any of these words names the right one and none of the wrong ones."""

    def check(folder: Path, outcome: Outcome) -> bool:
        lines = f"{outcome.printed}\n{outcome.reply}".lower().split("\n")
        naming = [line for line in lines if any(word in line for word in (right, *wrong))]
        return bool(naming) and right in naming[-1] and not any(word in naming[-1] for word in wrong)

    return check


def asked(name: str, prompt: str, files: Files, *words: str) -> Task:
    """A question: the transcript has these words, and the files are as they were."""
    untouched = tuple(exactly(path, text) for path, text in files)
    return Task(name=name, prompt=prompt, files=files, check=every(says(*words), *untouched))


def done(name: str, prompt: str, files: Files, *checks: Check) -> Task:
    """An order: the folder holds this afterwards."""
    return Task(name=name, prompt=prompt, files=files, check=every(*checks))


NOTES = "Meeting notes\nThe budget is 4200 euros.\nMaria leads the project.\nNext meeting on Friday.\n"
APP = 'DEBUG = True\nPORT = 8000\nNAME = "shop"\n'
GREET = 'def greet(name):\n    return "Hello " + name\n\n\nprint(greet("Ada"))\n'
SALES = "month,amount\nJan,120\nFeb,340\nMar,215\nApr,98\n"
POEM = "".join(f"line {n} of the poem\n" for n in range(1, 38))
TODO = "- buy milk\n- call Bob\n"

SET_A: tuple[Task, ...] = (
    asked(
        "list",
        "Which files are in this folder?",
        (("alpha.txt", "a\n"), ("beta.md", "b\n"), ("gamma.py", "c = 1\n")),
        "alpha.txt",
        "beta.md",
        "gamma.py",
    ),
    asked(
        "list-sub",
        "List the files in the docs folder.",
        (("docs/intro.md", "hi\n"), ("docs/usage.md", "use\n"), ("main.py", "")),
        "intro.md",
        "usage.md",
    ),
    asked("read", "What does notes.txt say about the budget?", (("notes.txt", NOTES),), "4200"),
    asked("read-code", "Show me the content of app.py.", (("app.py", APP),), "DEBUG", "8000", '"shop"'),
    done("create", "Create a file hello.txt containing: Hello, world!", (), exactly("hello.txt", "Hello, world!")),
    done(
        "create-lines",
        "Write a file colors.txt with the three colors red, green and blue, one per line.",
        (),
        exactly("colors.txt", "red\ngreen\nblue"),
    ),
    done(
        "create-script",
        "Create a python script square.py that prints the square of 12.",
        (),
        prints("import runpy; runpy.run_path('square.py', run_name='__main__')", "144"),
    ),
    done("edit-port", "Change the port in app.py from 8000 to 9090.", (("app.py", APP),), exactly("app.py", APP.replace("8000", "9090"))),
    done(
        "edit-word",
        "Replace the word Friday with Monday in notes.txt.",
        (("notes.txt", NOTES),),
        exactly("notes.txt", NOTES.replace("Friday", "Monday")),
    ),
    done(
        "edit-code",
        "In greet.py change the greeting from Hello to Welcome.",
        (("greet.py", GREET),),
        exactly("greet.py", GREET.replace("Hello", "Welcome")),
    ),
    done(
        "append",
        "Add the line '- water plants' to the end of todo.txt.",
        (("todo.txt", TODO),),
        exactly("todo.txt", TODO + "- water plants"),
    ),
    done(
        "append-row",
        "Append a row for May with the amount 150 to sales.csv.",
        (("sales.csv", SALES),),
        exactly("sales.csv", SALES + "May,150"),
    ),
    asked("count-lines", "How many lines does poem.txt have?", (("poem.txt", POEM),), "37"),
    asked(
        "count-files",
        "How many .txt files are in this folder?",
        (*tuple((f"n{i}.txt", "x\n") for i in range(100, 113)), ("z.md", "")),
        "13",
    ),
    asked("compute", "What is 37 times 43?", (), "1591"),
    asked("compute-sum", "Use python to compute the sum of all whole numbers from 1 to 250.", (), "31375"),
    asked("compute-file", "What is the total of the amount column in sales.csv?", (("sales.csv", SALES),), "773"),
    done("rename", "Rename draft.txt to final.txt.", (("draft.txt", "My text\n"),), gone("draft.txt"), exactly("final.txt", "My text")),
    done(
        "steps-folder",
        "Create a folder named src and move main.py into it.",
        (("main.py", "x = 1\n"),),
        gone("main.py"),
        exactly("src/main.py", "x = 1"),
    ),
    done(
        "steps-run",
        "Write a script add.py that prints 19 + 23, then run it.",
        (),
        prints("import runpy; runpy.run_path('add.py', run_name='__main__')", "42"),
        printed("42"),
    ),
)

INVENTORY = "item,count\nscrews,250\nnails,475\nbolts,36\n"
CONFIG = "[server]\nhost = localhost\ntimeout = 30\n"
STORY = "Once there was a fox.\nThe fox lived in a forest.\nOne day the fox met a bear.\n"
MATHS = "def double(x):\n    return x + x\n\n\ndef half(x):\n    return x / 2\n"
LOG = "".join(f"{'ERROR' if n % 3 == 0 else 'INFO'} event {n}\n" for n in range(100, 152))

SET_B: tuple[Task, ...] = (
    asked(
        "list",
        "Show me what is in this directory.",
        (("report.pdf", "x\n"), ("budget.xls", "y\n"), ("photo.jpg", "z\n")),
        "report.pdf",
        "budget.xls",
        "photo.jpg",
    ),
    asked(
        "list-py",
        "Which python files are in the lib directory?",
        (("lib/tools.py", ""), ("lib/net.py", ""), ("lib/readme.txt", "")),
        "tools.py",
        "net.py",
    ),
    asked("read", "Read config.ini and tell me the timeout.", (("config.ini", CONFIG),), "30"),
    asked(
        "read-search",
        "Which file in this folder mentions the word pineapple?",
        (("one.txt", "apple\n"), ("two.txt", "a pineapple\n"), ("three.txt", "pear\n")),
        "two.txt",
    ),
    done("create", "Make a new file called motto.txt with the text: Stay curious", (), exactly("motto.txt", "Stay curious")),
    done("create-json", 'Create settings.json with the content {"theme": "dark"}', (), exactly("settings.json", '{"theme": "dark"}')),
    done(
        "create-function",
        "Write a file shapes.py with a function area(w, h) that returns w times h.",
        (),
        prints("import shapes; print(shapes.area(6, 7))", "42"),
    ),
    done(
        "edit-value", "Set the timeout in config.ini to 60.", (("config.ini", CONFIG),), exactly("config.ini", CONFIG.replace("30", "60"))
    ),
    done("edit-name", "In story.txt replace bear with wolf.", (("story.txt", STORY),), exactly("story.txt", STORY.replace("bear", "wolf"))),
    done(
        "edit-rename",
        "Rename the function half to halve in maths.py.",
        (("maths.py", MATHS),),
        exactly("maths.py", MATHS.replace("half", "halve")),
    ),
    done("append", "Add a line 'The end.' at the end of story.txt.", (("story.txt", STORY),), exactly("story.txt", STORY + "The end.")),
    done(
        "append-item",
        "Append washers with a count of 90 to inventory.csv.",
        (("inventory.csv", INVENTORY),),
        exactly("inventory.csv", INVENTORY + "washers,90"),
    ),
    asked("count-matches", "How many lines of app.log contain ERROR?", (("app.log", LOG),), "17"),
    asked("count-words", "Count the words in story.txt.", (("story.txt", STORY),), "18"),
    asked("compute", "Calculate 2 to the power of 20.", (), "1048576"),
    asked("compute-avg", "Use python to find the average of 14, 27, 34 and 58.", (), "33.25"),
    done(
        "compute-max",
        "Which item in inventory.csv has the highest count?",
        (("inventory.csv", INVENTORY),),
        concludes("nails", "screws", "bolts"),
        exactly("inventory.csv", INVENTORY),
    ),
    done("delete", "Delete the file old.bak.", (("old.bak", "x\n"), ("keep.txt", "k\n")), gone("old.bak"), exactly("keep.txt", "k")),
    done(
        "steps-copy",
        "Make a folder called backup and copy story.txt into it.",
        (("story.txt", STORY),),
        exactly("backup/story.txt", STORY),
        exactly("story.txt", STORY),
    ),
    done(
        "steps-run",
        "Create primes.py that prints the first five prime numbers, then run it.",
        (),
        prints("import runpy; runpy.run_path('primes.py', run_name='__main__')", "11"),
        printed("2", "3", "5", "7", "11"),
    ),
)
