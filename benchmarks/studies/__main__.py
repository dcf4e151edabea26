"""Measure what the performance guide claims; the command is in claims/command.py."""

import sys

from benchmarks.studies.claims.command import main

if __name__ == "__main__":
    sys.exit(main())
