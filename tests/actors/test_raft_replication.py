"""Raft §5.3 and §5.4.2: followers take the leader's log, and the commit rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raft_alone import CLIENT, agree, append, disk, entries, entry, leader, raft, terms
from scenario import command, tell

from actors.client import Reply, Request
from actors.protocols.raft_messages import (
    Appended,
    AppendEntries,
    Committed,
    LogChanged,
    RaftSettings,
    Rejected,
    Vote,
)


def test_a_follower_refuses_entries_behind_one_that_it_lacks():
    """§5.3, the consistency check."""
    follower, node = raft(disk(1, entries(1, 1)))
    tell(follower, 1, append(1, (1, 5), [entry(1, 6)]))
    assert node.sent() == [(1, Rejected(1, 5, 2))]
    assert terms(follower) == [1, 1]


def test_a_follower_refuses_entries_behind_one_of_another_term():
    follower, node = raft(disk(3, entries(1, 2, 2, 2)))
    tell(follower, 1, append(3, (3, 4), [entry(3, 5)]))
    assert node.sent() == [(1, Rejected(3, 4, 1))]  # the whole run of term 2 is in doubt
    assert terms(follower) == [1, 2, 2, 2]


FIGURE_7 = {
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}


@pytest.mark.parametrize("log", FIGURE_7.values(), ids=FIGURE_7.keys())
def test_every_follower_of_figure_7_ends_with_the_leaders_log(log):
    """The leader of term 8 brings all six possible logs to its own, asking no more often than there are terms."""
    own = entries(1, 1, 1, 4, 4, 5, 5, 6, 6, 6)
    server, node = leader(disk(7, own))
    follower, other = raft(disk(7, [entry(term, 100 * term + place) for place, term in enumerate(log)]))
    follower.log.entries[: _shared(log, own)] = own[: _shared(log, own)]
    for _ in range(2 * len(set(log))):
        asked = [message for to, message in node.sent(AppendEntries) if to == 1]
        node.forget()
        for message in asked:
            tell(follower, 0, message)
        for _, answer in other.sent():
            tell(server, 1, answer)
        other.forget()
    assert follower.log == server.log
    assert server.progress[1].match == 11


def _shared(log, own):
    """Up to where the logs agree by term, and so by content (the log matching property)."""
    pairs = zip(log, own, strict=False)
    return next((place for place, (term, mine) in enumerate(pairs) if term != mine.term), min(len(log), len(own)))


def test_a_follower_keeps_what_goes_beyond_an_old_message():
    """§5.3: only a conflict cuts; a delayed, shorter message must not undo what came after it."""
    follower, node = raft(disk(1, entries(1, 1, 1)))
    tell(follower, 1, append(1, (1, 1), entries(1, 1)[1:]))
    assert terms(follower) == [1, 1, 1]
    assert node.sent() == [(1, Appended(1, 2))]
    assert node.stored() == []


def test_a_conflicting_entry_goes_with_all_that_follow_it():
    """§5.3: delete the existing entry and all that follow it."""
    follower, node = raft(disk(3, entries(1, 2, 2, 2)))
    new = [entry(3, 7), entry(3, 8)]
    tell(follower, 1, append(3, (1, 1), new))
    assert terms(follower) == [1, 3, 3]
    assert node.stored() == [("cut", "log", 1), ("append", "log", tuple(new))]
    assert node.emitted(LogChanged) == [LogChanged(1, ((3, 1, 7), (3, 1, 8)))]


def test_the_same_message_twice_changes_nothing_the_second_time():
    follower, node = raft()
    message = append(1, (0, 0), entries(1, 1))
    tell(follower, 1, message)
    before = follower.state()
    node.forget()
    tell(follower, 1, message)
    assert follower.state() == before
    assert node.stored() == []


STEPS = st.lists(st.integers(0, 3), max_size=8)


@given(STEPS, STEPS, st.data())
def test_after_an_accepted_message_the_logs_match_up_to_its_end(steps, other_steps, data):
    """Log matching (figure 3), for any two logs that share a beginning and then are of different leaders."""
    own, theirs = grown(1, steps), grown(101, other_steps)
    shared = data.draw(st.integers(0, min(len(own), len(theirs))), label="shared")
    theirs[:shared] = own[:shared]
    after = data.draw(st.integers(0, len(theirs)), label="after")
    follower, node = raft(disk(200, own))
    tell(follower, 1, append(200, (theirs[after - 1].term if after else 0, after), theirs[after:]))
    if after <= shared:
        assert node.sent() == [(1, Appended(200, len(theirs)))]
        assert follower.log.entries[: len(theirs)] == theirs
        assert len(follower.log.entries) == (len(own) if shared == len(theirs) else len(theirs))
    else:
        assert isinstance(node.sent()[0][1], Rejected)
        assert follower.log.entries == own


def grown(term, steps):
    """A log whose terms grow by these steps."""
    made = []
    for place, step in enumerate(steps, start=1):
        term += step
        made.append(entry(term, place))
    return made


def test_a_follower_commits_what_the_leader_committed_but_not_beyond_what_it_got():
    """Figure 2: commitIndex = min(leaderCommit, index of last new entry)."""
    follower, node = raft(disk(2, entries(1, 1, 1)))
    tell(follower, 1, append(2, (1, 1), entries(1, 1)[1:], commit=3))
    assert follower.commit == 2, "entry 3 may be one that this leader does not have"
    assert node.emitted(Committed) == [Committed(2, 2)]


def test_the_commit_index_never_goes_back():
    follower, _ = raft(disk(1, entries(1, 1, 1)))
    tell(follower, 1, append(1, (1, 3), [], commit=3))
    tell(follower, 1, append(1, (1, 3), [], commit=1))
    assert follower.commit == 3


@pytest.mark.parametrize(("servers", "answers"), [(2, 1), (3, 1), (4, 2), (5, 2), (7, 3)])
def test_an_entry_commits_with_the_answer_that_makes_a_majority(servers, answers):
    """§5.3: committed once the leader has replicated it on a majority of the servers, itself among them."""
    server, node = leader(servers=servers)
    commits = []
    for peer in range(1, answers + 1):
        agree(server, peer, 1)
        commits.append(server.commit)
    assert commits == [0] * (answers - 1) + [1]
    assert node.emitted(Committed) == [Committed(1, 1)]


def test_a_cluster_of_one_commits_alone():
    server, node = leader(servers=1)
    node.fire(server, "replicate")
    tell(server, CLIENT, Request(command(1)))
    node.fire(server, "replicate")
    assert server.commit == 2
    assert node.sent(Reply) == [(CLIENT, Reply(1, 1, None, 0))]


def test_figure_8_an_entry_of_an_old_term_on_a_majority_is_not_committed_by_counting():
    """§5.4.2, figure 8 (c): S1, back in term 4, has the entry of term 2 on S1, S2 and S3; S5 may still overwrite it."""
    server, _ = leader(disk(3, entries(1, 2)), servers=5)
    agree(server, 1, 2)
    agree(server, 2, 2)
    assert server.commit == 0


def test_figure_8_an_entry_of_the_own_term_commits_all_before_it():
    """§5.4.2, figure 8 (e): once an entry of term 4 is on a majority, S5 can't win an election any more."""
    server, node = leader(disk(3, entries(1, 2)), servers=5)
    agree(server, 1, 3)
    agree(server, 2, 3)
    assert server.commit == 3
    assert node.emitted(Committed) == [Committed(4, 3)]


