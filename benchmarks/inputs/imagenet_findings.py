"""Images that are not as they should be: what can be wrong with one, what becomes of it, and how many are too many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.errors import UserError
from benchmarks.inputs.shards import listed

KEPT = {"grayscale": "JPEG with one channel, kept: whoever reads it gets three"}
MENDED = {
    "CMYK": "JPEG with four channels, encoded anew as RGB",
    "PNG": "PNG, encoded anew as RGB JPEG",
}
LEFT_OUT = {
    "empty": "no bytes, left out",
    "damaged": "truncated or damaged, left out",
    "no JPEG": "neither JPEG nor PNG, left out",
    "unreadable": "the file cannot be read, left out",
}
OUTCOMES = KEPT | MENDED | LEFT_OUT


@dataclass
class Findings:
    """The images found so far, by kind; more than `max_bad` that were mended or left out are too many."""

    max_bad: int
    by_kind: dict[str, list[str]] = field(default_factory=dict)

    def add(self, image: str, kind: str) -> None:
        """Count `image`. Raises UserError with all that was found where it is one too many."""
        self.by_kind.setdefault(kind, []).append(image)
        if sum(len(images) for each, images in self.by_kind.items() if each not in KEPT) > self.max_bad:
            raise UserError(
                f"More than --max_bad={self.max_bad} images had to be mended or left out:\n{describe(self.by_kind)}\n"
                "Shards that are complete stay. Mend or remove these images, or give a higher --max_bad to go on."
            )


def describe(findings: Mapping[str, Sequence[str]]) -> str:
    """A line for each kind: how many, what became of them, and names."""
    lines = [f"  {len(images)} {kind} ({OUTCOMES[kind]}): {listed(images)}" for kind, images in findings.items()]
    return "\n".join(lines)
