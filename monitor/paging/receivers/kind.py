"""What there is for each kind of receiver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitor.config.section import Section
from monitor.paging.message import Sender

__all__ = ["Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is the YAML's key without `_configs`; `config` the section of one entry, with a `send_resolved`;
    `make` gives the sender of an entry. An entry must have exactly one of the fields `needs`."""

    name: str
    config: type[Section]
    make: Callable[[Any], Sender]
    needs: tuple[str, ...] = ()
