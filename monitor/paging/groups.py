"""A group of alerts under way."""

from dataclasses import dataclass

from monitor.paging.alert import Labels
from monitor.paging.state import GroupState

__all__ = ["Group", "grouped"]


@dataclass(slots=True)
class Group:
    """As GroupState; alerts join and leave it at once."""

    id: str
    key: str
    route: str
    labels: Labels
    members: dict[str, None]
    due_ms: int
    receiver: str
    group_interval_ms: int
    flushed: bool = False
    receivers: tuple[str, ...] = ()
    acknowledged_ms: int | None = None
    left: bool = False
    considered_ms: int | None = None

    def kept(self) -> GroupState:
        return GroupState(
            self.id,
            self.key,
            self.route,
            self.labels,
            tuple(self.members),
            self.due_ms,
            self.receiver,
            self.group_interval_ms,
            self.flushed,
            self.receivers,
            self.acknowledged_ms,
            self.left,
            self.considered_ms,
        )


def grouped(state: GroupState) -> Group:
    """The group as it was kept."""
    return Group(
        state.id,
        state.key,
        state.route,
        state.labels,
        dict.fromkeys(state.members),
        state.due_ms,
        state.receiver,
        state.group_interval_ms,
        state.flushed,
        state.receivers,
        state.acknowledged_ms,
        state.left,
        state.considered_ms,
    )
