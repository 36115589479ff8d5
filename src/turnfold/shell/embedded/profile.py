"""How to speak to the embedded model: facts about one model, found by trial, as values.

Found on Qwen2.5-Coder-0.5B-Instruct with a set of 20 tasks, and judged on another one (``tests/benchmarks/tasks.py``):

* Worked examples help only as turns of the conversation: the same text inside the system prompt did half as many tasks.
* Their order matters as much as what they say; the last one, a script that is saved and then run, weighs most.
* Four tools are better than six: offered ``read`` or ``patch``, the model calls them with what belongs to the others.
* The first reply of a turn, and the one after a failed call, must be a call; else it guesses file contents and sums.
* The names of those files that the request names and that are there, told before it, help; a full listing, or the files'
  contents, do harm.
* A longer repair message or a reminder of the task after each result does harm: it is answered with needless calls.
"""

from __future__ import annotations

from turnfold.core.config.values import ExampleTurn, ModelProfile, Provider, Role, ToolFormat, WorkedExample
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.chat_request import output_text

EMBEDDED_MODEL = "embedded/qwen2.5-coder-0.5b"
EMBEDDED_PROVIDER = Provider(name="embedded", base_url="embedded:", timeout_s=600.0)


def _asked(text: str) -> ExampleTurn:
    """What a person asks, in an example: without a listing, which only costs tokens there."""
    return ExampleTurn(Role.USER, text)


def _call(opening: str, body: str) -> ExampleTurn:
    """A reply that is one block."""
    return ExampleTurn(Role.ASSISTANT, f"```{opening}\n{body}\n```")


def _said(text: str) -> ExampleTurn:
    """A reply that ends the turn."""
    return ExampleTurn(Role.ASSISTANT, text)


def _output(tool: str, text: str) -> ExampleTurn:
    """A tool's result, as the conversation will tell it."""
    return ExampleTurn(Role.USER, output_text(ToolMessage(call_id="", tool=tool, text=text)))


CSV_SUM = 'import csv\nrows = list(csv.DictReader(open("list.csv")))\nprint(sum(int(row["price"]) for row in rows))'

EMBEDDED_PROFILE = ModelProfile(
    pattern="embedded/*",
    tool_format=ToolFormat.MARKDOWN,
    grammar=True,
    must_call=True,
    ends_on_repeat=True,
    names_files=True,
    temperature=0.0,
    max_tokens=400,
    generations=5,
    tools=("shell", "python", "save", "append"),
    input_usd=0.0,
    output_usd=0.0,
    instructions="""\
You work in a folder with tools. A tool is called by one block; then you see its output.

```shell
COMMAND
```
runs a shell command: ls, cat, wc, grep, sed, mv, mkdir.

```python
CODE
```
runs python code (standard library only) and shows what it prints.

```save FILE
TEXT
```
writes a file.

```append FILE
TEXT
```
adds lines to the end of a file.

Never guess: look with a tool. When the output answers the task, say so in one short sentence.""",
    examples=(
        WorkedExample(
            tools=("python",),
            turns=(
                _asked("What is the sum of the prices in list.csv?"),
                _call("python", CSV_SUM),
                _output("python", "391"),
                _said("The sum is 391."),
            ),
        ),
        WorkedExample(
            tools=("shell",),
            turns=(_asked("How many .md files are here?"), _call("shell", "ls *.md | wc -l"), _output("shell", "4"), _said("There are 4.")),
        ),
        WorkedExample(
            tools=("shell",),
            turns=(_asked("Who is in names.txt?"), _call("shell", "cat names.txt"), _output("shell", "Tom\nIda"), _said("Tom and Ida.")),
        ),
        WorkedExample(
            tools=("save",),
            turns=(
                _asked("Make a file names.txt with the names Tom and Eva."),
                _call("save names.txt", "Tom\nEva"),
                _output("save", "Saved names.txt (2 lines, new file)."),
                _said("Done."),
            ),
        ),
        WorkedExample(
            tools=("append",),
            turns=(
                _asked("Add a row for pens with the price 3 to list.csv."),
                _call("append list.csv", "pens,3"),
                _output("append", "Appended 1 line to list.csv (now 4 lines)."),
                _said("Done."),
            ),
        ),
        WorkedExample(
            tools=("save",),
            turns=(
                _asked("Create a script ten.py that prints 5 times 2."),
                _call("save ten.py", "print(5 * 2)"),
                _output("save", "Saved ten.py (1 line, new file), not run."),
                _said("Done."),
            ),
        ),
        WorkedExample(
            tools=("shell",),
            turns=(_asked("Copy hi.py to old.py."), _call("shell", "cp hi.py old.py"), _output("shell", "(no output)"), _said("Done.")),
        ),
        WorkedExample(
            tools=("shell",),
            turns=(
                _asked("Change hi to hello in hi.py."),
                _call("shell", "sed -i 's/hi/hello/g' hi.py"),
                _output("shell", "(no output)"),
                _said("Done."),
            ),
        ),
        WorkedExample(
            tools=("save", "shell"),
            turns=(
                _asked("Write a script hi.py that prints hi, then run it."),
                _call("save hi.py", 'print("hi")'),
                _output("save", "Saved hi.py (1 line, new file), not run."),
                _call("shell", "python3 hi.py"),
                _output("shell", "hi"),
                _said("It printed hi."),
            ),
        ),
    ),
)
