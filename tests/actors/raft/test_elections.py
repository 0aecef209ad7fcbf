"""Elections beyond the paper's plain ones: pre-vote, stickiness, CheckQuorum, preferred servers."""

import msgspec
from raft_cluster import PLAIN, Letter, RaftCluster

from actors.protocols.raft_messages import PreVote, PreVoted, RequestVote
from actors.settings import MS

PRE_VOTE = msgspec.structs.replace(PLAIN, pre_vote=True)
CHECKED = msgspec.structs.replace(PLAIN, pre_vote=True, check_quorum=True)
LEAST_NS = 150 * MS


def led(settings, servers=3):
    """A cluster whose first node leads, some time after it was heard last."""
    cluster = RaftCluster(servers, settings=settings)
    cluster.clock_ns = 300 * MS
    cluster.elect(0)
    assert cluster.leaders == [0]
    return cluster


def test_a_pre_vote_wins_before_the_term_grows():
    """Thesis §9.6: a candidate only increments its term if it first learns that it could win."""
    cluster = RaftCluster(3, settings=PRE_VOTE)
    cluster.clock_ns = 300 * MS
    cluster.fire(0, "election")
    assert cluster.actors[0].term == 0
    assert [letter.message for letter in cluster.letters(0, 1)] == [PreVote(1, cluster.actors[0].log.last_id)]
    cluster.settle()
    assert (cluster.leaders, cluster.actors[0].term) == ([0], 1)


def test_a_cut_off_server_does_not_disturb_when_it_comes_back():
    """Thesis §9.6: its term has not grown meanwhile, so the leader goes on."""
    cluster = led(PRE_VOTE)
    for _ in range(5):
        cluster.fire(2, "election")
        cluster.isolate(2)
    assert cluster.actors[2].term == 1
    cluster.heartbeat(0)
    assert (cluster.leaders, cluster.actors[0].term, cluster.actors[2].leader) == ([0], 1, 0)


def test_without_the_pre_vote_it_does():
    cluster = led(PLAIN)
    for _ in range(5):
        cluster.fire(2, "election")
        cluster.isolate(2)
    cluster.heartbeat(0)
    assert (cluster.leaders, cluster.actors[2].term) == ([], 6)


def test_a_server_that_hears_a_leader_refuses_its_vote_and_keeps_its_term():
    """Thesis §4.2.3: a RequestVote within the minimum election time-out of hearing a leader changes nothing."""
    cluster = led(PRE_VOTE)
    cluster.clock_ns += LEAST_NS - 1
    voter = cluster.actors[1]
    cluster.hand(Letter(2, 1, RequestVote(7, voter.log.last_id)))
    cluster.hand(Letter(2, 1, PreVote(7, voter.log.last_id)))
    assert (voter.term, voter.voted_for) == (1, 0)
    assert cluster.letters(1, 2)[-1].message == PreVoted(1, False)


def test_after_the_least_time_out_of_silence_it_votes_again():
    cluster = led(PRE_VOTE)
    cluster.clock_ns += LEAST_NS
    voter = cluster.actors[1]
    cluster.hand(Letter(2, 1, RequestVote(7, voter.log.last_id)))
    assert (voter.term, voter.voted_for) == (7, 2)


def test_a_leader_refuses_pre_votes():
    """Zoo 12: else a heartbeat no shorter than the election time-out unseats it."""
    cluster = led(PRE_VOTE)
    cluster.clock_ns += 10 * LEAST_NS
    cluster.hand(Letter(2, 0, PreVote(2, cluster.actors[0].log.last_id)))
    assert cluster.letters(0, 2)[-1].message == PreVoted(1, False)


def test_a_restarted_server_keeps_the_promise_that_it_may_have_given():
    """Stickiness is in memory only: who starts refuses its vote for the least time-out, else a lease would break."""
    cluster = led(PRE_VOTE)
    cluster.crash(1)
    cluster.start(1)
    cluster.hand(Letter(2, 1, RequestVote(7, cluster.actors[2].log.last_id)))
    assert cluster.actors[1].voted_for == 0


def test_a_leader_that_hears_no_quorum_steps_down():
    """CheckQuorum, thesis §6.2: so that clients try another server."""
    cluster = led(CHECKED)
    cluster.fire(0, "quorum")  # the answers to its first messages count
    assert cluster.leaders == [0]
    cluster.fire(0, "quorum")
    assert cluster.leaders == []


def test_a_leader_whose_answers_come_from_a_quorum_goes_on():
    cluster = led(CHECKED)
    for _ in range(5):
        cluster.heartbeat(0, among={0, 2})
        cluster.isolate(1)
        cluster.fire(0, "quorum")
    assert cluster.leaders == [0]


def test_a_one_way_cut_needs_both_stickiness_and_check_quorum():
    """Zoo 19: followers hear a leader whom none of their answers reach. Without CheckQuorum this never ends."""
    for settings, ends in ((PRE_VOTE, False), (CHECKED, True)):
        cluster = led(settings)
        for _ in range(10):
            cluster.fire(0, "heartbeat")
            for found in cluster.letters(source=0):
                cluster.deliver(found)
            cluster.drop(target=0)
            if "quorum" in cluster.nodes[0].timers:
                cluster.fire(0, "quorum")
            if not cluster.leaders:
                break
        assert (cluster.leaders == []) == ends


def test_servers_that_are_not_preferred_let_one_time_out_pass():
    cluster = RaftCluster(3, settings=msgspec.structs.replace(PLAIN, preferred=("n2",)))
    cluster.fire(0, "election")
    assert (cluster.actors[0].role, "election" in cluster.nodes[0].timers) == ("follower", True)
    cluster.fire(1, "election")
    assert cluster.actors[1].role == "candidate"
    cluster.fire(0, "election")
    assert cluster.actors[0].role == "candidate", "better one that is not preferred than none"
