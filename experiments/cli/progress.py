"""How far a run is, live on standard error: one line that changes on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cluster.fabric import Progress

SECOND = 1_000_000_000
REDRAW_S = 0.1
LINE_EVERY_S = 5.0  # where no terminal is


class Watch:
    """Shows the runs of one command; a fabric calls it as often as it likes."""

    def __init__(self, console: Console, titles: Sequence[str]) -> None:
        self._console = console
        self._titles = titles
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._shown_s = time.monotonic()
        self._mark = (0, 0)  # time and operations where the present rate began
        self._rate = 0.0

    def __call__(self, place: int, progress: Progress) -> None:
        """Take notice of how far the run at this place is; redraw if it is time for it."""
        self._measure(progress)
        now_s = time.monotonic()
        if now_s - self._shown_s < (REDRAW_S if self._live else LINE_EVERY_S):
            return
        self._shown_s = now_s
        line = f"{self._titles[place]}  {line_of(progress, self._rate)}"
        if self._live:
            self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
        else:
            self._console.print(line, soft_wrap=True)

    def say(self, place: int, line: str) -> None:
        """Print a line that stays; the next run begins anew."""
        self._console.print(f"{self._titles[place]}  {line}", soft_wrap=True)
        self._mark, self._rate = (0, 0), 0.0

    def _measure(self, progress: Progress) -> None:
        """Operations a second of the run's time, over the last second or more."""
        began_ns, answered = self._mark
        passed_ns = progress.now_ns - began_ns
        if passed_ns >= SECOND or (began_ns == 0 and passed_ns > 0):
            self._rate = (progress.answered - answered) * SECOND / passed_ns
        if passed_ns >= SECOND:
            self._mark = (progress.now_ns, progress.answered)

    def __enter__(self) -> "Watch":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._live:
            self._live.stop()


def line_of(progress: Progress, rate: float) -> str:
    """Progress in words."""
    parts = [
        f"{progress.now_ns / SECOND:.1f} s of {progress.duration_ns / SECOND:g} s",
        f"{rate:,.0f} ops/s",
        f"leader {progress.leader or 'none'}",
    ]
    if progress.p50_ns is not None and progress.p99_ns is not None:
        parts.append(f"p50 {progress.p50_ns / 1e6:.3g} ms  p99 {progress.p99_ns / 1e6:.3g} ms")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.faults:
        parts.append("faults: " + "; ".join(progress.faults))
    return "  ".join(parts)
