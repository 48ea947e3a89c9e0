"""The pieces of PromQL that rules are put together from."""

import json
import re
from collections.abc import Mapping

from monitor.slo.objective import Meter, Outcomes, Under

__all__ = [
    "LATENCY",
    "REQUESTS",
    "bad_and_all",
    "duration",
    "le",
    "literal",
    "matchers",
    "number",
    "selector",
]

REQUESTS, LATENCY = "monitor_requests_total", "monitor_request_latency_seconds"
_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: int) -> str:
    """As Prometheus writes it, in the largest unit that it is whole in: 5m, 6h, 3d, 90s."""
    if seconds == 0:
        return "0s"
    unit, length = next((u, n) for u, n in _UNITS if seconds % n == 0)
    return f"{seconds // length}{unit}"


def number(value: float) -> str:
    """A number without the digits that binary fractions leave behind: 0.001, not 0.0010000000000000009."""
    return f"{value:.12g}"


def le(limit_ms: float) -> str:
    """The label of the bucket of latencies of at most `limit_ms`, as /metrics has it."""
    return repr(limit_ms / 1000)


def literal(text: str) -> str:
    """The text in a label or annotation of an alert, which Prometheus takes for a template."""
    return text.replace("{{", '{{ "{{" }}')


def matchers(labels: Mapping[str, str]) -> str:
    """`{a="x",b="y"}`, or nothing for no labels."""
    # JSON's quoting of a string is Go's, as long as nothing is escaped beyond ASCII's controls and quotes.
    quoted = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
    return "{" + ",".join(quoted) + "}" if labels else ""


def selector(metric: str, labels: Mapping[str, str], *further: str) -> str:
    """The metric with its labels, and with `further` matchers written out."""
    parts = [m for m in (matchers(labels)[1:-1], *further) if m]
    return f"{metric}{{{','.join(parts)}}}" if parts else metric


def bad_and_all(meter: Meter, labels: Mapping[str, str], by: tuple[str, ...], window: str) -> tuple[str, str]:
    """How many events of the window were bad, and how many there were, summed `by` labels.

    Of Outcomes and Under only: nothing else is counted in series of Prometheus. monitor shows every
    outcome of a series from its first request on, so that no bad events are 0 and not absent.
    """
    total_by = f"sum by ({', '.join(by)})"

    def increase(metric: str, *further: str) -> str:
        return f"{total_by} (increase({selector(metric, labels, *further)}[{window}]))"

    match meter.source:
        case Outcomes(bad):
            total = increase(REQUESTS)
            names = "|".join(re.escape(o.name.lower()) for o in bad)
            return increase(REQUESTS, f'outcome=~"{names}"'), total
        case Under(limit_ms):
            total = increase(f"{LATENCY}_count")
            under = increase(f"{LATENCY}_bucket", f'le="{le(limit_ms)}"')
            # Extrapolation may put the two a hair apart.
            return f"clamp_min(\n  {total}\n  -\n  {under},\n  0)", total
        case other:
            raise ValueError(f"Prometheus has no series that count {other}")
