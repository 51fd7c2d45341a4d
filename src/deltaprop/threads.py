"""Whether steps go faster with several threads or with one: found by trying, since no bit depends on it."""

from __future__ import annotations

from collections import deque

SEVERAL, ONE = 0, 1  # as the engine takes them: as many as it thinks the work is worth, or one
_TRIES = 3  # of each, the latest, of which the fastest counts
_AGAIN = 50  # pieces until the slower one is tried again


class Threads:
    """How descent shares its work, piece by piece.

    What a further thread brings depends on the machine: where cores are far apart, or shared with others, it may cost
    more than it brings, for all but wide networks.

    Examples
    --------
    >>> threads = Threads()
    >>> for seconds in (3.0, 1.0, 2.0, 1.1):         # several, one, several, one
    ...     threads.took(threads.choice(), seconds, 100)
    >>> threads.choice() == ONE
    True
    """

    def __init__(self) -> None:
        self._tried = (deque[float](maxlen=_TRIES), deque[float](maxlen=_TRIES))  # seconds of a sample
        self._pieces = 0
        self._faster = SEVERAL

    def choice(self) -> int:
        """Return what the next piece is to have."""
        if self._pieces < 4:
            return self._pieces % 2
        return self._faster if self._pieces % _AGAIN else 1 - self._faster

    def took(self, threads: int, seconds: float, samples: int) -> None:
        """Note how long a piece of so many samples took."""
        self._pieces += 1
        self._tried[threads].append(seconds / samples)
        if self._pieces > 1:
            self._faster = ONE if min(self._tried[ONE]) < min(self._tried[SEVERAL]) else SEVERAL
