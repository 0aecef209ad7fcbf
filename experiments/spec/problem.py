"""What is wrong with a file: where it stands, what it is, what would be right."""

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One mistake, or one oddity that is legal."""

    file: str
    line: int  # counts from 1; 0: the file as a whole
    path: str  # such as chaos[0].partition.isolate; empty for the whole file
    message: str


class InvalidFile(Exception):
    """An experiment file with mistakes: all of them, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line)))
        super().__init__("; ".join(problem.message for problem in self.problems))


def path_text(path: Iterable[str | int]) -> str:
    """A path as people write it: keys with dots, places in lists in brackets."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
