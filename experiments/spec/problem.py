"""What is wrong with a file: where it stands, what it is, what would be right."""

from collections.abc import Iterable

import msgspec

MAX_SHOWN = 500  # characters of a path or a message


class Problem(msgspec.Struct, frozen=True):
    """One mistake, or one oddity that is legal."""

    file: str
    line: int  # counts from 1; 0: the file as a whole
    path: str  # such as chaos[0].partition.isolate; empty for the whole file
    message: str


class InvalidFile(Exception):
    """An experiment file with mistakes: all of them, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        told = (Problem(_sayable(one.file), one.line, _short(one.path), _short(one.message)) for one in problems)
        self.problems = tuple(sorted(dict.fromkeys(told), key=lambda problem: (problem.file, problem.line)))
        super().__init__("; ".join(problem.message for problem in self.problems))


def _sayable(text: str) -> str:
    """A text without what is no character, such as the bytes of a file's name that is not in UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _short(text: str) -> str:
    """A text that a person still reads, of signs that any terminal and JSON can show."""
    readable = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[: MAX_SHOWN + 1])
    return readable if len(readable) <= MAX_SHOWN else f"{readable[: MAX_SHOWN // 2]} ... {text[-MAX_SHOWN // 4 :]}"


def path_text(path: Iterable[str | int]) -> str:
    """A path as people write it: keys with dots, places in lists in brackets."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
