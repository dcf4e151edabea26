"""Fresh runs that never ran."""

from benchmarks.studies.fresh_runs import FreshRun


def fresh_run(images_per_second, first_step_at_seconds=5.0, peak_mib=700.0, **more):
    return FreshRun(images_per_second, first_step_at_seconds, peak_mib, **more)


def in_turn(*values):
    """A function that returns one value a call."""
    remaining = iter(values)
    return lambda: next(remaining)


def rows(table):
    """The cells of a Markdown table, head and rule left out."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
