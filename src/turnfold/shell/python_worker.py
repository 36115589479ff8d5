"""The program inside a Python worker: runs pieces of code that it is sent, in one namespace, until its control pipe ends.

Started by file name (``python -P …/python_worker.py CONTROL RESULT LIFELINE``), never imported; it imports nothing of turnfold and
as little as it can, since its start is what the first call waits for. A message on CONTROL is a length (8 bytes) and
source text. What the code prints, a traceback, the value of the last expression and the names of figures go to descriptor 1 and 2; the
answer on RESULT is one byte: ``+``, or ``-`` for code that failed. First of all LIFELINE is told the process id (see ``child``), unless
it is negative. CONTROL may be 0, standard input; then it is RESULT, too.
"""

import io
import os
import sys
from _signal import SIGINT, signal  # type: ignore[import-not-found]  # typeshed has only signal, whose enums cost 4 ms
from types import CodeType, FrameType, ModuleType

ONLY_AST = 0x400  # ast.PyCF_ONLY_AST; ast itself costs 4 ms to import
LENGTH_BYTES = 8


def no_input(_prompt: object = "") -> str:
    """Stands for ``input``."""
    raise EOFError("input() can't be answered here, nobody is typing: put the value into the code.")


class Worker:
    """One namespace, and what it takes to run code in it."""

    __slots__ = ("main", "outputs", "pid", "running", "sources", "streams")

    def __init__(self) -> None:
        self.main = ModuleType("__main__")
        self.sources: dict[str, str] = {}
        self.running = False
        self.pid = os.getpid()
        self.streams = (sys.stdout, sys.stderr)
        self.outputs = (os.dup(1), os.dup(2))
        import builtins  # the one in ``main`` must be the one we change

        self.main.__dict__["__builtins__"] = builtins
        builtins.input = no_input
        sys.modules["__main__"] = self.main
        sys.argv = [""]
        sys.path.insert(0, "")  # modules in the current folder, as at Python's own prompt

    def run(self, source: str) -> bool:
        """Run ``source``; whether it came to its end."""
        name = f"<python {len(self.sources) + 1}>"
        self.sources[name] = source
        sys.stdout, sys.stderr = self.streams  # whatever the last piece left there
        os.dup2(self.outputs[0], 1)
        os.dup2(self.outputs[1], 2)
        signal(SIGINT, self.interrupted)
        try:
            self.running = True
            self.execute(source, name)
            save_figures()
            self.running = False
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the code raises is its answer
            self.running = False
            self.show(error)
            return False
        finally:
            self.flush()
        return True

    def execute(self, source: str, name: str) -> None:
        """Run all statements; print the value of the last, if it is an expression with one."""
        import _ast

        tree = compile(source, name, "exec", ONLY_AST, dont_inherit=True)
        assert isinstance(tree, _ast.Module)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
        exec(code_of(tree, name, "exec"), self.main.__dict__)  # noqa: S102 - this is what a worker is for
        if isinstance(last, _ast.Expr):
            value = eval(code_of(_ast.Expression(last.value), name, "eval"), self.main.__dict__)
            if value is not None:
                print(shown(value))

    def interrupted(self, _number: int, _frame: FrameType | None) -> None:
        """SIGINT stops the code that runs; between two pieces it is too late, and nothing happens."""
        if self.running:
            self.running = False
            raise KeyboardInterrupt

    def show(self, error: BaseException) -> None:
        """Print the traceback, without the frames that are ours."""
        import linecache
        import traceback

        for name, source in self.sources.items():
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        self.flush()
        try:
            report = traceback.TracebackException.from_exception(error)
            linked: list[traceback.TracebackException | None] = [report]
            while linked:
                if (part := linked.pop()) is not None:
                    part.stack[:] = [frame for frame in part.stack if frame.filename != __file__]
                    linked += [part.__cause__, part.__context__, *(part.exceptions or ())]
            text = "".join(report.format())
        except BaseException as again:  # noqa: BLE001 - a __str__ that raises, say
            text = f"{type(error).__name__} (it can't be shown: {type(again).__name__})\n"
        os.write(self.outputs[1], text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Send on what Python and C still hold back, so that all output is there before the answer."""
        for stream in (sys.stdout, sys.stderr, *self.streams):
            with Quiet():  # closed or replaced by the code: its own affair
                stream.flush()
        with Quiet():  # a Python without ctypes: C output comes late
            import ctypes

            ctypes.CDLL(None).fflush(None)


class Quiet:
    """Ignores what its block raises; contextlib, which has this, costs time to import."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> bool:
        return True


def shown(value: object) -> str:
    """``repr(value)``, or what can be said of a value that has none."""
    try:
        return repr(value)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the code is done, and so is its value: only showing it failed
        return f"{object.__repr__(value)} (its repr raised {type(error).__name__})"


def save_figures() -> None:
    """Save the figures that the code drew as files in the current folder, name them, and close them, where it uses matplotlib.

    It is never imported here: code that did is where it comes from.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    try:
        for number in pyplot.get_fignums():
            name = unused_name()
            pyplot.figure(number).savefig(name)
            print(f"[figure saved as {name}]")
        pyplot.close("all")
    except Exception as error:  # noqa: BLE001 - a module of that name can be anything
        print(f"[the figures could not be saved: {type(error).__name__}: {error}]")


def unused_name() -> str:
    """The first of figure-1.png, figure-2.png … that there is no file of."""
    number = 1
    while os.path.lexists(name := f"figure-{number}.png"):
        number += 1
    return name


def code_of(tree: object, name: str, mode: str) -> CodeType:
    """``tree`` compiled."""
    code = compile(tree, name, mode, dont_inherit=True)  # type: ignore[call-overload]
    assert isinstance(code, CodeType)
    return code


def receive(control: io.BufferedReader) -> str | None:
    """The next message, None at the end."""
    length = control.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    return control.read(int.from_bytes(length, "big")).decode("utf-8")


def main() -> None:
    """Answer messages until there are no more."""
    control, result, lifeline = (int(word) for word in sys.argv[1:4])
    if lifeline >= 0:
        os.write(lifeline, b"%d\n" % os.getpid())
        os.close(lifeline)
    if control == 0:  # in a sandbox, into which no other descriptor is let
        control = result = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    for descriptor in (control, result):
        os.set_inheritable(descriptor, False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    worker = Worker()
    with open(control, "rb", closefd=False) as messages:
        while (source := receive(messages)) is not None:
            done = worker.run(source)
            if os.getpid() != worker.pid:
                os._exit(0)  # a fork that the code made and let run on: the messages are its parent's
            os.write(result, b"+" if done else b"-")


if __name__ == "__main__":
    main()
