"""The table of anomalies names checkers that there are."""

from experiments.anomalies import ANOMALIES
from experiments.checkers import CHECKERS


def test_every_anomaly_is_found_by_checkers_that_there_are() -> None:
    assert {checker for anomaly in ANOMALIES.values() for checker in anomaly.checkers} <= set(CHECKERS)


def test_no_anomaly_has_a_checkers_name_but_long_fork() -> None:
    """`explain` would show both; the long fork is called so itself."""
    assert set(ANOMALIES) & set(CHECKERS) == {"long-fork"}
