"""What a folder of TFRecord files says about itself, so that a record can tell a sample from the published data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.errors import UserError

MANIFEST = "dataset.json"


@dataclass(frozen=True)
class Manifest:
    """The data set's name, what it was made from, and the number of examples in each file.

    `source` is "published archive", "sample" (generated images), "other archive" or "folder of images". Sets made from
    a folder have no checksums; they say the bytes of each file, the names of the images that were not as they should be
    by what was wrong with them, and the digest of the plan by which images were put into files.
    """

    name: str
    source: str
    archive: str
    examples: Mapping[str, int]
    archive_md5: str = ""
    archive_sha256: str = ""
    file_bytes: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    plan: str = ""

    @property
    def is_sample(self) -> bool:
        """Whether the images are generated."""
        return self.source == "sample"

    def write(self, folder: Path) -> None:
        """Write the manifest into `folder`."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in `folder`, or None where there is none: TFRecord files can come from elsewhere.

    Raises UserError if there is one that cannot be understood.
    """
    path = folder / MANIFEST
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**{**fields, "examples": {str(file): int(count) for file, count in fields["examples"].items()}})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"Cannot read {path}: {type(error).__name__}: {error}. "
            "Remove it if it is not this project's, or make the data set again."
        ) from error
