"""`monitor schema`: the record contract."""

import json

from monitor.ingest.contract import json_schema

__all__ = ["schema"]


def schema() -> None:
    """Print the contract of an inference record as JSON Schema."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
