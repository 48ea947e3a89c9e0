"""What the parts of a configuration must hold against each other, and against this machine."""

import ipaddress
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from monitor.config import kafka_options
from monitor.config.checks_alerts import alert_mistakes, alert_warnings
from monitor.config.checks_objectives import objective_mistakes
from monitor.config.document import Location
from monitor.config.durations import DAY_MS, format_duration
from monitor.config.mistake import Mistake
from monitor.config.model import Config
from monitor.config.secrets import mask_url
from monitor.config.topics import named_streams
from monitor.records import Carries

__all__ = ["Mistake", "is_loopback", "matching_files", "mistakes", "warnings"]


def mistakes(config: Config) -> Iterator[Mistake]:
    """Every mistake that no single value shows."""
    yield from _store(config)
    yield from _source(config)
    yield from _directories(config)
    yield from _names(config)
    yield from _times(config)
    yield from _models(config)
    yield from objective_mistakes(config)
    yield from alert_mistakes(config)
    yield from _paging(config)
    yield from _retraining(config)


def _paging(config: Config) -> Iterator[Mistake]:
    # Not above: paging reads Alertmanager's file with the means of this package.
    from monitor.paging.configured import paging_mistakes

    yield from paging_mistakes(config.paging)


def _retraining(config: Config) -> Iterator[Mistake]:
    from monitor.retraining.settings import retraining_mistakes

    yield from retraining_mistakes(config)


def _store(config: Config) -> Iterator[Mistake]:
    place: Location = ("store",)
    try:
        url = sa.make_url(config.store)
        backend = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        shown, try_this = mask_url(config.store), "sqlite:///monitor.db or postgresql://user@host/db"
        yield Mistake(place, f"{shown!r} is no database URL; write {try_this}")
        return
    if backend not in ("sqlite", "postgresql", "postgres"):
        yield Mistake(place, f"{backend} is not supported; use sqlite or postgresql")
    elif backend == "sqlite":
        if url.database in (None, "", ":memory:"):
            yield Mistake(place, "SQLite in memory would forget; name a file: sqlite:///monitor.db")
        elif not Path(str(url.database)).absolute().parent.is_dir():
            yield Mistake(place, f"the directory of {url.database} does not exist; create it")


def _source(config: Config) -> Iterator[Mistake]:
    kafka, files = config.source.kafka, config.source.files
    if kafka is not None and files is not None:
        yield Mistake(("source",), "names both kafka and files; keep one")
    for _, key, directory in config.source.directories:
        if not directory.path.is_dir():
            state = "is no directory" if directory.path.exists() else "does not exist; create the directory"
            yield Mistake(("source", key, "path"), f"{directory.path} {state}")
    if kafka is not None:
        place: Location = ("source", "kafka", "options")
        for name, sentence in kafka_options.problems_of(kafka.options):
            yield Mistake((*place, name), sentence) if name else Mistake(place, sentence, (place,))


def _directories(config: Config) -> Iterator[Mistake]:
    """Directories that are no directories, or that would be read twice."""
    spool = config.ingest.spool
    known: dict[Path, Location] = {}
    for _, key, files in config.source.directories:
        yield from _read_twice(known, ("source", key, "path"), files.path)
    if spool is not None:
        place: Location = ("ingest", "spool", "path")
        if spool.path.exists() and not spool.path.is_dir():
            yield Mistake(place, f"{spool.path} is no directory")
        yield from _read_twice(known, place, spool.path)
        for carries in (Carries.LABELS, Carries.EVENTS):
            yield from _read_twice(known, place, spool.directory(carries), f"with {carries} in it ")


def _read_twice(known: dict[Path, Location], place: Location, path: Path, how: str = "") -> Iterator[Mistake]:
    other = known.setdefault(path.resolve(), place)
    if other != place:
        sentence = f"{how}is {'.'.join(map(str, other))} as well, and would be read twice"
        yield Mistake(place, f"{sentence}; give it a directory of its own", (other,))


