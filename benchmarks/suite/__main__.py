"""`python -m benchmarks.suite SUITE.yaml --results_dir=DIR`."""

import sys

from benchmarks import signals

if __name__ == "__main__":
    signals.end_without_a_word()
    from benchmarks.suite.command import main

    signals.interrupt()
    sys.exit(main())
