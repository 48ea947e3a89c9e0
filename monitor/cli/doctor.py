"""`monitor doctor`: is everything that monitor needs there, and what to do if not."""

from dataclasses import asdict
from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.doctor import diagnose

__all__ = ["doctor"]


def doctor(
    config: ConfigOption = None,
    store: StoreOption = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for a server.")] = 5.0,
    format: FormatOption = Format.TABLE,
) -> None:
    """Check the broker, topics, store, clocks, disk and port; exit 1 when something fails."""
    findings = diagnose(configured(config, store), timeout_s=timeout)
    render([asdict(finding) for finding in findings], format, ("name", "state", "seen", "advice"))
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(FAILED)
