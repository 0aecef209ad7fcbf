"""EDN, as far as histories need it: a stream of forms out of a file, in bounded memory and without recursion.

Source: the EDN specification (github.com/edn-format/edn). Keywords and symbols become texts without their colon, lists
and vectors tuples, sets sorted tuples, maps `Map`s; a tagged literal or a record becomes what it tags. Comments,
discarded forms (`#_`) and metadata (`^`) are left out.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from experiments.formats.errors import HistoryError
from experiments.formats.values import DEEPEST, pairs

CHUNK_CHARACTERS = 1 << 20
FORM_CHARACTERS = 1 << 24
"""The longest text, number or name: 16 Mi characters."""
OPERATION_FORMS = 1_000_000  # forms in one operation

TOKEN = re.compile(
    r"""[\s,]*+(?:;[^\n]*+(?:\n[\s,]*+|$))*+
    (?:(?P<text>"(?:[^"\\]|\\.)*+") | (?P<open>\#\{|[(\[{]) | (?P<close>[)\]}]) | (?P<discard>\#_)
     | (?P<meta>\^) | (?P<quote>['`~@]) | (?P<character>\\(?:[a-zA-Z0-9]+|.)) | (?P<tag>\#[^\s,;"(){}\[\]\\]+)
     | (?P<atom>[^\s,;"(){}\[\]\\\#^][^\s,;"(){}\[\]\\]*+) | (?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
FLAT = re.compile(
    r"""[\s,]*+(?P<map>\{[\s,]*+(?>:[^\s,;"(){}\[\]\\]++[\s,]++
    (?>"[^"\\]*+"|\[[^\[\]{}();"\\\#]*+\]|[^\s,;"(){}\[\]\\\#]++)[\s,]*+)*+\})""",
    re.VERBOSE,
)
PAIR = re.compile(r""":([^\s,;"(){}\[\]\\]+)[\s,]+("[^"]*"|\[[^\]]*\]|[^\s,;"(){}\[\]\\]+)""")
ITEM = re.compile(r"[^\s,]+")
CLOSING = {"{": "}", "#{": "}", "[": "]", "(": ")"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "b": "\b", "f": "\f"}
CHARACTERS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "backspace": "\b", "formfeed": "\f"}
SPACE = re.compile(r"(?:[\s,]|;[^\n]*+\n)*+")
UNDOUBTED = 4096  # characters: more than any token but a text has
INTEGER = re.compile(r"[+-]?\d{1,400}N?")
FLOAT = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?M?")
WORDS: dict[str, Any] = {"nil": None, "true": True, "false": False}


class Map(dict[Any, Any]):
    """An EDN map, while its event is taken apart."""


class Form(NamedTuple):
    """A form at the top, or an item of the one list or vector at the top, and the line in which it begins."""

    value: Any
    line: int


class Open:
    """A collection that is not closed yet."""

    __slots__ = ("items", "kind", "skip", "tags")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.items: list[Any] = []
        self.skip = 0  # forms that come next and are to be left out
        self.tags = 0


class Reader:
    """Reads the forms of a file one after another."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._line = 1  # of `_counted`
        self._counted = 0
        self._pending = b""
        self._over = False
        self.inside: str | None = None  # the bracket of the one collection at the top
        self.finished = False

    def forms(self) -> Iterator[Form]:
        """All forms, those of one list or vector at the top as if they stood there themselves.

        Raises: HistoryError with the line.
        """
        self._fill()
        self._text = self._text.removeprefix("\ufeff")
        while True:
            form = self._flat() or self._next()
            if form is None:
                return
            yield form

    def line(self) -> int:
        """The line that the reader has come to."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def skip_line(self) -> bool:
        """Go on behind the next end of line. Returns: whether there is more."""
        while True:
            end = self._text.find("\n", self._at)
            if end >= 0:
                self._at = end + 1
                return True
            self._at = len(self._text)
            if not self._fill():
                self.finished = True
                return False

    def _fill(self) -> bool:
        """Read more behind what is left. Returns: whether there was more."""
        self.line()
        self._text, self._at, self._counted = self._text[self._at :], 0, 0
        if self._over:
            return False
        # What is left is looked at anew: twice as much each time, so that a long text is not looked at often.
        data = self._pending + self._file.read(max(CHUNK_CHARACTERS, len(self._text)))
        self._over = len(data) == len(self._pending)
        # A character of up to four bytes may be cut in two.
        cut = (
            len(data)
            if self._over
            else next((len(data) - n for n in range(1, 4) if data[-n : len(data)][:1] >= b"\xc0"), len(data))
        )
        self._pending = data[cut:]
        try:
            self._text += data[:cut].decode()
        except UnicodeDecodeError as error:
            bad_line = self._line + self._text.count("\n") + data.count(b"\n", 0, error.start)
            self._text += data[:cut].decode(errors="replace")
            raise HistoryError("not UTF-8", line=bad_line) from error
        return True

    def _flat(self) -> Form | None:
        """The next form, if it is a map of keywords to simple values within what was read: the common case, quickly."""
        found = None if self.finished else FLAT.match(self._text, self._at)
        if found is None:
            return None
        begin = found.start("map")
        self._line += self._text.count("\n", self._counted, begin)
        self._counted, self._at = begin, found.end()
        entries = Map()
        for key, value in PAIR.findall(found["map"]):
            entries[key] = simple(value)
        return Form(entries, self._line)

    def _token(self) -> tuple[str, str]:
        """(kind, text) of the next token."""
        while True:
            found = TOKEN.match(self._text, self._at)
            whole = found is not None and (found.end() < len(self._text) or self._over)
            if found is not None and whole:
                self._at = found.end()
                kind = found.lastgroup or ""
                return kind, found[kind]
            if found is None and len(self._text) - self._at > UNDOUBTED:
                self._refuse_what_no_more_text_can_mend()
            if len(self._text) - self._at > FORM_CHARACTERS:
                raise HistoryError("a form of more than 16 MiB", line=self.line())
            if not self._fill() and TOKEN.match(self._text, self._at) is None:
                self._skip_space()
                rest = self._text[self._at : self._at + 200]
                what = "a text that is not closed" if rest.startswith('"') else f"unreadable: {rest[:40]!r}"
                raise HistoryError(what, line=self.line())

    def _refuse_what_no_more_text_can_mend(self) -> None:
        self._skip_space()
        rest = self._text[self._at : self._at + 20]
        if rest and rest[0] != '"':
            raise HistoryError(f"unreadable: {rest!r}", line=self.line())

    def _skip_space(self) -> None:
        found = SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _next(self) -> Form | None:
        """The next form by the general way."""
        stack: list[Open] = []
        line, count = 0, 0
        top = Open("")
        while True:
            kind, text = self._token()
            count += 1
            if not line or not stack:
                line = self.line()
            if count > OPERATION_FORMS:
                raise HistoryError(f"more than {OPERATION_FORMS:,} forms in one operation", line=line)
            place = stack[-1] if stack else top
            if kind == "end":
                self._end(stack, line)
                return None
            if self.finished:
                raise HistoryError(f"something follows the closing {CLOSING[self.inside or '[']}", line=line)
            if kind == "open":
                if not stack and self.inside is None and text in "([":
                    self.inside = text
                    continue
                if len(stack) > DEEPEST:
                    raise HistoryError(f"nested deeper than {DEEPEST}", line=self.line())
                stack.append(Open(text))
                continue
            if kind == "close":
                if not stack:
                    self._close(text)
                    continue
                value = _closed(stack.pop(), text, self)
            elif kind in ("discard", "meta"):
                place.skip += 1
                continue
            elif kind in ("tag", "quote"):
                continue
            else:
                value = _atom(kind, text, self)
            place = stack[-1] if stack else top
            if place.skip:
                place.skip -= 1
            elif stack:
                place.items.append(value)
            else:
                return Form(value, line)

    def _end(self, stack: list[Open], line: int) -> None:
        if stack:
            raise HistoryError(f"the file ends inside a form that begins here with {stack[0].kind}", line=line)
        if self.inside and not self.finished:
            raise HistoryError(f"the file ends without the closing {CLOSING[self.inside]}", line=self.line())
        self.finished = True

    def _close(self, text: str) -> None:
        """The end of the list or vector at the top."""
        if not self.inside or CLOSING[self.inside] != text or self.finished:
            raise HistoryError(f"a closing {text} that nothing opened", line=self.line())
        self.finished = True


def _whole_characters(data: bytes) -> int:
    """Where the last whole character ends, or one that is none."""
    for back in range(1, min(4, len(data) + 1)):
        if data[-back] >= 0xC0:
            return len(data) - back
    return len(data)


def _closed(opened: Open, text: str, reader: Reader) -> Any:
    """The value of a collection."""
    if CLOSING[opened.kind] != text:
        raise HistoryError(f"a closing {text} where {CLOSING[opened.kind]} was due", line=reader.line())
    items = opened.items
    if opened.skip:
        raise HistoryError("something is left out, but nothing follows", line=reader.line())
    if opened.kind == "{":
        if len(items) % 2:
            raise HistoryError("a map with a key that has no value", line=reader.line())
        return Map((thaw(key), value) for key, value in zip(items[::2], items[1::2], strict=True))
    values = tuple(thaw(item) for item in items)
    return tuple(sorted(values, key=lambda item: (str(type(item)), repr(item)))) if opened.kind == "#{" else values


def thaw(value: Any) -> Any:
    """A value that can be a key or an item: maps become tuples of pairs."""
    return pairs((key, thaw(item)) for key, item in value.items()) if isinstance(value, Map) else value


def _atom(kind: str, text: str, reader: Reader) -> Any:
    if kind == "text":
        return unescaped(text[1:-1]) if "\\" in text else text[1:-1]
    if kind == "character":
        return CHARACTERS.get(text[1:], text[1:])
    try:
        return atom(text)
    except ValueError as error:
        raise HistoryError(f"{text[:40]!r} is no number", line=reader.line()) from error


def atom(text: str) -> Any:
    """A word of EDN as a value; keywords and symbols are texts. Raises ValueError for a number that is none."""
    if text in WORDS:
        return WORDS[text]
    if text[0] == ":":
        return text[1:]
    if INTEGER.fullmatch(text):
        return int(text.rstrip("N"))
    if FLOAT.fullmatch(text):
        return float(text.rstrip("M"))
    if text[0].isdigit() and "/" not in text:
        raise ValueError(text)
    return text


def simple(text: str) -> Any:
    """A value of a flat map: a text without escapes, a vector of words, or a word."""
    first = text[0]
    if first == '"':
        return text[1:-1]
    if first == "[":
        return tuple(atom(item) for item in ITEM.findall(text[1:-1]))
    return atom(text)


def unescaped(text: str) -> str:
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _escape, text, flags=re.DOTALL)


def _escape(found: re.Match[str]) -> str:
    mark = found[1]
    return chr(int(mark[1:], 16)) if len(mark) == 5 else ESCAPES.get(mark, mark)
