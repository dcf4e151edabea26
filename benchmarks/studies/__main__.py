"""Measure what the performance guide claims; the command is in claims/command.py."""

import sys

from benchmarks import signals

if __name__ == "__main__":
    signals.end_without_a_word()
    from benchmarks.studies.claims.command import main

    signals.interrupt()
    sys.exit(main())
