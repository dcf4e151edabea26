"""Child processes that do not outlive this one."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def start_python(words: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Start Python with `words`, to be killed when this process ends; `options` are those of subprocess.Popen.

    It has a session of its own: a terminal's Ctrl-C is for this process to pass on.
    """
    return subprocess.Popen(
        [sys.executable, *words],
        text=True,
        start_new_session=True,
        preexec_fn=_killed_with_this_process(),
        **options,
    )


# Asked for before the program begins, and kept by what it becomes: see _killed_with_this_process.
_TIED = f"""\
import ctypes, os, sys
ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, {int(signal.SIGKILL)})
os.getppid() == int(sys.argv[1]) or sys.exit({128 + signal.SIGKILL})
os.execv(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> list[str]:
    """`command`, whose first word is a path, as one that is killed when this process ends, which starts it.

    For processes that have threads, which may run no code of their own in a child before its program begins. It has to
    be started in the main thread. Systems other than Linux have `command` as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *command]


def _killed_with_this_process() -> Callable[[], None] | None:
    """What a child does before its program begins, as subprocess's `preexec_fn`, to be killed when this process ends.

    Linux does it, however this process ends: SIGKILL leaves it no time to end anybody. It counts as ended when the
    thread that started the child does, so start children in the main thread; and before there are others, which a child
    does not inherit but their locks. None on other systems.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before it was heard
            os._exit(128 + signal.SIGKILL)

    return prepare
