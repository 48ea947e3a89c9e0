"""The drift report as an HTML page by Evidently. The only module that knows of it."""

import html
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from monitor.errors import ConfigError
from monitor.reports.drift_rows import DriftRows

__all__ = ["drift_page"]

_MISSING = 'report drift: needs evidently, which is not installed: pip install "monitor[reports]"'
# Evidently's switch, and that of the library that it reports its use with.
_NO_TELEMETRY = ("DO_NOT_TRACK", "ITERATIVE_DO_NOT_TRACK")
_STYLE = (
    "font-family: system-ui, sans-serif; max-width: 1200px; margin: 24px auto 0; padding: 0 24px; "
    "line-height: 1.45; color: #222; background: #fff"
)


def drift_page(rows: DriftRows) -> str:
    """A page that needs nothing from any network: a summary, and drift and values of each column.

    Raises ConfigError where Evidently is not installed.
    """
    for name in _NO_TELEMETRY:
        os.environ[name] = "1"
    with _quiet():
        return _headed(_evidently(rows), rows)


@contextmanager
def _quiet() -> Iterator[None]:
    """Evidently warns of what concerns its developers only, and of constant columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _evidently(rows: DriftRows) -> str:
    try:
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset, DataSummaryPreset
    except ModuleNotFoundError as e:
        if (e.name or "").split(".")[0] != "evidently":
            raise
        raise ConfigError([_MISSING]) from None
    definition = DataDefinition(
        numerical_columns=[c.name for c in rows.columns if c.numeric],
        categorical_columns=[c.name for c in rows.columns if not c.numeric],
    )
    frames = (_frame(rows, side) for side in ("current", "reference"))
    current, reference = (Dataset.from_pandas(f, data_definition=definition) for f in frames)
    report = Report([DataDriftPreset(), DataSummaryPreset()])
    page: str = report.run(current_data=current, reference_data=reference).get_html_str(as_iframe=False)
    return page


def _frame(rows: DriftRows, side: str) -> Any:
    import pandas as pd

    def series(values: Sequence[float | str | None], numeric: bool) -> Any:
        return pd.Series(values, dtype="float64" if numeric else "object")

    return pd.DataFrame({c.name: series(getattr(c, side), c.numeric) for c in rows.columns})


def _headed(page: str, rows: DriftRows) -> str:
    """The page with a title and a head that says what it shows."""
    title = html.escape(f"Drift of {rows.title}")
    notes = "".join(f"<p style='margin: 2px 0'>{html.escape(note)}</p>" for note in rows.notes)
    heading = f"<h1 style='font-size: 26px; margin: 0 0 8px'>{title}</h1>"
    head = f"<header style='{_STYLE}'>{heading}{notes}</header>"
    page = page.strip().removeprefix("<body>").lstrip()
    page = page.replace("<head>", f"<head>\n<title>{title}</title>", 1)
    return re.sub(r"(</head>\s*<body>)", lambda m: m.group(1) + head, page, count=1)
