"""What to say about an unknown word: which known one comes near."""

from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 8  # names in a message, where none comes near


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown word: what comes near, or what there is."""
    names = list(known)
    lower = [name.lower() for name in names]
    near = [name for low in get_close_matches(word.lower(), lower, n=2) for name in names if name.lower() == low]
    if near:
        return f"did you mean {' or '.join(dict.fromkeys(near))}?"
    if not names:
        return "there is none"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:LISTED])}{more}"
