"""`monitor doctor`: looks at everything that monitor needs, and says what to do about what is wrong."""

from monitor.clock import Clock, WallClock
from monitor.config import Config
from monitor.doctor.broker import look_at_broker
from monitor.doctor.finding import Finding
from monitor.doctor.machine import look_at_machine
from monitor.doctor.store import look_at_store

__all__ = ["Finding", "diagnose"]


def diagnose(config: Config, clock: Clock | None = None, timeout_s: float = 5.0) -> list[Finding]:
    """Everything that was looked at, in the order that data goes: source, store, this machine.

    Changes nothing, raises nothing, and waits `timeout_s` seconds at most for each server.
    """
    clock = clock or WallClock()
    findings: list[Finding] = []
    if config.source.kafka is not None:
        findings += look_at_broker(config.source.kafka, config.stream.max_ahead_ms, clock, timeout_s)
    findings += look_at_store(config, clock, timeout_s)
    findings += look_at_machine(config)
    return findings
