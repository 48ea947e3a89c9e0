"""`monitor slo init`: a start on the objectives of a model."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from monitor.cli.options import ConfigOption, StoreOption, configured
from monitor.cli.slo_documents import OutputOption, write
from monitor.clock import WallClock, rfc3339
from monitor.config import Config
from monitor.config.thresholds import counted_thresholds_ms
from monitor.config.writing import yaml_text
from monitor.errors import QueryError
from monitor.slo.seen import Seen, look
from monitor.slo.start import ModelType, Proposal, guess, metrics_of, proposals
from monitor.store import Store
from monitor.store.names import models

__all__ = ["init"]


def init(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    type: Annotated[
        ModelType | None, typer.Option("--type", help="What it predicts; else what its labels show.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
) -> None:
    """Write a start on a model's objectives, fitted to its stream and baseline, with the reasons."""
    if output is not None and output.exists():
        raise QueryError(f"--output: {output} exists; name a new file, or copy from the screen")
    settings = configured(config, store)
    seen = _look(settings, model, type)
    kept = settings.models[model].objectives if model in settings.models else {}
    kind = type or guess(seen or Seen())
    proposed = proposals(seen or Seen(), kind, counted_thresholds_ms(settings))
    head = _head(model, seen, kind if type is None else None, list(kept))
    lines = [*head, *_section(model, [p for p in proposed if p.name not in kept])]
    write("".join(f"{line}\n" for line in lines), output)


def _look(settings: Config, model: str, type: ModelType | None) -> Seen | None:
    """What is stored of the model. A store that isn't there yet is not made."""
    url = sa.make_url(settings.store)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        print(f"monitor: there is no store {url.database} yet: these are usual values", file=sys.stderr)
        return None
    opened = Store.open(settings.store)
    try:
        seen = look(opened, model, metrics_of(type), WallClock().now_ms(), settings.windows)
        if seen is None:
            known = ", ".join(models(opened)[:10]) or "no model yet"
            print(f"monitor: nothing of {model!r} is stored: these are usual values", file=sys.stderr)
            print(f"monitor: the store has {known}", file=sys.stderr)
        return seen
    finally:
        opened.close()


def _head(model: str, seen: Seen | None, guessed: ModelType | None, kept: Sequence[str]) -> Iterator[str]:
    if seen is None:
        yield f"# A start on the objectives of {model}: usual values, for nothing of it is stored yet."
    else:
        begin, end = (rfc3339(ms)[:10] for ms in (seen.from_ms, seen.to_ms))
        yield f"# A start on the objectives of {model}, from {seen.requests:,} requests, {begin} to {end}."
    if guessed is not None:
        yield f"# It is taken for {guessed}; give --type if it is something else."
    yield "# Change what does not fit, put it into the configuration, then: monitor check -c monitor.yaml"
    if kept:
        yield f"# Left out, for the configuration has them: {', '.join(kept)}."


def _section(model: str, found: Iterable[Proposal]) -> Iterator[str]:
    yield "models:"
    yield f"  {_key(model)}:"
    yield "    objectives:"
    for proposal in found:
        body = _lines(proposal)
        yield from (f"      # {comment}" for comment in proposal.comments)
        yield from (f"      {'' if proposal.sure else '# '}{line}" for line in body)


def _lines(proposal: Proposal) -> list[str]:
    keys = {key: value for key, value in proposal.keys.items() if value != "[]"}
    text = yaml_text({proposal.name: keys}, bare=True)
    empty = [f"  {key}: []" for key, value in proposal.keys.items() if value == "[]"]
    return [*text.splitlines(), *empty]


def _key(name: str) -> str:
    return yaml_text({name: None}).rstrip("\n").removesuffix(" null").removesuffix(":")
