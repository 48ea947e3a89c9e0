"""Rotations of a configuration, and the receivers that reach whoever is on call."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from zlib import crc32

from monitor.config.paging import HoursConfig, PagingConfig, RotationConfig
from monitor.paging.oncall.local_time import ALL_DAYS, Hours
from monitor.paging.oncall.rotation import Layer, Override, Rotation, on_call
from monitor.paging.settings import Integration, Receiver

__all__ = ["hours", "on_call_receivers", "rotations", "weekdays"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def rotations(config: PagingConfig) -> dict[str, Rotation]:
    """By name."""
    return {name: _rotation(name, said) for name, said in config.rotations.items()}


def _rotation(name: str, said: RotationConfig) -> Rotation:
    layers = tuple(
        Layer(
            layer.people,
            layer.every_days,
            date.fromisoformat(layer.since),
            time.fromisoformat(layer.handover),
            layer.time_zone,
            None if layer.hours is None else hours(layer.hours),
        )
        for layer in said.layers
        if layer.people
    )
    overrides = tuple(Override(o.person, _ms(o.from_), _ms(o.to), o.reason) for o in said.overrides)
    return Rotation(name, layers, overrides)


def hours(said: HoursConfig) -> Hours:
    """The stretch of the day."""
    begin, end = time.fromisoformat(said.from_), time.fromisoformat(said.to)
    return Hours(said.time_zone, begin, end, weekdays(said.days))


def weekdays(named: Sequence[str]) -> frozenset[int]:
    """Monday is 0; all of them where none is named."""
    return frozenset(map(_DAYS.index, named)) or ALL_DAYS


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def on_call_receivers(all_of: Mapping[str, Rotation], known: Mapping[str, Receiver]) -> dict[str, Receiver]:
    """For each rotation a receiver `oncall-<name>`: the integrations of its people, each on duty while its
    person is on call. People who are no receivers are left out."""
    return {f"oncall-{name}": _receiver(rotation, known) for name, rotation in all_of.items()}


def _receiver(rotation: Rotation, known: Mapping[str, Receiver]) -> Receiver:
    people = {person for layer in rotation.layers for person in layer.people}
    people |= {override.person for override in rotation.overrides}
    found: list[Integration] = []
    for person in sorted(people & known.keys()):
        duty = partial(_has_duty, rotation, person)
        for integration in known[person].integrations:
            # A number that stays the person's whoever joins or leaves: the end of what somebody was told
            # must not go to another.
            number = crc32(f"{person}/{integration.index}".encode())
            found.append(replace(integration, index=number, on_duty=duty))
    return Receiver(f"oncall-{rotation.name}", tuple(found))


def _has_duty(rotation: Rotation, person: str, at_ms: int) -> bool:
    return on_call(rotation, at_ms) == person
