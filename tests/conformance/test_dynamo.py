"""One store, one crash, both fabrics: the same promises are kept, and the bytes on the wire are the messages' own."""

import pytest
from dynamo_storms import STRICT_PROMISES, fast, pool
from fabric_runs import RunOn
from scenario import small_setup

from actors.protocols.dynamo import Dynamo
from actors.settings import MS, SECOND
from chaos.controller import Controller, Step
from chaos.faults.crash import Crash
from chaos.faults.partition import Partition
from cluster.fabric import ActorSpec
from experiments.checkers import CHECKERS
from experiments.recording import record
from experiments.workloads.siblings import Siblings

JUDGES = tuple(name for name in STRICT_PROMISES if name not in ("membership", "replicas-agree"))


@pytest.mark.parametrize("conflicts", ["dvv", "vv-client"])
def test_a_store_keeps_its_promises_through_a_crash_and_a_partition(run_on: RunOn, conflicts: str) -> None:
    duration_ns = 8 * SECOND
    workload = Siblings(
        clients=6,
        rate=40.0,
        keys=6,
        timeout_ns=SECOND,
        mix={"get": 0.5, "put": 0.4, "delete": 0.1},
        settle_ns=3 * SECOND,
    )
    setup = small_setup(
        [ActorSpec(Dynamo, fast(quorum="strict", conflicts=conflicts))] * 4,
        [pool(workload, stop_after_ns=duration_ns)],
        duration_ns=duration_ns,
        drain_ns=SECOND,
        name=f"dynamo-{conflicts}",
    )
    steps = (
        Step("crash", Crash(nodes=("n2",)), SECOND, None, 1200 * MS),
        Step("partition", Partition(isolate=("n3",)), 3 * SECOND, None, SECOND),
    )
    ended = run_on(setup, Controller(steps, seed=1, duration_ns=duration_ns))
    recording = record(setup.topology, duration_ns, 0, ended.entries)
    verdicts = {name: CHECKERS[name](recording) for name in JUDGES}
    assert {name: verdict.reason for name, verdict in verdicts.items() if verdict.valid is not True} == {}
    assert sum(operation.outcome == "ok" for operation in recording.history) > 200
