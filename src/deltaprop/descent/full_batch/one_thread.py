"""NumPy's and SciPy's linear algebra on one thread: the bits of its products depend on how many there are."""

from __future__ import annotations

import threading
from typing import Any


class OneThread:
    """A context; the number of threads belongs to the process, so the first one in sets it, the last one out resets it.

    Examples
    --------
    >>> with ONE_THREAD, ONE_THREAD:
    ...     largest = max(library.num_threads for library in ONE_THREAD.libraries())
    >>> largest
    1
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._controller: Any = None
        self._limit: Any = None

    def libraries(self) -> Any:
        """Return the libraries that are meant."""
        if self._controller is None:
            import scipy.linalg  # noqa: F401  # here, for who never needs it; its library has to be there to be found
            from threadpoolctl import ThreadpoolController

            self._controller = ThreadpoolController().select(user_api="blas")
        return self._controller.lib_controllers

    def __enter__(self) -> None:
        with self._lock:
            self.libraries()
            if not self._inside:
                self._limit = self._controller.limit(limits=1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


ONE_THREAD = OneThread()
