"""Why a program ended, out of what it printed last."""

import re

_OURS = re.compile(r"run_benchmark\.py: (?:failed|interrupted|error): (.*)")
_NAME = re.compile(r"[\w.]{1,300}(?=:|$)")
_EXCEPTIONS = ("Error", "Exception", "Interrupt")  # how their names end
_KILLED = re.compile(r"(?:.*: )?(?:Killed|Segmentation fault|Aborted|Bus error|Illegal instruction)\b")
_TENSORFLOW = re.compile(r"(?:[\d\- :.]{0,40}: )?[EF] (?:external/\S{1,100}/)?tensorflow/\S{1,200}\] (.*)")


class Failure:
    """Collects the last words of a program out of the lines of its log."""

    def __init__(self) -> None:
        self._exception = ""
        self._killed = ""
        self._complaint = ""
        self._last = ""

    def see(self, line: str) -> None:
        """Take notice of one line."""
        line = line.strip()
        if not line:
            return
        self._last = line
        if self._exception.endswith("root error(s) found."):  # TensorFlow tells them on the lines below
            self._exception += f" {line}"
        elif match := _OURS.match(line):
            self._exception = match[1]
        elif (match := _NAME.match(line)) and match[0].endswith(_EXCEPTIONS):
            self._exception = line
        elif _KILLED.match(line):
            self._killed = line
        elif match := _TENSORFLOW.match(line):
            self._complaint = match[1]

    def message(self) -> str:
        """Return the last error: an exception, else the end by a signal, else a complaint of TensorFlow."""
        known = self._exception or self._killed or self._complaint
        return known or f"the log ends before the run does, with: {self._last}"
