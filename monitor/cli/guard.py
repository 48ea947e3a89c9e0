"""What becomes of an error: a sentence and an exit code."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from monitor.errors import ConfigError, MonitorError, QueryError
from monitor.logs import Masker

__all__ = ["FAILED", "INTERRUPTED", "WRONGLY_ASKED", "Guarded"]

FAILED, WRONGLY_ASKED, INTERRUPTED = 1, 2, 130


class Guarded(TyperGroup):
    """Commands whose MonitorErrors end as sentences on standard error. A traceback is left to bugs."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MonitorError as e:
            for line in Masker().text(str(e)).splitlines():
                print(f"monitor: {line}", file=sys.stderr)
            wrongly_asked = isinstance(e, ConfigError | QueryError)
            raise typer.Exit(WRONGLY_ASKED if wrongly_asked else FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