@given(st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_what_is_committed_is_what_a_majority_holds(matches):
    """Against a count: the greatest index of this term that three of five servers hold."""
    server, _ = leader(servers=5)
    for serial in range(1, 9):
        tell(server, CLIENT, Request(command(1, serial)))
    for peer, match in enumerate(matches, start=1):
        agree(server, peer, match)
    held = [index for index in range(1, 10) if sum(match >= index for match in matches) + 1 >= 3]
    assert server.commit == max(held, default=0)


def test_a_late_answer_does_not_take_a_match_back():
    """Zoo 6: reordered acknowledgements."""
    server, _ = leader()
    tell(server, CLIENT, Request(command(1)))
    agree(server, 1, 2)
    agree(server, 1, 1)
    assert (server.progress[1].match, server.commit) == (2, 2)


def test_an_answer_of_an_earlier_term_is_ignored():
    """An entry that the follower acknowledged to another leader may have been overwritten since."""
    server, _ = leader(disk(3, entries(1, 2)))
    tell(server, 1, Appended(3, 2))
    assert server.progress[1].match == 0


def test_a_refusal_overtaken_by_a_later_agreement_is_ignored():
    server, node = leader(disk(1, entries(1, 1, 1)))
    agree(server, 1, 4)
    node.forget()
    tell(server, 1, Rejected(2, 3, 0))
    assert (node.sent(), server.progress[1].next) == ([], 5)


def test_after_a_refusal_the_leader_probes_from_where_the_follower_may_agree():
    """§5.3, last paragraph: skip all of the conflicting term's entries, in one step."""
    server, node = leader(disk(3, entries(1, 1, 2, 3)))
    node.forget()
    tell(server, 1, Rejected(4, 4, 2))
    assert node.sent() == [(1, append(4, (1, 2), [*entries(1, 1, 2, 3)[2:], entry(4)]))]
    node.forget()
    tell(server, CLIENT, Request(command(1)))
    node.fire(server, "replicate")
    assert [to for to, _ in node.sent(AppendEntries)] == [2], "while it probes, one message at a time"


def test_a_hint_beyond_what_was_refused_still_goes_back():
    """A follower that refuses must not make its leader send the same message for ever."""
    server, _ = leader(disk(1, entries(1, 1, 1)))
    tell(server, 1, Rejected(2, 3, 99))
    assert server.progress[1].next == 3


def test_a_leader_pipelines_and_a_batch_bounds_a_message():
    server, node = raft(disk(1, entries(*[1] * 10)), settings=RaftSettings(batch=4))
    node.fire(server, "election")
    tell(server, 1, Vote(2, True))
    node.forget()
    tell(server, 1, Rejected(2, 10, 0))
    sizes = []
    for match in (4, 8, 11):
        (sent,) = [message for to, message in node.sent(AppendEntries) if to == 1]
        sizes.append(len(sent.entries))
        node.forget()
        agree(server, 1, match)
    assert sizes == [4, 4, 3]


def test_a_client_is_answered_when_its_command_is_committed_and_applied():
    """§5.3 and §8: not before."""
    server, node = leader()
    tell(server, CLIENT, Request(command(5, 1, value="x")))
    assert node.sent(Reply) == []
    agree(server, 1, 2)
    assert node.sent(Reply) == [(CLIENT, Reply(5, 1, None, "x"))]


def test_a_command_that_arrives_twice_takes_effect_once():
    """§8: the state machine tracks the latest serial number of each client."""
    server, node = leader()
    append_x = command(5, 1, function="append", value="x")
    tell(server, CLIENT, Request(append_x))
    tell(server, CLIENT, Request(append_x))
    agree(server, 1, 3)
    assert server.machine.values == {"k1": ("x",)}
    assert node.sent(Reply) == [(CLIENT, Reply(5, 1, None, "x"))] * 2


def test_a_leader_that_steps_down_tells_its_waiting_clients_that_it_cannot_know():
    server, node = leader()
    tell(server, CLIENT, Request(command(5)))
    tell(server, 1, Rejected(9, 0, 0))
    assert node.sent(Reply) == [(CLIENT, Reply(5, 1, "leadership-lost", None))]
    assert server.waiting == {}
