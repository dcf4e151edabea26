"""Under which conditions a record came about, as flat facts: what two records must share to be compared."""

from typing import Any

from results.frame import gpus_of_run, hardware
from results.record import RunRecord
from results.schema import section

# What a run ran with. A difference in HARDWARE makes figures incomparable; one in software may be what is looked for.
SOFTWARE = (
    "tensorflow", "numpy", "python", "driver", "cudnn", "nccl", "power_limit", "governor", "turbo", "container",
    "commit", "kernel",
)  # fmt: skip


def conditions(record: RunRecord) -> dict[str, str]:
    """Return the facts of HARDWARE and SOFTWARE that are known of `record`, as text."""
    cpu = section(record.hardware, "cpu")
    packages = section(record.environment, "packages")
    libraries = section(record.environment, "libraries")
    facts = {
        **hardware(record),
        "tensorflow": packages.get("tensorflow"),
        "numpy": packages.get("numpy"),
        "python": record.environment.get("python"),
        "driver": record.hardware.get("driver"),
        "cudnn": libraries.get("cudnn"),
        "nccl": libraries.get("nccl"),
        "power_limit": _power_limit(record),
        "governor": cpu.get("governor"),
        "turbo": {True: "on", False: "off"}.get(cpu["turbo"]) if isinstance(cpu.get("turbo"), bool) else None,
        "container": _container(record),
        "commit": section(record.environment, "git").get("commit"),
        "kernel": record.environment.get("kernel"),
    }
    return {name: str(value) for name, value in facts.items() if value not in (None, "")}


def _container(record: RunRecord) -> Any:
    """Return the kind of container; "none" where it was looked for and there was none."""
    return record.environment["container"] or "none" if "container" in record.environment else None


def _power_limit(record: RunRecord) -> str | None:
    """Return what the GPUs may take, in watts each, where the run may have computed on them."""
    if record.configuration.get("device") == "cpu":
        return None
    limits = [gpu.get("power_limit_watts") for gpu in gpus_of_run(record) if isinstance(gpu, dict)]
    return (
        " and ".join(f"{watts:g} W" for watts in sorted({each for each in limits if isinstance(each, float)})) or None
    )


def settings(record: RunRecord) -> dict[str, Any]:
    """Return the flags that say what was measured, and the number of towers, as far as known."""
    found = dict(record.configuration)
    if record.num_towers is not None:
        found["num_gpus"] = record.num_towers
    if record.batch_size is not None:
        found["batch_size"] = record.batch_size
    return found
