"""Options of what a run prints and writes."""

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.params.conditions import (
    TRAINS_WITH_TRAIN_DIR,
    WITH_LOG_DIR,
    WITH_PREFLIGHT,
    WITH_SUMMARIES,
    WITH_TRACE,
    WITH_TRACE_FILE,
)
from benchmarks.params.option import option


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What a run leaves behind."""

    TITLE: ClassVar[str] = "Console, records, traces and checkpoints"

    results_dir: str = option("runs", "Folder for the record of the run, one JSON file.", run_only=True)
    tag: str | None = option(
        None, "A word kept in the record, such as the name of a release, by which to find the run later.", run_only=True
    )
    record_hostname: bool = option(
        False,
        "Keep names of hosts in the record: this machine's, those of a cluster, and those in environment variables. "
        "Else they are left out, or stand as host-1, host-2 and so on. Passwords are left out in any case.",
        run_only=True,
    )
    preflight: bool = option(
        False,
        "Do not run, but look at what may spoil such a run (GPUs, their driver and settings, TensorFlow's build, load, "
        "clocks, memory, disks), say why it matters and what to do, and end: with exit code 2 if something stops it.",
        run_only=True,
    )
    preflight_file: str | None = option(
        None, "File for what --preflight finds, and for the machine, as JSON.", acts=WITH_PREFLIGHT, run_only=True
    )
    ignore_preflight: bool = option(
        False, "Run although something was found before that stops the run; it is a warning then.", run_only=True
    )
    display_every: int = option(10, "Steps between two lines of the table.", lower_bound=1, run_only=True)
    display_perf_ewma: float | None = option(
        None,
        "Weight of the newest step in the printed speed, as an exponentially weighted mean; where it is not "
        "given, the mean over all steps so far.",
        lower_bound=0.0,
        upper_bound=1.0,
        run_only=True,
    )
    telemetry_interval: float = option(
        1.0,
        "Seconds between two looks at GPUs (NVML) and host beside the measured window; 0: none.",
        lower_bound=0.0,
        upper_bound=3600.0,
        run_only=True,
    )
    allow_nonfinite_loss: bool = option(
        False, "Go on, and end with exit code 0, where the loss is not finite; the record says so.", run_only=True
    )
    debug: bool = option(False, "Print the traceback of an error.", run_only=True)
    trace_file: str = option(
        "",
        "File for a trace of a step, to open in ui.perfetto.dev or chrome://tracing; compressed where its name ends in "
        ".gz.",
        run_only=True,
    )
    use_chrome_trace_format: bool = option(
        True,
        "Write the trace in Chrome's format; --nouse_chrome_trace_format: as TensorFlow's profiler has it, a protocol "
        "buffer (XSpace).",
        acts=WITH_TRACE_FILE,
        tcb="the other format was StepStats, which TensorFlow 2 does not make",
        run_only=True,
    )
    trace_steps: str = option(
        "-2",
        "Steps to trace and profile, which are in no figure: FIRST:LAST, or one. Negative ones are steps of the "
        "warm-up, -1 its last. With FIRST from 1 on, the table pauses after that step, and LAST - FIRST + 1 steps are "
        "made and traced there.",
        acts=WITH_TRACE,
        tcb="it traced step -2, and profiled the first ten",
        run_only=True,
    )
    tfprof_file: str | None = option(
        None,
        "File for a table of the operations that took most time in the traced steps, or the first ten of them.",
        run_only=True,
    )
    graph_file: str | None = option(
        None,
        "File for the graph of the step, a GraphDef: as text where its name ends in .txt or .pbtxt, else binary.",
        run_only=True,
    )
    partitioned_graph_file_prefix: str | None = option(
        None,
        "Files for the graphs of the devices.",
        ignored="only a session of TensorFlow 1 hands them out",
        run_only=True,
    )
    debugger: str | None = option(
        None,
        "TensorFlow's debugger.",
        run_only=True,
        refused="it went with TensorFlow 1's sessions. Leave it out; --debug shows the traceback of an error.",
    )
    summary_verbosity: int = option(
        0,
        "What to write for TensorBoard into --train_dir, in pauses of the table. 1: loss, learning rate (of the step "
        "to come) and images a second; 2 and 3: histograms of the variables too.",
        lower_bound=0,
        upper_bound=3,
        run_only=True,
        tcb="2 and 3 had histograms of gradients, which never leave a step here, and 3 images",
    )
    save_summaries_steps: int = option(
        0, "Steps between two summaries.", lower_bound=0, acts=WITH_SUMMARIES, run_only=True
    )
    train_dir: str | None = option(
        None,
        "Folder for checkpoints, and for summaries. What has been trained there is gone on with; the last step, and "
        "that at which Ctrl-C or SIGTERM comes, leave a checkpoint, named by the steps of the training, those of the "
        "warm-up included. Each is of all variables, slots of the optimizer and what else the next step needs.",
        tcb="only the first tower's variables were saved, and the input began anew",
        run_only=True,
    )
    save_model_secs: int = option(
        0,
        "Seconds between checkpoints; 0: none but the last. Saving is in no step and in no window.",
        lower_bound=0,
        acts=TRAINS_WITH_TRAIN_DIR,
    )
    save_model_steps: int | None = option(
        None, "Steps of the training between checkpoints.", lower_bound=1, acts=TRAINS_WITH_TRAIN_DIR
    )
    max_ckpts_to_keep: int = option(
        5, "Checkpoints to keep; of more, the oldest go.", lower_bound=1, acts=TRAINS_WITH_TRAIN_DIR
    )
    benchmark_log_dir: str | None = option(
        None,
        "Folder for metric.log and benchmark_run.log too, two files of JSON that are written at the end of the run and "
        "replaced by the next.",
        tcb="it went on with the metric.log of earlier runs, and needed the TensorFlow models' repository",
        run_only=True,
    )
    benchmark_test_id: str | None = option(
        None, "Name of the run in benchmark_run.log.", acts=WITH_LOG_DIR, run_only=True
    )
