"""The course of a fault that does several things one after another: what it has begun ends with it."""

from cluster.control import Heal


class Course:
    """Remembers the cures of what was begun. Each may be called before the end; once is enough."""

    def __init__(self) -> None:
        self._cures: list[Heal] = []
        self._over = False

    def begin(self, cure: Heal) -> Heal:
        """Something was begun whose cure is this one."""
        if self._over:
            cure()
        self._cures.append(cure)
        return cure

    def end(self) -> None:
        """Undo all that is still at work, the last first."""
        self._over = True
        while self._cures:
            self._cures.pop()()
