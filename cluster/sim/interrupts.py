"""Interrupts between steps: Ctrl-C in the middle of a step would leave half of it in the journal."""

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE_S = 3.0  # after which a second interrupt doesn't wait for the step to end


class Interrupts:
    """While it is entered, a signal waits until the loop looks, and goes to its own handler then.

    Signals that are ignored or end the process stay as they are, and so does everything outside the main thread, where
    no signal comes.
    """

    def __init__(self) -> None:
        self._noted: tuple[int, float] | None = None  # the first signal that came, and when
        self._before: dict[int, Any] = {}

    def look(self) -> None:
        """Let what has come go to its handler, which raises KeyboardInterrupt. To be called between steps."""
        if self._noted is not None:
            number, handler = self._noted[0], self._before[self._noted[0]]
            self._noted = None
            self._restore()
            handler(number, None)

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if callable(handler := signal.getsignal(number)):
                    self._before[number] = handler
                    signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, _: FrameType | None) -> None:
        now_s = time.monotonic()
        if self._noted is None:
            self._noted = number, now_s
        elif now_s - self._noted[1] > PATIENCE_S:
            raise KeyboardInterrupt  # the step does not end
