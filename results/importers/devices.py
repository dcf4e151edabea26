"""The GPUs that TensorFlow names in its log, in the words of all its versions."""

import re

# Before 2.4 "Found device 0 with properties:" and the name on one of the next lines, in several arrangements;
# all versions say of each device that is used "-> physical GPU (device: 0, name: Tesla K80, pci bus id: ...".
_FOUND = re.compile(r"Found device (\d{1,4}) with properties:")
_NAME = re.compile(r"\bname: (.{1,200}?)(?: major:| computeCapability:| {1,20}ROCm AMD GPU ISA:|$)")
_CREATED = re.compile(r"-> (?:physical GPU \()?device: (\d{1,4}), name: ([^,]{1,200}), pci bus id")
_LINES_TO_NAME = 3


class Devices:
    """Collects the GPUs out of the lines of a log."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._found: int | None = None
        self._lines_left = 0

    def see(self, line: str) -> None:
        """Take notice of one line."""
        if "device" not in line and not self._lines_left:
            return
        if self._lines_left:
            self._lines_left -= 1
            if match := _NAME.search(line):
                self._keep(self._found or 0, match[1])
                self._lines_left = 0
        if match := _FOUND.search(line):
            self._found, self._lines_left = int(match[1]), _LINES_TO_NAME
            if name := _NAME.search(line, match.end()):
                self._keep(self._found, name[1])
        elif match := _CREATED.search(line):
            self._keep(int(match[1]), match[2])

    def gpus(self) -> list[dict[str, object]]:
        """Return the GPUs as a record's `hardware` has them."""
        return [{"index": index, "name": name} for index, name in sorted(self._names.items())]

    def _keep(self, index: int, name: str) -> None:
        self._names.setdefault(index, name.strip())
