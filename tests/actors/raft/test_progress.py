"""What a leader knows of a follower: its states and its window."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from actors.state.configuration import Configuration
from actors.state.log import LogId
from actors.state.progress import Progress
from actors.state.snapshot import Snapshot


class AnyAnswers(RuleBasedStateMachine):
    """Sends and answers in any order, late and doubled ones too."""

    def __init__(self):
        super().__init__()
        self.follower = Progress(next=1)
        self.match = 0

    @rule(entries=st.integers(0, 4))
    def send(self, entries):
        self.follower.sent(self.follower.next - 1 + entries, 10 * entries)

    @rule(back=st.integers(0, 6))
    def agree(self, back):
        match = max(0, self.follower.next - 1 - back)
        grew = self.follower.agree(match)
        assert grew == (match > self.match)
        self.match = max(self.match, match)

    @rule(previous=st.integers(0, 12), hint=st.integers(0, 12))
    def refuse(self, previous, hint):
        before = self.follower.next
        if self.follower.refuse(previous, hint):
            assert self.follower.probing
            assert self.match < self.follower.next <= max(previous, before)

    @rule(last=st.integers(1, 20))
    def snapshot(self, last):
        if last > self.follower.match:
            self.follower.begin_snapshot(Snapshot(LogId(1, last), Configuration((0,)), ()))

    @invariant()
    def next_lies_behind_match(self):
        """What the follower holds is not sent again (zoo 13), and a match never goes back (zoo 6)."""
        assert self.follower.match == self.match
        assert self.follower.next > self.follower.match

    @invariant()
    def the_window_counts_what_is_on_its_way(self):
        flights = self.follower.flights
        assert self.follower.bytes_in_flight == sum(size for _, size in flights)
        assert [last for last, _ in flights] == sorted({last for last, _ in flights})
        assert all(self.match < last < self.follower.next for last, _ in flights)


TestAnyAnswers = AnyAnswers.TestCase


@given(st.integers(1, 5), st.integers(1, 9))
def test_the_window_shuts_at_its_count_and_opens_with_the_answer(most, size):
    follower = Progress(next=1)
    for number in range(1, most + 1):
        assert not follower.is_full(most, None)
        follower.sent(number, size)
    assert follower.is_full(most, None)
    follower.agree(1)
    assert not follower.is_full(most, None)


def test_the_window_shuts_at_its_bytes():
    follower = Progress(next=1)
    follower.sent(1, 600)
    assert not follower.is_full(10, 1000)
    follower.sent(2, 600)
    assert follower.is_full(10, 1000)


def test_a_refused_message_leads_back_to_the_hint_and_to_one_message_at_a_time():
    follower = Progress(next=1)
    follower.sent(9, 0)
    assert follower.refuse(9, 4)
    assert (follower.next, follower.probing, follower.flights) == (5, True, [])
    assert not follower.refuse(9, 2), "an answer to a message sent before the probe"
