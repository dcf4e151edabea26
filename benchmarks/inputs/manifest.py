"""What a folder of TFRecord files says about itself, so that a record can tell a sample from the published data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.errors import UserError

MANIFEST = "dataset.json"


@dataclass(frozen=True)
class Manifest:
    """The data set's name, the archive it was made from, and the number of examples in each file.

    `source` is "published archive", "sample" (generated images) or "other archive".
    """

    name: str
    source: str
    archive: str
    archive_md5: str
    archive_sha256: str
    examples: Mapping[str, int]

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
