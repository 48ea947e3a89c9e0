"""What ours promises where it is better than the real one, which then can't be the judge of it."""

from collections.abc import Iterator
from dataclasses import replace

from monitor.paging.pager import Pager
from tests.paging.differential.comparing import text
from tests.paging.differential.ours import Ours
from tests.paging.differential.recording import Arrival
from tests.paging.differential.scenario import Scenario

__all__ = ["broken"]


def broken(scenario: Scenario, begins_ms: int, pager: type[Pager] = Pager) -> list[str]:
    """A sentence for each promise that ours breaks in the scenario."""
    ours = Ours(scenario, begins_ms, pager)
    told = ours.run()
    return [*_same_without_the_moment(scenario, begins_ms, pager, told), *_ends_follow(ours, told)]


def _same_without_the_moment(
    scenario: Scenario, begins_ms: int, pager: type[Pager], told: list[Arrival]
) -> Iterator[str]:
    """A restart, or a reload that changes nothing, isn't noticed."""
    if scenario.moment is None or scenario.route_after is not None:
        return
    undisturbed = Ours(replace(scenario, moment=None), begins_ms, pager).run()
    if [text(a) for a in told] != [text(a) for a in undisturbed]:
        yield f"{scenario.name}: a moment was noticed, {scenario.moment.kind}"


def _ends_follow(ours: Ours, told: list[Arrival]) -> Iterator[str]:
    """What was told as firing is told as ended, to those who want to know, by the next flush."""
    scenario = ours.scenario
    if scenario.failing:
        return
    last: dict[tuple[str, str, str], str] = {}
    for arrival in told:
        name, index = arrival.path.removeprefix(f"{scenario.name}-").split("/")
        target = scenario.receivers[name][int(index)]
        if target.send_resolved and not target.max_alerts:
            for alert in arrival.body["alerts"]:
                last[arrival.path, arrival.body["groupKey"], alert["fingerprint"]] = alert["status"]
    known = ours.known()
    longest_ms = int(str(scenario.route["group_interval"]).removesuffix("ms"))
    for (path, group, fingerprint), status in last.items():
        over_for_ms = ours.begins_ms + scenario.length_ms - known[fingerprint].ends_ms
        if status == "firing" and over_for_ms > longest_ms:
            yield f"{path} {group}: the end of {dict(known[fingerprint].labels)} was never told"
