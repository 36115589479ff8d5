"""The program that starts another in a ``sandlock`` sandbox, and stays beside it as its supervisor.

Started by file name (``python -I -S …/launcher.py LIFELINE POLICY FOLDER PROGRAM …``) with an empty environment: it is not confined
itself, so nothing that a confined process left (a variable, a file) may say what it loads. LIFELINE is told the process id first of
all; POLICY is a descriptor to read the policy from; FOLDER has the package. Orphans of the sandbox become its children, and are killed
before it ends.
"""

import ctypes
import json
import os
import signal
import sys

CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
ROUNDS = 1000
MARK = "TURNFOLD_COMMAND"  # see kin


def children() -> list[int]:
    """The children of this process that live."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == os.getpid() and state not in b"ZX":
                found.append(int(name))
    return found


def end_orphans() -> None:
    """Kill what the sandbox left behind; whatever that leaves comes to us in turn."""
    for _ in range(ROUNDS):
        left = children()
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                continue


def main() -> None:
    """Start, wait, end."""
    lifeline, policy = int(sys.argv[1]), int(sys.argv[2])
    os.write(lifeline, b"%d\n" % os.getpid())
    os.close(lifeline)
    with open(policy, encoding="utf-8", errors="surrogatepass") as file:
        said = json.load(file)
    environment = {MARK: os.environ.get(MARK, ""), **said["environment"]}
    sys.path.append(sys.argv[3])
    from sandlock import Sandbox

    ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        code = Sandbox(**said["sandbox"], clean_env=True, env=environment).run_interactive(sys.argv[4:])
    except Exception as error:  # noqa: BLE001 - whatever the package raises is the answer
        os.write(2, f"The sandbox could not be made: {type(error).__name__}: {error}\n".encode("utf-8", "backslashreplace"))
        code = 126
    end_orphans()
    os._exit(code if 0 <= code < 256 else 137)


if __name__ == "__main__":
    main()
