"""`monitor oncall show|export`: who is on call, and when."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, FormatOption, configured
from monitor.cli.render import Format, render
from monitor.clock import DAY_MS, WallClock, rfc3339
from monitor.errors import ConfigError, QueryError
from monitor.paging.oncall.calendar_file import calendar_file
from monitor.paging.oncall.duties import rotations
from monitor.paging.oncall.rotation import Rotation, shifts
from monitor.sli.times import parse_time_ms

__all__ = ["app"]

app = typer.Typer(help="Who is on call, and when.")

_DaysOption = Annotated[int, typer.Option("--days", min=1, max=400, help="How far to look ahead.")]


@app.command("show")
def show(
    rotation: Annotated[str | None, typer.Argument(metavar="[ROTATION]", help="One only.")] = None,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="From when on: now, now+7d, ..")] = "now",
    days: _DaysOption = 14,
    config: ConfigOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the shifts of the rotations that are configured; a gap is a time when nobody is on call."""
    from_ms = parse_time_ms("--at", at, WallClock().now_ms())
    until_ms, nobody = from_ms + days * DAY_MS, "nobody" if format is Format.TABLE else None
    rows = [
        {
            "rotation": found.name,
            "person": shift.person or nobody,
            "from": rfc3339(shift.from_ms),
            "to": rfc3339(shift.to_ms),
        }
        for found in _found(config, rotation)
        for shift in shifts(found, from_ms, until_ms)
    ]
    render(rows, format)


@app.command("export")
def export(
    rotation: Annotated[str, typer.Argument(metavar="ROTATION", help="As the configuration names it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else it is printed.")
    ] = None,
    days: _DaysOption = 90,
    config: ConfigOption = None,
) -> None:
    """Write the shifts of a rotation as an iCalendar file, for people's own calendars."""
    now_ms = WallClock().now_ms()
    (found,) = _found(config, rotation)
    text = calendar_file(rotation, shifts(found, now_ms, now_ms + days * DAY_MS), now_ms)
    if output is None:
        sys.stdout.write(text.decode())
        return
    try:
        output.write_bytes(text)
    except OSError as e:
        raise ConfigError([f"--output {output}: {e.strerror or e}"]) from None
    print(output)


def _found(config: Path | None, name: str | None) -> list[Rotation]:
    known = rotations(configured(config).paging)
    if not known:
        raise QueryError("no rotation is configured; paging.rotations names them")
    if name is not None and name not in known:
        raise QueryError(f"there is no rotation {name!r}; there is {', '.join(known)}")
    return [rotation for rotation in known.values() if name in (None, rotation.name)]
