"""How long a tree of logs takes to import: `python -m tests.results.importers.many_logs [LOGS]`; asserts nothing.

The tree is made of the real samples, each copy with other step times in place of its own, so that no two are alike.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLES = sorted((Path(__file__).parents[1] / "legacy_logs").glob("*.log"))


def plant(folder: Path, logs: int) -> None:
    """Write `logs` logs into folders as deep as the archive's, of 3 each."""
    for number in range(logs):
        sample = SAMPLES[number % len(SAMPLES)]
        path = folder / f"machine{number % 40}" / f"run{number // 3}" / "throughput" / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = sample.read_text(encoding="utf-8").replace("Initializing graph", f"Initializing graph\nlog {number}")
        path.write_text(f"log {number}\n{text}", encoding="utf-8")


def main(logs: int) -> None:
    """Make the tree, import it twice, and print how long that took."""
    with tempfile.TemporaryDirectory() as folder:
        tree, runs = Path(folder) / "tree", Path(folder) / "runs"
        plant(tree, logs)
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "results", "import", tree, f"--results_dir={runs}"], check=False)
            print(f"{time.perf_counter() - start:.1f} s")  # noqa: T201 # it is what this script is for
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{peak:.0f} MiB at most")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
