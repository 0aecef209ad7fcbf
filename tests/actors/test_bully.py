"""The bully election: the highest reachable node leads, each side of a partition has one, and clients see it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import FakeNode, Script, client_pool, command, simulate, small_setup, tell

from actors.client import Reply, Request
from actors.election import RoleChanged
from actors.protocols.bully import Alive, Answer, Bully, BullySettings, Coordinator, Copy, Elect
from actors.settings import MS, SECOND
from cluster.control import LinkRule
from cluster.fabric import ActorSpec
from experiments.checkers.election_safety import election_safety
from experiments.leadership import beliefs, overlap_ns
from experiments.workloads.register import Register

CLIENT = 9


def bully(node_id: int = 1, servers: int = 3) -> tuple[Bully, FakeNode]:
    node = FakeNode(node_id, servers=servers, clients=10 - servers)
    server = Bully(node, BullySettings())
    server.start()
    node.forget()
    return server, node


def elected(node_id: int = 2) -> tuple[Bully, FakeNode]:
    """The highest of three, which nobody answered."""
    server, node = bully(node_id)
    server.become_candidate(1)
    node.fire(server, "answer")
    node.forget()
    return server, node


def test_a_candidate_asks_the_higher_nodes_only():
    server, node = bully(1)
    server.become_candidate(1)
    assert node.sent() == [(2, Elect(1))]


def test_who_gets_no_answer_leads_and_tells_all():
    server, node = bully(1)
    server.become_candidate(1)
    node.forget()
    node.fire(server, "answer")
    assert node.sent() == [(0, Coordinator(1)), (2, Coordinator(1))]
    assert node.emitted() == [RoleChanged("leader", 1)]


def test_who_is_answered_waits_for_the_higher_node_to_take_over():
    server, node = bully(1)
    server.become_candidate(1)
    tell(server, 2, Answer(1))
    assert "answer" not in node.timers
    node.fire(server, "takeover")
    assert (server.role, server.round) == ("candidate", 2)


def test_an_answer_to_an_earlier_election_is_ignored():
    server, node = bully(1)
    server.become_candidate(2)
    tell(server, 2, Answer(1))
    assert "answer" in node.timers


def test_a_lower_nodes_election_is_answered_and_held_in_its_place():
    server, node = bully(1)
    tell(server, 0, Elect(3))
    assert node.sent() == [(0, Answer(3)), (2, Elect(3))]
    assert (server.role, server.round) == ("candidate", 3)


@pytest.mark.parametrize(("leader", "round_", "follows"), [(2, 1, True), (0, 1, False), (0, 2, True), (2, 0, False)])
def test_a_leader_gives_way_to_a_higher_one_or_a_later_election(leader, round_, follows):
    """Node 1 leads since round 1."""
    server, _ = elected(1)
    tell(server, leader, Coordinator(round_))
    assert (server.role, server.leader) == (("follower", leader) if follows else ("leader", 1))


def test_a_leader_answers_at_once_and_asks_nobody():
    """That is what makes it wrong."""
    server, node = elected()
    tell(server, CLIENT, Request(command(1, value="x")))
    assert node.sent(Reply) == [(CLIENT, Reply(1, 1, None, "x"))]
    assert [to for to, _ in node.sent(Copy)] == [0, 1]


HAPPENINGS = st.lists(
    st.one_of(
        st.sampled_from(["heartbeat", "answer", "takeover"]),
        st.tuples(
            st.sampled_from([0, 2]),
            st.one_of(
                st.just(Alive()),
                *(st.builds(kind, st.integers(0, 3)) for kind in (Elect, Answer, Coordinator)),
                st.builds(Copy, st.builds(command, st.just(1), st.integers(1, 3))),
            ),
        ),
    ),
    max_size=15,
)


def live(server: Bully, node: FakeNode, happenings) -> None:
    for what in happenings:
        if isinstance(what, tuple):
            tell(server, *what)
        elif what in node.timers:
            node.fire(server, what)


@given(HAPPENINGS, HAPPENINGS)
def test_restore_is_the_inverse_of_state(before, after):
    """A fresh server that restores a state goes on as the first does."""
    server, node = bully()
    live(server, node, before)
    other_node = FakeNode(1, servers=3, clients=7)
    other = Bully(other_node, BullySettings())
    other.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(server.state()), strict=False))
    assert other.state() == server.state()
    other_node.timers, other_node.clock_ns = dict(node.timers), node.clock_ns
    node.forget()
    live(server, node, after)
    live(other, other_node, after)
    assert node.asked == other_node.asked


# five of them on the simulator


def elect_under(director: Script, seconds: int = 4, seed: int = 1):
    settings = BullySettings(heartbeat_ns=50 * MS, timeout_ns=300 * MS)
    pool = client_pool(Register(clients=4, keys=2, timeout_ns=SECOND), stop_after_ns=seconds * SECOND, name="register")
    return simulate(
        small_setup([ActorSpec(Bully, settings)] * 5, [pool], seed=seed, duration_ns=seconds * SECOND), director
    )


@pytest.mark.parametrize("seed", range(5))
def test_without_faults_the_highest_node_leads_and_no_other_ever_does(seed):
    run = elect_under(Script(), seed=seed)
    held = beliefs(run.recording.events, run.recording.end_ns)
    assert {belief.node for belief in held} == {4}


def test_when_the_leader_crashes_the_next_highest_leads_until_it_is_back():
    heals = []
    run = elect_under(
        Script([(SECOND, lambda control: heals.append(control.crash([4]))), (3 * SECOND, lambda _: heals[0]())])
    )
    held = beliefs(run.recording.events, run.recording.end_ns)
    assert [belief.node for belief in held] == [4, 3, 4]


def test_a_partition_makes_two_leaders_of_one_election():
    """The split brain: both sides reach no quorum, and neither asks for one."""
    cut = (
        LinkRule(sources=(0, 1, 2), targets=(3, 4), drop=True),
        LinkRule(sources=(3, 4), targets=(0, 1, 2), drop=True),
    )
    run = elect_under(Script([(SECOND, lambda control: control.lay(cut))]))
    held = beliefs(run.recording.events, run.recording.end_ns)
    assert {belief.node for belief in held if belief.end_ns > 2 * SECOND} == {2, 4}
    assert overlap_ns(held) > SECOND
    assert election_safety(run.recording.events, run.recording.topology).valid is False


def test_after_the_partition_one_leader_is_left():
    heals = []
    cut = (
        LinkRule(sources=(0, 1, 2), targets=(3, 4), drop=True),
        LinkRule(sources=(3, 4), targets=(0, 1, 2), drop=True),
    )
    run = elect_under(
        Script([(SECOND, lambda control: heals.append(control.lay(cut))), (2 * SECOND, lambda _: heals[0]())])
    )
    held = beliefs(run.recording.events, run.recording.end_ns)
    assert [belief.node for belief in held if belief.end_ns >= run.recording.end_ns] == [4]
