"""`monitor slo import` and `monitor slo export`: objectives from and to OpenSLO v1."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.config import load_config
from monitor.config.writing import yaml_text
from monitor.errors import ConfigError, QueryError
from monitor.openslo.exporting import documents
from monitor.openslo.importing import import_files
from monitor.sli.question import unknown

__all__ = ["OutputOption", "export_objectives", "import_objectives", "write"]

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to this file; else to the screen."),
]


def import_objectives(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="OpenSLO v1 documents, YAML.")],
    known_as: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="SLI=INDICATOR",
            help="What an SLI of another tool is here: --as 'web-latency=latency under 300ms'.",
        ),
    ] = None,
    output: OutputOption = None,
) -> None:
    """Turn OpenSLO v1 documents into the sections of a configuration: print or write them as YAML."""
    try:
        imported = import_files(files, dict(map(_known_as, known_as or ())))
    except ConfigError as e:
        print("\n".join(e.problems))
        count = len(e.problems)
        print(f"monitor: {count} {'mistake' if count == 1 else 'mistakes'}", file=sys.stderr)
        raise typer.Exit(FAILED) from None
    for note in imported.notes:
        print(f"note: {note}", file=sys.stderr)
    write(yaml_text(imported.sections(), bare=True), output)


def export_objectives(
    config: Annotated[
        Path,
        typer.Option(
            "--config", "-c", metavar="FILE", envvar="MONITOR_CONFIG", help="The configuration, YAML."
        ),
    ],
    model: Annotated[str | None, typer.Option("--model", "-m", help="This model only.")] = None,
    output: OutputOption = None,
) -> None:
    """Write the objectives of a configuration as OpenSLO v1 documents."""
    loaded = load_config(config)
    with_objectives = [name for name, of_model in loaded.models.items() if of_model.objectives]
    if model is not None and model not in with_objectives:
        raise unknown("--model", model, with_objectives)
    if not with_objectives:
        raise QueryError(f"{config}: no model has objectives; `monitor slo init` writes a start")
    write(yaml_text(*documents(loaded, model)), output)


def _known_as(text: str) -> tuple[str, str]:
    name, equals, indicator = text.partition("=")
    if not (name.strip() and equals and indicator.strip()):
        raise QueryError(f"--as: {text!r} is no SLI=INDICATOR, such as 'web-latency=latency under 300ms'")
    return name.strip(), indicator.strip()


def write(text: str, output: Path | None) -> None:
    """Prints the text, or writes it to a file. Raises QueryError where that can't be."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as e:
        raise QueryError(f"--output: {output} can't be written: {(e.strerror or str(e)).lower()}") from None
    print(f"wrote {output}")
