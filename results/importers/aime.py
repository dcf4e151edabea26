"""What AIME's pytorch-benchmarks print, and write into their protocol file."""

import re
from collections.abc import Iterable
from typing import Any

from results.importers.failure import Failure
from results.importers.figures import count, finite, number
from results.importers.run import Run
from results.reported import ReportedRow

SIGNATURE = re.compile(r"(?:Epoch\W.{1,40}, )?Step\W.{1,40}, .{0,60}Images per second: |Mean images per second: ")
_FACT = re.compile(r"(Model|Batch size|Precision|Training data|PyTorch-version|Python-version|CPU): (\S.{0,200})")
_DRIVER = re.compile(r"Nvidia GPU driver version: (\S{1,40})")
_USED = re.compile(r"(\d{1,6}) GPU\(s\) used for benchmark")
_GPU = re.compile(r"(\d{1,4}): (\S.{0,200})")
_STEP = re.compile(r"\bStep:? ?\[?(\d{1,15})\b")
_SPEED = re.compile(r"\bImages per second: ([\w.+-]{1,40}?)(?:,|$)")
_LOSS = re.compile(r"\bLoss: ([\w.+-]{1,40}?)(?:,|$)")
_MEAN = re.compile(r"Mean images per second: (\S{1,40})")


def read(lines: Iterable[str]) -> list[Run]:
    """Return the run of a log."""
    run, facts, failure, gpus = Run(tool="AIME pytorch-benchmarks"), dict[str, str](), Failure(), dict[int, str]()
    for line in lines:
        if match := _MEAN.match(line):
            run.images_per_second = finite(match[1])
            run.complete = run.images_per_second is not None
        elif (step := _STEP.search(line)) and (speed := _SPEED.search(line)):
            loss = _LOSS.search(line)
            run.add_row(
                ReportedRow(
                    step=int(step[1]), images_per_second=finite(speed[1]), loss=number(loss[1]) if loss else None
                )
            )
        elif match := _USED.match(line):
            run.num_towers = count(match[1])
        elif match := _DRIVER.match(line):
            facts.setdefault("driver", match[1])
        elif match := _FACT.match(line):
            facts.setdefault(match[1], match[2].strip())
        elif (match := _GPU.match(line)) and run.num_towers and len(gpus) < run.num_towers:
            gpus.setdefault(int(match[1]), match[2])
        failure.see(line)
    _describe(run, facts, gpus)
    if not run.complete:
        run.message = failure.message()
    return [run]


def _describe(run: Run, facts: dict[str, str], gpus: dict[int, str]) -> None:
    run.batch_size = count(facts.get("Batch size"))
    found: dict[str, Any] = {"device": "gpu"} if gpus else {}
    found |= {flag: facts[name] for name, flag in (("Model", "model"), ("Precision", "precision")) if name in facts}
    if run.batch_size:
        found["batch_size"] = run.batch_size
    run.configuration = found
    run.model = {"name": facts["Model"]} if "Model" in facts else {}
    run.dataset = {"synthetic": True} if facts.get("Training data") == "Random images" else {}
    run.environment = {"packages": {"torch": facts["PyTorch-version"]}} if "PyTorch-version" in facts else {}
    if "Python-version" in facts:
        run.environment["python"] = facts["Python-version"]
    if gpus:
        run.hardware["gpus"] = [{"index": index, "name": name} for index, name in sorted(gpus.items())]
    if "driver" in facts:
        run.hardware["driver"] = facts["driver"]
    if "CPU" in facts:
        run.hardware["cpu"] = {"model": facts["CPU"]}
