"""`python -m benchmarks.topology`."""

import sys

from benchmarks import signals

if __name__ == "__main__":
    signals.end_without_a_word()
    from benchmarks.topology.command import main

    signals.interrupt()
    sys.exit(main())
