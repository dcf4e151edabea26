"""Clocks for runs whose times are to be known."""

import threading


class LookedAt:
    """A clock that goes on by so many `seconds` when the run looks at it; who else looks finds it as it is."""

    def __init__(self, seconds=1.0):
        self.now = 0.0
        self._seconds = seconds

    def __call__(self):
        if threading.current_thread() is threading.main_thread():
            self.now += self._seconds
        return self.now
