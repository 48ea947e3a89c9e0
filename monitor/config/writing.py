"""Writes YAML as a person would: numbers bare, rows of a table in a line each."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

__all__ = ["yaml_text"]

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?", re.ASCII)
_WIDTH = 110


class _Row(dict[str, Any]):
    """A mapping that stands in one line."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        # Entries of a list further in than its key.
        super().increase_indent(flow, False)


class _BareDumper(_Dumper):
    """Without quotes about texts that are numbers: whoever keeps what is written needs none."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    tag = "float" if "." in value else "int"
    if _NUMBER.fullmatch(value):
        return dumper.represent_scalar(f"tag:yaml.org,2002:{tag}", value)
    return dumper.represent_str(value)


def _row(dumper: yaml.SafeDumper, row: _Row) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", row.items(), flow_style=True)


_BareDumper.add_representer(str, _text)
for _class in (_Dumper, _BareDumper):
    _class.add_representer(_Row, _row)


def yaml_text(*documents: Mapping[str, Any], bare: bool = False) -> str:
    """The documents, `---` between them, keys in the order that they have. `bare` is for configurations,
    which keep what is written: texts that are numbers need no quotes there."""
    return yaml.dump_all(
        [_shaped(document) for document in documents],
        Dumper=_BareDumper if bare else _Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=_WIDTH,
    )


def _shaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shaped(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_Row(v) if isinstance(v, Mapping) and _flat(v) else _shaped(v) for v in value]
    return value


def _flat(row: Mapping[str, Any]) -> bool:
    return len(row) > 1 and not any(isinstance(inner, Mapping | list | tuple) for inner in row.values())
