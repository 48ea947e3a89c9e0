"""What there is for each kind of receiver."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitor.config.section import Section
from monitor.paging.message import Sender
from monitor.paging.templates import DEFAULT, Templates

__all__ = ["Kind", "Note", "nothing", "with_global"]

Note = tuple[str, str]


class Make(Protocol):
    """Gives the sender of an entry; `templates` are those of the whole configuration."""

    def __call__(self, config: Any, /, templates: Templates = DEFAULT) -> Sender: ...


def nothing(_: Any) -> Sequence[Note]:
    """No notes."""
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is the YAML's key without `_configs`; `config` the section of one entry, with a `send_resolved`;
    `make` gives the sender of an entry. An entry must have exactly one of the fields `needs`.

    `inherits` names, for keys that an entry leaves out, the key of the file's `global`. `problems` are what
    keeps an entry from working, `warnings` what of it is not used, each a key and a sentence.
    """

    name: str
    config: type[Section]
    make: Make
    needs: tuple[str, ...] = ()
    inherits: Mapping[str, str] = field(default_factory=dict)
    problems: Callable[[Any], Sequence[Note]] = nothing
    warnings: Callable[[Any], Sequence[Note]] = nothing


def with_global(kind: Kind, given: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with what it leaves out from `shared`, the file's `global`. A value and the file of that value
    are two ways to say one thing: of them the entry's goes."""
    said = {key.removesuffix("_file") for key in given}
    found = dict(given)
    for key, name in kind.inherits.items():
        value = shared.get(name)
        if key.removesuffix("_file") not in said and value not in (None, ""):
            found[key] = value
    if "http_config" in kind.config.model_fields and "http_config" not in given and shared.get("http_config"):
        found["http_config"] = shared["http_config"]
    return found
