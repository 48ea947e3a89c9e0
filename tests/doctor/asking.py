"""Asking the doctor of one thing."""

from typing import Any

from monitor.config import Config
from monitor.doctor import Finding, diagnose

__all__ = ["TIMEOUT_S", "found"]

TIMEOUT_S = 10.0


def found(config: Config, name: str, **options: Any) -> Finding:
    """What the doctor says of one thing."""
    findings = {finding.name: finding for finding in diagnose(config, **{"timeout_s": TIMEOUT_S, **options})}
    assert name in findings, findings
    return findings[name]
