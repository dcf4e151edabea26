"""The header block of tf_cnn_benchmarks' output, in the names of our flags."""

import re
from typing import Any

from results.importers.figures import count, finite
from results.importers.run import Run

_END = "=========="
_FIELD = re.compile(r"\s*([A-Z][A-Za-z ]{1,24}):\s+(\S.{0,2000})$")
_PER_DEVICE = re.compile(r"\s*(\d{1,12}) per device$")
_DATASET = re.compile(r"(\S+)(?: \((synthetic|sample)\))?$")
_DEVICE = re.compile(r"'([^']{1,200})'")
_PLAIN = {"Optimizer": "optimizer", "Data format": "data_format", "Variables": "variable_update"}
_MODES: dict[str, dict[str, Any]] = {
    "training": {"forward_only": False, "eval": False},
    "forward only": {"forward_only": True, "eval": False},
    "evaluation": {"forward_only": False, "eval": True},
    "input only": {"forward_only": False, "eval": False, "input_only": True},
    "training + evaluation": {"forward_only": False, "eval": False, "eval_during_training": True},
}


class Header:
    """Collects the header block out of the lines of a log."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._ended = False

    def see(self, line: str) -> None:
        """Take notice of one line."""
        if self._ended:
            return
        if line.strip() == _END:
            self._ended = bool(self.values)
        elif match := _PER_DEVICE.match(line):
            self.values.setdefault("per device", match[1])
        elif (match := _FIELD.match(line)) and (self.values or match[1] == "TensorFlow"):
            self.values.setdefault(match[1], match[2])

    def describe(self, run: Run) -> None:
        """Write what the block says into `run`."""
        values = self.values
        run.configuration = self._configuration()
        run.batch_size = count(values.get("per device"))
        run.num_towers = self._num_towers(run.batch_size)
        run.trained = not any(run.configuration.get(mode) for mode in ("forward_only", "eval", "input_only"))
        if version := values.get("TensorFlow"):
            run.environment = {"packages": {"tensorflow": version}}
        if model := values.get("Model"):
            run.model = {"name": model}
        if match := _DATASET.match(values.get("Dataset", "")):
            run.dataset = {"name": match[1], "synthetic": match[2] == "synthetic", "sample": match[2] == "sample"}

    def _configuration(self) -> dict[str, Any]:
        values, found = self.values, dict[str, Any]()
        if "Model" in values:
            found["model"] = values["Model"]
        if match := _DATASET.match(values.get("Dataset", "")):
            found["data_name"] = match[1]
            if match[2] == "synthetic":
                found["data_source"] = "generated on the device"  # as our own records call TCB's way
        found.update({flag: values[name] for name, flag in _PLAIN.items() if name in values})
        found.update(_MODES.get(values.get("Mode", ""), {}))
        if size := count(values.get("per device")):
            found["batch_size"] = size
        if batches := count(values.get("Num batches")):
            found["num_batches"] = batches
        if (epochs := finite(values.get("Num epochs"))) is not None:
            found["num_epochs"] = epochs
        found.update(_devices(_DEVICE.findall(values.get("Devices", ""))))
        found.update(_switches(values))
        return found

    def _num_towers(self, per_device: int | None) -> int | None:
        """The devices of all workers: TCB's global batch is the batch of a device times their number."""
        together = count(self.values.get("Batch size", "").removesuffix(" global"))
        if together and per_device and together % per_device == 0:
            return together // per_device
        return None


def _devices(names: list[str]) -> dict[str, Any]:
    kinds = {name.rpartition("/")[2].partition(":")[0].lower() for name in names}
    found: dict[str, Any] = {}
    if len(kinds) == 1 and kinds <= {"gpu", "cpu"}:
        found["device"] = kinds.pop()
    if names:  # with Horovod there is one device a process, and the list is of the processes
        found["num_gpus"] = 1 if names[0].startswith("horovod/") else len(names)
    return found


def _switches(values: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if values.get("AllReduce", "None") != "None":
        found["all_reduce_spec"] = values["AllReduce"]
    if "Sync" in values:
        found["cross_replica_sync"] = values["Sync"] == "True"
    if "Staged vars" in values:
        found["staged_vars"] = values["Staged vars"] == "True"
    if "Horovod on" in values:
        found["horovod_device"] = values["Horovod on"]
    if "RewriterConfig" in values:
        found["rewriter_config"] = values["RewriterConfig"]
    return found
