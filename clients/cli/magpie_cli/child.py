"""Becomes another program that the kernel ends when the supervisor is gone, however that happened.

`python -m magpie_cli.child PARENT_PID PROGRAM ARGUMENT…`: a process asks for the signal about its parent's
death for itself, before it becomes the program; a function run between fork and exec is not safe when the
parent has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ties this process to its parent, then executes the program. Exits with 127 where that is impossible."""
    parent, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(parent):  # the parent died before the line above
        sys.exit(0)
    try:
        os.execvp(program, [program, *arguments])  # noqa: S606 (no shell is wanted)
    except OSError as error:
        sys.exit(f"magpie: cannot start {program}: {error.strerror}")


if __name__ == "__main__":
    main()
