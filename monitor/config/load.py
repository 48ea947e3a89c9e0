"""Reads a configuration file and reports everything that is wrong with it at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.config import checks
from monitor.config.document import Location, read_document
from monitor.config.environment import Resolver
from monitor.config.found import Found, dotted
from monitor.config.model import Config, FilesConfig, SourceConfig
from monitor.config.validating import given, remove, validated
from monitor.errors import ConfigError

__all__ = ["default_config", "load_config", "overridden"]


def load_config(
    path: str | Path, environ: Mapping[str, str] | None = None, *, need_source: bool = True
) -> Config:
    """The configuration in a YAML file, with `${NAME}` taken from `environ` (the process's by default). It
    may do without a source unless that is needed.

    Raises ConfigError with one line for each mistake: `monitor.yaml:12: source.kafka.topics: ..`.
    """
    document = read_document(Path(path))
    found = Found(document)
    if document.data is not None and not isinstance(document.data, dict):
        found.add((), "the file must be a mapping with keys such as store and source")
        found.raise_any()
    data = given(document.data or {})
    resolver = Resolver(os.environ if environ is None else environ)
    data = resolver.resolve(data)
    for place, sentence in resolver.problems:
        found.add(place, sentence)
        remove(data, place)
    config = validated(Config, data, found)
    found.add_mistakes(checks.mistakes(config))
    if need_source:
        _need_source(config, found)
    found.raise_any()
    return config


def _need_source(config: Config, found: Found) -> None:
    if config.source != SourceConfig() or config.ingest.spool is not None:
        return
    if not found.within(("source",)) and not found.within(("ingest",)):
        found.add(("source",), "is missing; name kafka or files, or an ingest.spool to post records to")


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
    wrong = [f"{options.get(m.place) or dotted(m.place)}: {m.sentence}" for m in checks.mistakes(changed)]
    if wrong:
        raise ConfigError(wrong)
    return changed


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not (colon and port.isdecimal() and int(port) < 65536):
        raise ConfigError([f"--listen: {listen!r} is no host:port; write for example 127.0.0.1:8080"])
    return host.strip("[]") or "0.0.0.0", int(port)
