"""YAML read with the line of every key, so that a mistake can be shown where it was made.

Scalars stay the text that was written: what type a value has to be, the model says. So a version
`1.10` keeps its nought, and `no` is a name like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from monitor.errors import ConfigError

__all__ = ["Document", "Location", "read_document", "read_documents"]

Location = tuple[str | int, ...]

_MAX_NODES = 100_000
_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_CORE = "tag:yaml.org,2002:"
_TAGS = {_CORE + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "seq", "map")}


@dataclass(slots=True)
class Document:
    """What a file says: mappings, lists, texts and None, and the 1-based line of each by its place.

    `problems` holds what was wrong with the file's form, as (place, line, sentence).
    """

    name: str
    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[tuple[Location, int, str]] = field(default_factory=list)

    def line(self, location: Location) -> int:
        """The line of a place, or of the nearest one around it that the file has."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.lines:
                return self.lines[location[:length]]
        return self.lines.get((), 1)


def read_document(path: Path) -> Document:
    """Reads one YAML file. Raises ConfigError where it can't be read or is no YAML at all."""
    text = _text(path, "give the configuration with -c FILE")
    document = Document(str(path))
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None:
            document.data = _Builder(document).build(node, ())
    except yaml.YAMLError as e:
        raise ConfigError([_not_yaml(path, text, e)]) from None
    except RecursionError:
        raise ConfigError([f"{path}: nests hundreds of levels deep; make it flatter"]) from None
    return document


def read_documents(path: Path) -> list[Document]:
    """Reads a YAML file of several documents with `---` between them, empty ones left out; lines are those
    of the file. Raises ConfigError as `read_document` does."""
    text = _text(path, "check its name")
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as e:
        raise ConfigError([_not_yaml(path, text, e)]) from None
    documents: list[Document] = []
    for node in nodes:
        if node is not None and node.tag != _NULL:
            document = Document(str(path))
            document.data = _Builder(document).build(node, ())
            documents.append(document)
    return documents


def _text(path: Path, hint: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as e:
        raise ConfigError([f"{path}: is not UTF-8 at byte {e.start}; save it as UTF-8"]) from None
    except OSError as e:
        reason = (e.strerror or str(e)).lower()
        raise ConfigError([f"{path}: can't be read: {reason}; {hint}"]) from None


def _not_yaml(path: Path, text: str, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"{path}:{line}: not YAML: a control character (#x{error.character:02x}); remove it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{path}: not YAML: {error}"
    mark, problem = error.problem_mark, error.problem or "unreadable"
    hint = "; indent with spaces" if "'\\t'" in problem else ""
    return f"{path}:{mark.line + 1}:{mark.column + 1}: not YAML: {problem}{hint}"


class _Builder:
    """Turns YAML nodes into plain values and notes lines and problems in the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: set[int] = set()
        self._nodes = 0

    def build(self, node: yaml.Node, place: Location) -> Any:
        line = node.start_mark.line + 1
        self._document.lines.setdefault(place, line)
        self._nodes += 1
        if id(node) in self._open:
            self._problem(place, line, "refers to itself; write the value out")
            return None
        # Aliases within aliases multiply: a file of a few lines could fill the memory.
        if self._nodes > _MAX_NODES:
            raise ConfigError([f"{self._document.name}:{line}: has more than {_MAX_NODES:,} values"])
        self._open.add(id(node))
        try:
            return self._value(node, place, line)
        finally:
            self._open.discard(id(node))

    def _value(self, node: yaml.Node, place: Location, line: int) -> Any:
        if node.tag not in _TAGS:
            tag = str(node.tag).replace(_CORE, "!!")
            self._problem(place, line, f"the tag {tag} means nothing here; remove it")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, i)) for i, item in enumerate(node.value)]
        return None if node.tag == _NULL else node.value

    def _mapping(self, node: yaml.MappingNode, place: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
                continue
            key = key_node.value
            if key in own:
                self._problem((*place, key), line, f"is given twice, first in line {own[key]}; keep one")
                continue
            own[key] = line
            self._document.lines[(*place, key)] = line
            values[key] = self.build(value_node, (*place, key))
        for merged in self._merged(node, place):
            for key, value in merged.items():
                values.setdefault(key, value)
        return values

    def _merged(self, node: yaml.MappingNode, place: Location) -> Iterator[dict[str, Any]]:
        """The mappings that `<<` brings in; keys of the mapping's own go before them."""
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(place, line, "has a key that is no plain text; write a name")
            elif key_node.tag == _MERGE:
                several = isinstance(value_node, yaml.SequenceNode)
                for item in value_node.value if several else [value_node]:
                    value = self.build(item, place)
                    if isinstance(value, dict):
                        yield value
                    else:
                        self._problem(place, line, "`<<` must name a mapping; check the anchor")

    def _problem(self, place: Location, line: int, sentence: str) -> None:
        self._document.problems.append((place, line, sentence))
