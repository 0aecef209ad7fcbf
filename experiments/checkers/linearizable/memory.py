"""What a search remembers: the configurations that it has seen, window by window.

A *quiet point* is a moment at which no definite operation is open. Behind it nothing matters of what was before but the
state, and which operations of unknown outcome took effect; the search carries these over, one after another as it comes
to them. What it has seen inside a window that lies far behind is let go, so that memory does not grow with the length
of the history. That loses no linearization: should the search have to go back so far, it finds out anew.
"""

from collections import deque
from collections.abc import Hashable, Sequence

KEPT_WINDOWS = 64
KEPT_CONFIGURATIONS = 200_000  # as long as no more are held, all windows are kept


def windows(invoke_ns: Sequence[int], return_ns: Sequence[int]) -> list[int]:
    """The window in which each operation lies, in order of invocation; one more for the end."""
    numbers, window, last_ns = [], 0, None
    for call, end in zip(invoke_ns, return_ns, strict=True):
        if last_ns is not None and last_ns < call:
            window += 1
        last_ns = end if last_ns is None else max(last_ns, end)
        numbers.append(window)
    return [*numbers, window + 1]


class Memory:
    """Configurations seen, and for each the masks of unknown operations that had taken effect; none holds another."""

    def __init__(self, window_of: Sequence[int]) -> None:
        self.held = 0  # configurations remembered
        self._window_of = window_of
        self._seen: dict[int, dict[Hashable, tuple[int, ...]]] = {}
        self._kept: deque[int] = deque()  # windows in the order in which they were entered

    def is_new(self, lowest: int, configuration: Hashable, unknown: int) -> bool:
        """Whether nothing as good was seen; then it is remembered.

        Args:
            lowest: the first definite operation that has not taken effect, which says in which window this is.
        """
        window = self._window_of[lowest]
        seen = self._seen.get(window)
        if seen is None:
            seen = self._seen[window] = {}
            self._kept.append(window)
            if self.held > KEPT_CONFIGURATIONS and len(self._kept) > KEPT_WINDOWS:
                self.held -= len(self._seen.pop(self._kept.popleft()))
        known = seen.get(configuration, ())
        for mask in known:
            if mask & unknown == mask:
                return False
        self.held += not known
        seen[configuration] = (*(mask for mask in known if mask & unknown != unknown), unknown)
        return True
