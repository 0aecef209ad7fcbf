"""The benchmarks' loads do what they are measured for; how fast is measured elsewhere."""

from benchmarks import load, sim_scale


def test_a_rumour_reaches_everyone() -> None:
    assert sim_scale.spread_rumour(60).messages > 60


def test_a_window_of_writes_is_answered() -> None:
    loop = sim_scale.started(load.raft(3, window=4), sim_scale.Journal(None, host="t", origin_ns=0), load.Nobody())
    loop.run_until(1_500_000_000, lambda _: None)
    assert loop.nodes[3].actor.serial > 100
