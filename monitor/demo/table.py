"""The demo's table: the indicators of every model and version."""

from rich import box
from rich.table import Table

from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store import Store
from monitor.store.names import models

__all__ = ["sli_table"]

_COLUMNS = (
    ("records", "records", "{:.0f}", 1),
    ("request_rate", "req/s", "{:.2f}", 1),
    ("latency_p50", "p50 ms", "{:.1f}", 1),
    ("latency_p95", "p95 ms", "{:.1f}", 1),
    ("latency_p99", "p99 ms", "{:.1f}", 1),
    ("error_rate", "errors %", "{:.2f}", 100),
    ("auth_failure_rate", "auth %", "{:.2f}", 100),
    ("quality_error_rate", "invalid %", "{:.2f}", 100),
    ("label_coverage", "labelled %", "{:.0f}", 100),
)


def sli_table(store: Store, from_ms: int, to_ms: int, now_ms: int, title: str) -> Table:
    """Indicators over [from_ms, to_ms), a line for each model and version. Reads the store."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    table.add_column("version", no_wrap=True)
    for _, heading, _, _ in _COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for model in models(store):
        lines: dict[str, list[str]] = {}
        for i, (sli, _, shape, scale) in enumerate(_COLUMNS):
            for line in answer(store, Question(model, sli, from_ms, to_ms, by=("version",)), now_ms):
                cells = lines.setdefault(line["version"] or "-", ["-"] * len(_COLUMNS))
                if line["value"] is not None:
                    cells[i] = shape.format(line["value"] * scale)
        served = [version for version in sorted(lines) if lines[version][0] != "-"]
        for version in served:
            table.add_row(model, version, *lines[version])
    return table
