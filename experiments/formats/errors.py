"""What can be wrong with a history that somebody else wrote."""


class HistoryError(Exception):
    """A history can't be read, or contradicts itself. Says where, what and, if there is one, the remedy."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line  # from 1; None: the file as a whole

    def at(self, file: str) -> str:
        """The error as editors and compilers write it: `file:line: message`."""
        return f"{file}:{self.line}: {self.message}" if self.line is not None else f"{file}: {self.message}"
