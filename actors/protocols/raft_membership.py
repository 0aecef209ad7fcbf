"""Raft's changes of members (§6; Ongaro's thesis, 2014, chapter 4): single-server changes and joint consensus.

A configuration counts on each server from the moment it stands in its log, and no longer than it stands there. An
operator names the members that shall be; the leader finds the steps: new voters catch up as learners first (§4.2.1),
then one voter changes at a time, or a joint configuration is entered and, once it is committed, left.
"""

from actors.message import NodeId
from actors.protocols.raft_base import RaftBase
from actors.protocols.raft_messages import (
    ChangeRefused,
    ForceQuorum,
    LeaveJoint,
    MembersChanged,
    QuorumForced,
    Reconfigure,
)
from actors.state.configuration import (
    Configuration,
    InvalidChange,
    Target,
    catching_up,
    follow_up,
    leave_joint,
    normal,
)
from actors.state.log import Entry
from actors.state.progress import Progress


class Membership(RaftBase):
    """Which configuration is in force, and how the next one comes."""

    # the configuration in force

    def reach(self, configuration: Configuration, index: int) -> None:
        """A configuration was appended: it counts from now on (§6)."""
        self.configurations.append((index, configuration))
        self.node.emit(MembersChanged(self.log.term_at(index), index, self.configuration, configuration))
        self.use(configuration)

    def revert_configurations(self, last: int) -> None:
        """Entries behind `last` were cut off: what they said of the members no longer counts."""
        while self.configurations[-1][0] > last:
            self.configurations.pop()
        self.use(self.configurations[-1][1])

    def use(self, configuration: Configuration) -> None:
        """Let a leader know the members' progress, of new ones from the start."""
        self.configuration = configuration
        if self.role != "leader":
            return
        last = max(1, self.log.last_index)  # the configuration itself is what a new member is sent first
        known = self.progress
        self.progress = {peer: known[peer] if peer in known else Progress(next=last) for peer in self.others()}

    def configuration_committed(self, index: int) -> None:
        """A committed configuration lets a leader outside it go (§4.2.2), and a joint one be left (§4.3)."""
        if self.role != "leader" or index < self.configurations[-1][0]:
            return
        if not self.configuration.may_lead(self.node.id):
            self.become_follower(self.term)
        elif self.configuration.is_joint and self.configuration.leave:
            self.append_configuration(leave_joint(self.configuration))

    def append_configuration(self, configuration: Configuration) -> None:
        self.add(Entry(self.term, configuration))

    # changing it

    def may_change(self) -> bool:
        """Not while a change is under way, and not before an entry of this term is committed.

        The second is what the single-server change lacked as first published: Ongaro, "bug in single-server membership
        changes", raft-dev, 2015. Without it two leaders can commit changes that don't overlap.
        """
        settled = self.configurations[-1][0] <= self.commit
        return settled and self.log.term_at(self.commit) == self.term

    def on_reconfigure(self, _: NodeId, request: Reconfigure) -> None:
        """An operator names the members that shall be; one that doesn't lead passes it on."""
        if self.role != "leader":
            self.pass_on(request)
            return
        self.goal = request
        self.go_on_with_changes()

    def on_leave_joint(self, _: NodeId, request: LeaveJoint) -> None:
        """An operator ends a joint configuration that stays until told."""
        if self.role != "leader":
            self.pass_on(request)
        elif self.configuration.is_joint and self.may_change():
            self.append_configuration(leave_joint(self.configuration))

    def pass_on(self, request: Reconfigure | LeaveJoint) -> None:
        if self.leader is not None and self.leader != self.node.id:
            self.node.send(self.leader, request)

    def go_on_with_changes(self) -> None:
        """Take the next step to the members that an operator named, if one can be taken now."""
        goal = self.goal
        if goal is None or self.role != "leader" or not self.may_change() or self.configuration.is_joint:
            return
        try:
            target = normal(Target(goal.voters, goal.learners, goal.witnesses))
            if target.is_reached(self.configuration):
                self.goal = None
                return
            step = self.next_step(target, goal)
        except InvalidChange as reason:
            self.node.emit(ChangeRefused(str(reason)))
            self.goal = None
            return
        if step is not None:
            self.append_configuration(step)

    def next_step(self, target: Target, goal: Reconfigure) -> Configuration | None:
        """The configuration to append now; None while new voters catch up. Raises InvalidChange."""
        if unknown := sorted(set(target.voters + target.learners) - set(self.node.peers)):
            raise InvalidChange(f"there is no server {unknown[0] + 1}")
        first = self.learners_first(target)
        if first is not None:
            return first
        if not self.have_caught_up(target):
            return None
        return follow_up(self.configuration, target, joint=goal.joint, leave=goal.leave)

    def learners_first(self, target: Target) -> Configuration | None:
        """New voters get the log before they count (thesis §4.2.1)."""
        return catching_up(self.configuration, target)

    def have_caught_up(self, target: Target) -> bool:
        """Whether those that will begin to vote lack no more than a few entries."""
        fresh = [node for node in target.voters if not self.configuration.is_voter(node)]
        least = self.log.last_index - self.settings.promote_lag
        return all(self.progress[node].match >= max(1, least) for node in fresh)

    # a majority that is gone for good

    def on_force_quorum(self, _: NodeId, request: ForceQuorum) -> None:
        """UNSAFE: obey an operator who says that only these servers are left (see `ForceQuorum`).

        The configuration counts from the end of this server's log, as if it stood there; it is kept on disk until a
        leader of the new quorum has put one into the log.
        """
        if self.node.id not in request.nodes:
            return
        self.become_follower(self.term)
        last = self.log.last_id
        forced = Configuration(tuple(sorted(request.nodes)), serial=self.configuration.serial + 1)
        self.node.emit(QuorumForced(request.nodes, last.term, last.index))
        self.node.save(forced=(last.index, forced.voters, forced.serial))
        self.stand_on_forced(last.index, forced)
        self.reset_election_timer()

    def adopt_forced(self, index: int, voters: tuple[NodeId, ...], serial: int) -> None:
        """After a restart: a forced configuration still counts, unless the log has a later one."""
        if serial > self.configuration.serial:
            self.stand_on_forced(index, Configuration(tuple(voters), serial=serial))

    def stand_on_forced(self, index: int, forced: Configuration) -> None:
        self.configurations.append((max(index, self.configurations[-1][0]), forced))
        self.forced = forced
        self.use(forced)

    def confirm_forced(self) -> None:
        """A leader that stands on a forced configuration puts it into the log, where everybody learns it."""
        if self.forced is not None and self.configuration == self.forced:
            self.append_configuration(self.forced)
        self.forced = None
