"""What every system with a leader tells: who plays which role."""

from typing import Literal

from actors.message import Event

Role = Literal["follower", "candidate", "leader"]


class RoleChanged(Event, frozen=True):
    """The emitting node plays this role from now on, in this term (or round) of its election."""

    role: Role
    term: int
