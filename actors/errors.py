"""Why an operation did not end well, and what a client may conclude from it.

A definite error says that the operation had no effect: the history gets `fail`. After an indefinite one it may have
happened, or happen later: `info`. A definite answer of the state (a compare-and-set that found another value)
is an answer in time as far as availability is concerned; the other errors are not.
"""

from typing import NamedTuple

from actors.history import Outcome


class ErrorMeaning(NamedTuple):
    """What follows from an error for the history and for availability."""

    outcome: Outcome
    answered: bool  # counts as an answer in time
    meaning: str


ERRORS: dict[str, ErrorMeaning] = {
    "compare-failed": ErrorMeaning("fail", True, "the value was not the expected one"),
    "wrong-type": ErrorMeaning("fail", True, "the value at this key can't be appended to"),
    # A server that refused one copy of a request may, once elected, still take a late duplicate of it: not definite.
    "no-leader": ErrorMeaning("info", False, "every server asked said that it is not the leader"),
    "unavailable": ErrorMeaning("fail", False, "too few replicas were healthy for the level, so nothing was tried"),
    "too-many-siblings": ErrorMeaning("fail", False, "the write would have left more siblings than are allowed"),
    "bad-context": ErrorMeaning("fail", False, "the causal context is none that a server gave"),
    "too-few-replicas": ErrorMeaning("info", False, "too few replicas stored the write in time; some may have"),
    "read-timed-out": ErrorMeaning("info", False, "too few replicas answered the read in time"),
    "timed-out": ErrorMeaning("info", False, "no answer within the client's time-out"),
    "leadership-lost": ErrorMeaning("info", False, "the leader stepped down before the entry was committed"),
    "busy": ErrorMeaning("info", False, "the leader has as much uncommitted as it may have; a late copy may be taken"),
    "session-expired": ErrorMeaning("info", False, "the client's session is gone, so whether this was done is unknown"),
    "no-answer": ErrorMeaning("info", False, "the run ended before the answer"),
}


def outcome_of(error: str | None) -> Outcome:
    """The outcome that a reply with this error means; None is success. Raises KeyError for an unknown error."""
    return "ok" if error is None else ERRORS[error].outcome
