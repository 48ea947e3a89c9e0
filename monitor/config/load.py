"""Reads a configuration file and reports everything that is wrong with it at once."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config import checks
from monitor.config.document import Document, Location, read_document
from monitor.config.environment import Resolver
from monitor.config.explain import example_at, explain
from monitor.config.mistake import Mistake
from monitor.config.model import Config, FilesConfig, SourceConfig
from monitor.errors import ConfigError

__all__ = ["default_config", "load_config", "overridden"]


def load_config(path: str | Path, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in a YAML file, with `${NAME}` taken from `environ` (the process's by default).

    Raises ConfigError with one line for each mistake: `monitor.yaml:12: source.kafka.topics: ..`.
    """
    document = read_document(Path(path))
    found = _Found(document)
    if document.data is not None and not isinstance(document.data, dict):
        found.add((), "the file must be a mapping with keys such as store and source")
        found.raise_any()
    data = _given(document.data or {})
    resolver = Resolver(os.environ if environ is None else environ)
    data = resolver.resolve(data)
    for place, sentence in resolver.problems:
        found.add(place, sentence)
        _remove(data, place)
    config = _validated(data, found)
    found.add_mistakes(checks.mistakes(config))
    _need_source(config, found)
    found.raise_any()
    return config


def _need_source(config: Config, found: "_Found") -> None:
    if config.source != SourceConfig() or config.ingest.spool is not None:
        return
    if not found.within(("source",)) and not found.within(("ingest",)):
        found.add(("source",), "is missing; name kafka or files, or an ingest.spool to post records to")


class _Found:
    """The mistakes found so far, each with its place and line."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines: list[tuple[int, str]] = []
        self._places: set[Location] = set()
        for place, line, sentence in document.problems:
            self._note(place, line, sentence)

    def add(self, place: Location, sentence: str) -> None:
        """Notes a mistake, unless its place has one already: more about it would be guesswork."""
        if place not in self._places:
            self._places.add(place)
            self._note(place, self._document.line(place), sentence)

    def _note(self, place: Location, line: int, sentence: str) -> None:
        where = f"{_dotted(place)}: " if place else ""
        self._lines.append((line, f"{self._document.name}:{line}: {where}{sentence}"))

    def add_mistakes(self, mistakes: Iterable[Mistake]) -> None:
        """Notes those mistakes that rest on values of the file, not on what stands in for a wrong one."""
        for mistake in list(mistakes):
            within = any(self.within(place) for place in mistake.beside)
            if not within and not any(map(self._covered, (mistake.place, *mistake.beside))):
                self.add(mistake.place, mistake.sentence)

    def _covered(self, place: Location) -> bool:
        return any(place[:length] in self._places for length in range(1, len(place) + 1))

    def within(self, place: Location) -> bool:
        """Whether there is a mistake at this place or further in."""
        return any(known[: len(place)] == place for known in self._places)

    def raise_any(self) -> None:
        if self._lines:
            raise ConfigError([text for _, text in sorted(self._lines, key=lambda entry: entry[0])])


def _dotted(place: Location) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else "." + (part or "''")
    return text.removeprefix(".")


# Sections that hold others by name: there a name with nothing to say is still named.
_NAMED = ("models", "objectives")


def _given(data: dict[str, Any], named: bool = False) -> dict[str, Any]:
    """The data without the keys that have no value, but for those of `named` sections."""
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            kept[key] = _given(value, key in _NAMED and not named)
        elif isinstance(value, list):
            kept[key] = [_given(entry) if isinstance(entry, dict) else entry for entry in value]
        elif value is not None or named:
            kept[key] = {} if value is None else value
    return kept


def _validated(data: dict[str, Any], found: _Found) -> Config:
    """The configuration, with defaults and examples in place of what was wrong, and noted in `found`.

    So the checks that come after see the rest, and one run tells all there is to correct.
    """
    while True:
        try:
            return Config.model_validate(data, by_alias=True, by_name=False)
        except ValidationError as e:
            errors = e.errors(include_url=False)
        for error in errors:
            place = error["loc"]
            if error["type"] == "missing":
                if not found.within(place):
                    found.add(place, explain(error))
                _put(data, place, example_at(place))
                continue
            if place[-1] == "[key]":
                place = place[:-1]
            found.add(place, explain(error))
            _remove(data, place)


def _put(data: dict[str, Any], place: Location, value: Any) -> None:
    """Puts the value at `place`, unless what is around it has been taken out."""
    inner: Any = data
    for part in place[:-1]:
        try:
            inner = inner[part]
        except (KeyError, IndexError):
            return
    inner[str(place[-1])] = value


def _remove(data: dict[str, Any], place: Location) -> None:
    """Takes out the value at `place`; of a list the whole, for without an entry it means something else."""
    inner: Any = data
    for part in place[:-1]:
        if not isinstance(inner.get(part), dict):
            inner.pop(part, None)
            return
        inner = inner[part]
    inner.pop(place[-1], None)


def default_config(
    files: str | Path | None = None,
    store: str | None = None,
    listen: str | None = None,
    labels: str | Path | None = None,
) -> Config:
    """The defaults with what a command line gives; see `overridden`. Without `files` and `labels` there is
    no source."""
    return overridden(Config(), files=files, store=store, listen=listen, labels=labels)


def overridden(
    config: Config,
    files: str | Path | None = None,
    store: str | None = None,
    listen: str | None = None,
    labels: str | Path | None = None,
) -> Config:
    """The configuration with directories of files and of labels, a store URL or `host:port` in place of its
    own.

    Raises ConfigError, each line with the option that is wrong.
    """
    changes: dict[str, Any] = {}
    if files is not None or labels is not None:
        changes["source"] = SourceConfig(
            files=None if files is None else FilesConfig(path=Path(files)),
            labels=None if labels is None else FilesConfig(path=Path(labels)),
        )
    if store is not None:
        changes["store"] = store
    if listen is not None:
        host, port = _address(listen)
        changes["web"] = config.web.model_copy(update={"host": host, "port": port})
    changed = config.model_copy(update=changes)
    options: dict[Location, str] = {
        ("store",): "--store",
        ("source", "files", "path"): "--files",
        ("source", "labels", "path"): "--labels",
    }
    wrong = [f"{options.get(m.place) or _dotted(m.place)}: {m.sentence}" for m in checks.mistakes(changed)]
    if wrong:
        raise ConfigError(wrong)
    return changed


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not (colon and port.isdecimal() and int(port) < 65536):
        raise ConfigError([f"--listen: {listen!r} is no host:port; write for example 127.0.0.1:8080"])
    return host.strip("[]") or "0.0.0.0", int(port)
