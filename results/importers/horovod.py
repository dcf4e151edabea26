"""What Horovod's synthetic benchmarks print (TensorFlow 1 and 2, Keras, PyTorch, MXNet).

`+-` is 1.96 times the standard deviation over the iterations. Rows are of one device, so they are multiplied by the
number of devices, as the program itself does for its total. The warm-up and the losses are not printed.
"""

import re
from collections.abc import Iterable

from results.importers.failure import Failure
from results.importers.figures import count, finite
from results.importers.run import Run
from results.reported import ReportedRow

SIGNATURE = re.compile(r"(?:\[[\d,]{1,9}\]<stdout>:)?(?:Iter #\d+: \S+ img/sec per |Total img/sec on \d+ )")
_RANK = re.compile(r"\[[\d,]{1,9}\]<std(?:out|err)>:\s*")  # what horovodrun and mpirun prefix
_FACT = re.compile(r"(Model|Batch size|Number of [CG]PUs):\s+(\S.{0,200})")
_ITERATION = re.compile(r"Iter #(\d{1,9}): (\S{1,40}) img/sec per ")
_TOTAL = re.compile(r"Total img/sec on (\d{1,9}) ([CG]PU)\(s\): (\S{1,40}) \+-\s?(\S{1,40})")


def read(lines: Iterable[str]) -> list[Run]:
    """Return the run of a log."""
    run, facts, failure = Run(tool="horovod synthetic benchmark", trained=False), dict[str, str](), Failure()
    iterations: list[tuple[int, float | None]] = []
    for line in lines:
        text = line[match.end() :] if (match := _RANK.match(line)) else line
        if match := _FACT.match(text):
            facts.setdefault(match[1], match[2])
        elif match := _ITERATION.match(text):
            if len(iterations) < 1000:
                iterations.append((int(match[1]), finite(match[2])))
        elif (match := _TOTAL.match(text)) and not run.complete:
            facts[f"Number of {match[2]}s"] = match[1]
            run.images_per_second, run.uncertainty = finite(match[3]), finite(match[4])
            run.complete = run.images_per_second is not None
        failure.see(text)
    _describe(run, facts)
    for step, speed in iterations:
        together = speed * run.num_towers if speed is not None and run.num_towers else None
        run.add_row(ReportedRow(step=step, images_per_second=together))
    if not run.complete:
        run.message = failure.message()
    return [run]


def _describe(run: Run, facts: dict[str, str]) -> None:
    gpus, cpus = count(facts.get("Number of GPUs")), count(facts.get("Number of CPUs"))
    run.num_towers = gpus or cpus
    run.batch_size = count(facts.get("Batch size"))
    run.dataset = {"synthetic": True}
    run.configuration = {"variable_update": "horovod"}
    if "Model" in facts:
        run.model = {"name": facts["Model"]}
        run.configuration["model"] = facts["Model"]
    if run.batch_size:
        run.configuration["batch_size"] = run.batch_size
    if run.num_towers:
        run.configuration["device"] = "gpu" if gpus else "cpu"
