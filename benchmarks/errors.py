"""The error that a user can mend, and what the process's exit code says."""

import enum


class UserError(Exception):
    """Something the user gave or has cannot be used.

    The message names the thing, the value, the reason and the way out. It is printed without a traceback (with one on
    --debug) and the process ends with `ExitCode.UNUSABLE`.
    """


class ExitCode(enum.IntEnum):
    """How a process ended. Scripts depend on these numbers."""

    VALID = 0
    FAILED = 1
    UNUSABLE = 2  # flags, files or devices that cannot be used
    INVALID = 3  # the run completed, but its figures must not be used
    CANNOT_RUN_HERE = 77  # a study of what this machine lacks; skipped tests end so with automake and Meson
    INTERRUPTED = 130  # by Ctrl-C, as shells number it
    TERMINATED = 143  # by SIGTERM