def _names(config: Config) -> Iterator[Mistake]:
    """Streams that would be told apart by nothing: progress is kept by their names."""
    known: dict[str, Location] = {}
    for place, name, _ in named_streams(config):
        other = known.setdefault(name, place)
        if other != place:
            sentence = f"{name} is the name of {'.'.join(map(str, other))} as well; rename one of the two"
            yield Mistake(place, sentence, (other,))


def _times(config: Config) -> Iterator[Mistake]:
    stream, windows, retention = config.stream, config.windows, config.retention
    hold = ("stream", "max_hold")
    if stream.disorder_ms >= stream.max_hold_ms:
        sentence = f"must be shorter than stream.max_hold ({format_duration(stream.max_hold_ms)})"
        yield Mistake(("stream", "disorder"), sentence, (hold,))
    tiers = {"1m": retention.minute_days, "1h": retention.hour_days, "1d": retention.day_days}
    for (short, short_days), (long, long_days) in pairwise(tiers.items()):
        if long_days < short_days:
            sentence = f"must not be shorter than retention.{short} ({short_days}d)"
            yield Mistake(("retention", long), sentence, (("retention", short),))
    longest_ms = max(windows.service_s, windows.features_s, windows.quality_s) * 1000
    if retention.minute_days * DAY_MS < longest_ms + stream.max_hold_ms:
        window, held = format_duration(longest_ms), format_duration(stream.max_hold_ms)
        sentence = f"must be longer than the longest window ({window}) and stream.max_hold ({held}) together"
        yield Mistake(("retention", "1m"), sentence, (("windows",), hold))


def _models(config: Config) -> Iterator[Mistake]:
    if len(config.models) > config.limits.models:
        sentence = f"has {len(config.models)} models; raise limits.models ({config.limits.models})"
        yield Mistake(("models",), sentence, (("limits", "models"),))
    most = config.limits.segment_labels
    for name, model in config.models.items():
        if model.segments is not None and len(model.segments) > most:
            sentence = f"has {len(model.segments)} labels; raise limits.segment_labels ({most})"
            yield Mistake(("models", name, "segments"), sentence, (("limits", "segment_labels"),))
        dropped = () if model.segments is None else set(model.feature_segments) - set(model.segments)
        if dropped:
            place: Location = ("models", name, "feature_segments")
            sentence = f"names {', '.join(sorted(dropped))}, which segments lacks; add it there"
            yield Mistake(place, sentence, (("models", name, "segments"),))
        groups = model.card.groups
        if groups is not None and model.segments is not None and groups not in model.segments:
            sentence = f"is {groups}, which segments lacks; add it there"
            yield Mistake(("models", name, "card", "groups"), sentence, (("models", name, "segments"),))


def warnings(config: Config) -> Iterator[Mistake]:
    """What works, but somebody should know."""
    host = config.web.host
    if not is_loopback(host):
        sentence = f"{host} is beyond loopback: every request will need a token; see `monitor token create`"
        yield Mistake(("web", "host"), sentence)
    kafka = config.source.kafka
    if kafka is not None and kafka.options.get("security.protocol", "").lower() == "sasl_plaintext":
        sentence = "SASL_PLAINTEXT sends passwords unencrypted; SASL_SSL does not"
        yield Mistake(("source", "kafka", "options"), sentence)
    for _, key, read in config.source.directories:
        if read.path.is_dir() and not matching_files(read.path, read.pattern):
            yield Mistake(("source", key, "pattern"), f"no file in {read.path} matches {read.pattern} yet")
    yield from alert_warnings(config)
    yield from _paging_warnings(config)


def _paging_warnings(config: Config) -> Iterator[Mistake]:
    # Not above, as with mistakes.
    from monitor.paging.configured import paging_warnings

    yield from paging_warnings(config.paging)


def matching_files(directory: Path, pattern: str) -> list[Path]:
    """The files of a directory that a source with this pattern reads, by name."""
    found = (path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in found if fnmatch(path.name, pattern))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
