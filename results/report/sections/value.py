"""What one gets for it: images per second per device, per watt and for money; time and cost of an epoch."""

from results import durations
from results.reference.hardware import RATED_POWER, thermal_design_power
from results.report.drawing import Line, pareto
from results.report.material import Group, Material, words
from results.report.page import Figure, Section, drawn, number, table
from results.report.sections.headline import best, by
from results.report.svg import Draw

EPOCH_IMAGES = {"imagenet": 1_281_167, "cifar10": 50_000}  # training images, as published
_HEADINGS = (
    "model",
    "accelerator",
    "+setting",
    ">devices",
    ">images/s",
    ">per device",
    ">per watt (TDP)",
    "watts",
)


def section(material: Material, draw: Draw) -> Section | None:
    """A table over the same groups as the headline's, and, where prices are given, throughput against cost."""
    groups = [group for group in best(material) if group.devices]
    if not groups:
        return None
    currency = material.prices.currency
    rows = [_row(group, material) for group in groups]
    rated = any(thermal_design_power(group.device_name) for group in groups)
    headings = (*_HEADINGS, f">images per {currency}", ">epoch", f">{currency} per epoch", "data")
    priced = [group for group in groups if cost_per_million(group, material) is not None]
    parts = [part for part in by(priced, "model", "dataset") if len(part) > 1]
    figures, note = drawn(parts, lambda part: _figure(part, material, draw), "models and data sets")
    return Section(
        "value",
        "Per device, per watt, for money",
        (*_definitions(material, rated), *note),
        (table(headings, rows, f"What one gets for it{f'. Watts: {RATED_POWER}' * rated}", folded=True),),
        figures,
    )


def epoch_images(group: Group) -> int | None:
    """Training images of an epoch: the record's own number, or else the published one; None where neither is known.

    Of synthetic images, and of a sample, whose speed is that of the real ones, an epoch of those is meant.
    """
    record = group.records[0]
    own = record.dataset.get("examples")
    real = not record.dataset.get("synthetic") and not record.dataset.get("sample")
    if real and type(own) is int and own > 0:
        return own
    return EPOCH_IMAGES.get(group.facts["dataset"].split(" ")[0])


def cost_per_million(group: Group, material: Material) -> float | None:
    """What a million images cost: devices * price per hour / images per hour * 1,000,000."""
    price = material.prices.of(group.device_name)
    return None if price is None else (group.devices or 0) * price / (3600 * group.images_per_second) * 1e6


def _definitions(material: Material, rated: bool) -> tuple[str, ...]:
    per_watt = (
        f"Per watt: images per second over devices times watts of one. Watts are the {RATED_POWER}: the thermal design "
        "power that the vendor states of a device. What was drawn may be less, and the host is in none of the figures."
    )
    told = [
        *([per_watt] if rated else []),
        "Epoch: as many images as the record says of real data; of synthetic images and of a sample what the whole "
        "data set has, 1,281,167 for ImageNet, 50,000 for CIFAR-10.",
    ]
    prices = material.prices
    if prices.per_hour:
        listed = ", ".join(f"{name} {price:g}" for name, price in prices.per_hour.items())
        told.append(f"Prices as given for this report, {prices.currency} per device and hour: {listed}.")
        bare = [name for name in material.device_names if prices.of(name) is None]
        if bare:
            told.append(f"Without a price: {', '.join(bare)}.")
    return tuple(told)


def _row(group: Group, material: Material) -> tuple[str, ...]:
    facts, devices = group.facts, group.devices or 1
    watts = thermal_design_power(group.device_name)
    cost = cost_per_million(group, material)
    images = epoch_images(group)
    return (
        facts["model"],
        facts["accelerator"],
        words(group, ("platform", "precision", "batch_size")),
        facts["num_gpus"],
        number(group.images_per_second),
        number(group.images_per_second / devices),
        number(group.images_per_second / devices / watts.watts) if watts else "-",
        f"{watts.watts:g} W, {watts.basis}" if watts else "-",
        number(1e6 / cost) if cost else "-",
        durations.figure(images / group.images_per_second) if images else "-",
        f"{cost * images / 1e6:,.2f}" if cost and images else "-",
        facts["dataset"],
    )


def _figure(part: list[Group], material: Material, draw: Draw) -> Figure:
    points = [(cost_per_million(group, material) or 0.0, group.images_per_second) for group in part]
    front = frontier(points)
    unit = f"{material.prices.currency} per million images"
    lines = [
        Line(words(group, ("accelerator", "platform", "precision", "num_gpus")), [cost], [speed], style)
        for style, (group, (cost, speed)) in enumerate(zip(part, points, strict=True))
    ]
    title = words(part[0], ("model", "dataset"))
    rows = [
        (line.label, number(line.y[0]), f"{line.x[0]:.4g}", "yes" if point in front else "no")
        for line, point in zip(lines, points, strict=True)
    ]
    text = f"Throughput against cost, {title}: " + "; ".join(
        f"{row[0]} {row[1]} images/s at {row[2]} {unit}" for row in rows
    )
    svg = draw(pareto, lines, front, unit, size=(4.9, 3.1 + 0.19 * len(lines)))
    return Figure(title, text, svg, table(("setting", ">images/s", f">{unit}", "nothing is better"), rows))


def frontier(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (cost, throughput) those that no other is both at most as costly and at least as fast as, by cost."""
    found: list[tuple[float, float]] = []
    for cost, speed in sorted(set(points), key=lambda point: (point[0], -point[1])):
        if not found or speed > found[-1][1]:
            found.append((cost, speed))
    return found
