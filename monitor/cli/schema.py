"""`monitor schema`: the record contract, and the label contract; that of events is `monitor event schema`."""

import json
from typing import Annotated

import typer

from monitor.ingest.contract import json_schema
from monitor.ingest.label_contract import label_schema

__all__ = ["schema"]


def schema(
    labels: Annotated[bool, typer.Option("--labels", help="The contract of a label instead.")] = False,
) -> None:
    """Print the contract of an inference record, or of a label, as JSON Schema."""
    print(json.dumps(label_schema() if labels else json_schema(), indent=2, ensure_ascii=False))
