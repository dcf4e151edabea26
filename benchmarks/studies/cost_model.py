"""`python -m benchmarks.studies.cost_model`: how well the cost model predicts published figures."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.advice import rates
from benchmarks.advice.cost_model import Layout, Prediction, predict
from benchmarks.advice.platforms import PLATFORMS
from benchmarks.advice.series import LINKS, NEEDED, Series, fitted_and_judged, layout_of, read
from benchmarks.advice.traffic import STRATEGIES
from benchmarks.bandwidth import percentile
from benchmarks.errors import UserError
from benchmarks.studies import report
from results.commands.arguments import count
from results.reference import FOLDER

DESCRIPTION = """\
Predict each series of a table of published figures from its figures of the fewest devices (two, mostly of 1 and 2) and
from what is known of the machines' links, and compare with the others. Beside the cost model stands the extrapolation
of the same two figures by t(n) = a + b (1 - 1/n), the time of a ring. Errors are predicted / published - 1.

With --devices nothing is judged: each series is predicted from the same figures for other numbers of devices, on as
many machines as they need, however many these are. A table of one's own with one or two figures will do.
"""
TELLING = (
    f"The table has the columns {', '.join(NEEDED)}; of num_workers (machines), num_ps, data, precision, date, "
    f"local_parameter_device, gradient_megabytes, {', '.join(LINKS)} those that it can tell.",
    f"Machines that are known: {', '.join(PLATFORMS)}.",
    f"Accelerators that are known: {', '.join(rates.accelerators())}.",
    f"For others tell {', '.join(LINKS)} by columns or flags: then each GPU has a link of its own.",
)
TABLE = FOLDER / "tf_benchmarks_2017.csv"
_MOST_DEVICES = 2**20  # several times the largest cluster that was told of (some 200,000 GPUs): more is a slip
GIVEN = (*LINKS, "variable_update", "batch_size_per_device")  # by flags, for rows that do not tell


@dataclass(frozen=True)
class Judged:
    """A series, what was predicted of it, and by how much that is off, relative; `plain_errors` of two-point's."""

    series: Series
    fitted: tuple[int, ...]
    predictions: tuple[Prediction, ...]
    errors: tuple[float, ...]
    plain_errors: tuple[float, ...]

    @property
    def within(self) -> int:
        """How many figures are within the bounds of their prediction."""
        pairs = ((each, self.series.figures[each.layout]) for each in self.predictions)
        return sum(each.low <= figure <= each.high for each, figure in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    return report.run(_parser(), study, arguments)


def study(options: argparse.Namespace) -> None:
    """Predict, compare, print and save. Raises UserError for a table with nothing to judge."""
    given = {name: getattr(options, name) for name in GIVEN}
    found = read(options.series, given)
    if options.devices:
        extrapolate(found, options)
        return
    judged = [judge(series, options.fit) for series in found if fitted_and_judged(series, options.fit)[1]]
    if not judged:
        raise UserError(
            f"--series={options.series}: no series goes beyond {options.fit} numbers of devices. Nothing to judge."
        )
    report.save(options.output, "cost_model", {"series": [_figures(each) for each in judged]})
    report.say(table(judged))
    if len(judged) < len(found):
        report.say(f"\nLeft out: {len(found) - len(judged)} series of {options.fit} numbers of devices or fewer.")
    report.say("\n" + summary(judged))


def extrapolate(found: Sequence[Series], options: argparse.Namespace) -> None:
    """Predict each series for other numbers of devices, print and save. Raises UserError where none can be."""
    rows, saved, why = [], [], dict[str, None]()
    for series in found:
        try:
            figures, _ = fitted_and_judged(series, options.fit)
            predictions = predict(
                series.workload, series.machine, figures, [layout_of(series, each) for each in options.devices]
            )
        except UserError as error:  # of this series: its strategy is for one machine, or the network is not known
            why.setdefault(f"{series.name}: {error}")
            continue
        rows += [_row_of(series, figures, each) for each in predictions]
        saved.append(
            {"series": series.name, "strategy": series.strategy, "from_devices": [each.devices for each in figures],
             "predictions": [{**vars(each), "layout": vars(each.layout)} for each in predictions]}
        )  # fmt: skip
    if not rows:
        raise UserError(f"--devices: no series can be predicted. {' '.join(why) or 'The table has no figure.'}")
    report.save(options.output, "cost_model", {"series": saved})
    headings = ["series", "strategy", "from", "devices", "machines", "images/s", "nine in ten", "computing", "busiest"]
    report.say("\n".join([report.table(headings, rows), *(f"\nNot predicted: {each}" for each in why)]))


def _row_of(series: Series, figures: Iterable[Layout], each: Prediction) -> list[str]:
    return [
        series.name,
        f"{series.strategy} {series.workload.place}".strip(),
        ", ".join(str(layout.devices) for layout in figures),
        str(each.layout.devices),
        str(each.layout.machines),
        f"{each.images_per_second:,.1f}",
        f"{each.low:,.1f} to {each.high:,.1f}",
        f"{each.compute_seconds / each.step_seconds:.0%}",
        each.busiest,
    ]


def judge(series: Series, fit: int) -> Judged:
    """`series` predicted from its first `fit` figures."""
    figures, layouts = fitted_and_judged(series, fit)
    predictions = predict(series.workload, series.machine, figures, layouts)
    errors = tuple(each.images_per_second / series.figures[each.layout] - 1 for each in predictions)
    seconds = {layout.devices: layout.devices / figure for layout, figure in figures.items()}
    plain = tuple(two_point(seconds, layout.devices) / series.figures[layout] - 1 for layout in layouts)
    return Judged(series, tuple(seconds), predictions, errors, plain)


def two_point(seconds: dict[int, float], devices: int) -> float:
    """Images/sec of `devices` if a step takes a + b (1 - 1/devices); `seconds` by devices, for one image of each."""
    (first, start), *rest = seconds.items()
    slope = 0.0
    for second, end in rest:
        slope = (end - start) / (1 / first - 1 / second)
    step = start + slope * (1 / first - 1 / devices)
    return devices / step if step > 0 else 0.0


def table(judged: Sequence[Judged]) -> str:
    """A row a series."""
    headings = ["series", "strategy", "from", "errors, %, by devices", "within", "two points, %"]
    return report.table(headings, [_row(each) for each in judged])


def summary(judged: Sequence[Judged]) -> str:
    """The median, nine in ten and worst of all errors, of the model and of the extrapolation."""
    ours = [error for each in judged for error in each.errors]
    plain = [error for each in judged for error in each.plain_errors]
    rows = [["cost model", *_spread(ours)], ["two points", *_spread(plain)]]
    text = report.table([f"{len(ours)} figures of {len(judged)} series", "median", "9 in 10", "worst"], rows)
    return f"{text}\n\n{sum(each.within for each in judged) / len(ours):.0%} are within the bounds of nine in ten."


def _spread(errors: Sequence[float]) -> list[str]:
    sizes = [abs(error) for error in errors]
    return [f"{percentile(sizes, percent):.1%}" for percent in (50, 90, 100)]


def _row(each: Judged) -> list[str]:
    devices = [prediction.layout.devices for prediction in each.predictions]
    errors = ", ".join(f"{number}: {100 * error:+.1f}" for number, error in zip(devices, each.errors, strict=True))
    plain = ", ".join(f"{100 * error:+.1f}" for error in each.plain_errors)
    strategy = f"{each.series.strategy} {each.series.workload.place}".strip()
    start = ", ".join(map(str, each.fitted))
    return [each.series.name, strategy, start, errors, f"{each.within} of {len(devices)}", plain]


def _figures(each: Judged) -> dict[str, object]:
    return {
        "series": each.series.name,
        "strategy": each.series.strategy,
        "from_devices": each.fitted,
        "predictions": [
            {**vars(prediction), "layout": vars(prediction.layout), "published": each.series.figures[prediction.layout],
             "error": error, "two_point_error": plain}
            for prediction, error, plain in zip(each.predictions, each.errors, each.plain_errors, strict=True)
        ],
    }  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = report.parser("cost_model", "\n".join([DESCRIPTION, *(textwrap.fill(each, 118) for each in TELLING)]))
    parser.add_argument("--series", type=Path, default=TABLE, metavar="FILE.csv", help="the table; else that of 2017")
    parser.add_argument(
        "--fit", type=int, choices=(1, 2), default=2, help="predict from so many figures of a series (default 2)"
    )
    parser.add_argument(
        "--devices", type=_devices, metavar="N,N", help="predict these numbers of devices instead, such as 256,1024"
    )
    parser.add_argument("--gpus_per_machine", metavar="N", default="", help="GPUs of a machine that is not known")
    parser.add_argument("--gpu_link_GBs", metavar="GB/s", default="", help="rated speed of a GPU's link, each way")
    parser.add_argument(
        "--network_gbit_per_sec", metavar="Gbit/s", default="", help="rated speed of a machine's network, each way"
    )
    parser.add_argument(
        "--variable_update", choices=STRATEGIES, default="", help="the strategy of rows that do not tell theirs"
    )
    parser.add_argument(
        "--batch_size_per_device", metavar="N", default="", help="images of rows that do not tell theirs"
    )
    return parser


def _devices(text: str) -> list[int]:
    numbers = [count(each.strip()) for each in text.split(",")]
    if max(numbers) > _MOST_DEVICES:
        raise argparse.ArgumentTypeError(f"must be at most {_MOST_DEVICES:,}, one is {max(numbers):,}")
    return list(dict.fromkeys(numbers))


if __name__ == "__main__":
    sys.exit(main())
