"""Batches as halves of pairs, ready to be stored."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np

from monitor.clock import DAY_MS
from monitor.profiles.profiler import Profiler
from monitor.records import Batch, Bools, FeatureBlock, Ints, LabelBatch
from monitor.store.pair_codec import (
    LABEL,
    PREDICTION,
    Bytes,
    Flags,
    Halves,
    ValueKind,
    encode_labels,
    encode_predictions,
    join_keys,
    short_hash,
    values_of,
)

__all__ = ["Samples", "label_halves", "prediction_halves"]

# Of more classes only the one score is kept: an entry has a bound.
_MAX_CLASSES = 255
# The share of a model's pairs to keep, 1 where there is none. Labels that are for every model are all kept.
Samples = Mapping[str, float]


def prediction_halves(
    batch: Batch, dropped: Bools | None, profiler: Profiler, writer: int, samples: Samples
) -> list[Halves]:
    """The predictions of a batch, but for shadow traffic and what is `dropped` (bool, n). May block on the
    store, and raise StoreBusy."""
    usable = ~batch.shadow if dropped is None else ~(batch.shadow | dropped)
    if not batch.features or not usable.any():
        return []
    series, marginals = profiler.series_of(batch)
    made = (
        _block_halves(batch, block, usable, series, marginals, writer, samples) for block in batch.features
    )
    return [halves for halves in made if len(halves)]


def _block_halves(
    batch: Batch,
    block: FeatureBlock,
    usable: Bools,
    series: Ints,
    marginals: Ints,
    writer: int,
    samples: Samples,
) -> Halves:
    n = len(block.rows)
    where = block.rows.tolist()
    lists = (
        {i: batch.rankings[row] for i, row in enumerate(where) if row in batch.rankings}
        if batch.rankings
        else {}
    )
    values = values_of(block.columns.get("@prediction", np.full(n, np.nan)), lists)
    score = block.columns.get("@score")
    score = (
        np.where(np.isfinite(score), score, np.nan) if isinstance(score, np.ndarray) else np.full(n, np.nan)
    )
    keep = usable[block.rows] & ((values.kind != ValueKind.NONE) | ~np.isnan(score))
    ids = [batch.ids[i] for i in where]
    named = None if batch.keys is None else [batch.keys[i] for i in where]
    keys = join_keys(ids, named)
    share = samples.get(block.model, 1.0)
    if share < 1:
        keep &= _sampled(keys, share)
    if "" in ids:
        keep &= np.fromiter(map(bool, ids), np.bool_, n)
    chosen = np.flatnonzero(keep)
    rows = block.rows[chosen]
    keys = keys[chosen]
    head = np.zeros(len(chosen), PREDICTION)
    head["flags"] = Flags.SAMPLED if share < 1 else 0
    head["writer"] = writer
    head["ts_ms"], head["offset"] = batch.ts_ms[rows], batch.positions[rows]
    # Under a business key the id tells predictions apart; without one, the key is the id's already.
    own = keys if named is None else join_keys(ids)[chosen]
    head["who"] = np.ascontiguousarray(own).view("<u8")[:, 0] ^ _long_hash(block.model)
    head["score"], head["series"] = score[chosen], series[rows]
    scores, no_shares = _class_scores(batch, rows)
    for row, outside in no_shares.items():
        head["score"][row] = outside
    sizes, data = encode_predictions(head, marginals[rows], values.select(chosen), scores)
    classes = {(block.model, name) for each in scores.values() for name in each}
    shown = [ids[i] for i in chosen.tolist()]
    return Halves(keys, batch.ts_ms[rows] // DAY_MS, sizes, data, shown, classes)


def _class_scores(batch: Batch, rows: Ints) -> tuple[dict[int, Mapping[str, float]], dict[int, float]]:
    """(by row the scores of the classes, and of those that are no probabilities one that lies outside 0 to 1,
    which is then told of the prediction)."""
    found: dict[int, Mapping[str, float]] = {}
    outside: dict[int, float] = {}
    for i, row in enumerate(rows.tolist() if batch.class_scores else ()):
        scores = batch.class_scores.get(row)
        if scores is None or len(scores) > _MAX_CLASSES:
            continue
        off = next((score for score in scores.values() if not 0 <= score <= 1), None)
        if off is None:
            found[i] = scores
        else:
            outside[i] = off
    return found, outside


def _long_hash(text: str) -> np.uint64:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _sampled(keys: Bytes, share: float) -> Bools:
    """Whether each key is in the sample: the same for both halves, wherever they are read."""
    low = np.ascontiguousarray(keys[:, :4]).view("<u4")[:, 0]
    return low < share * 2.0**32


def label_halves(batch: LabelBatch, writer: int, samples: Samples) -> list[Halves]:
    """The labels of a batch."""
    n = len(batch)
    keys = join_keys(batch.ids, batch.keys)
    used, index = np.unique(batch.model.codes, return_inverse=True)
    names = [batch.model.names[code] for code in used.tolist()]
    shares = np.array([samples.get(name or "", 1.0) for name in names])
    keep = np.ones(n, np.bool_)
    for i in np.flatnonzero(shares < 1).tolist():
        keep &= (index != i) | _sampled(keys, float(shares[i]))
    named = (bool(k) or (k is None and bool(i)) for i, k in zip(batch.ids, batch.keys, strict=True))
    keep &= np.fromiter(named, np.bool_, n)
    if not keep.all():
        batch = batch.select(keep)
        keys, index = keys[keep], index[keep]
    if not len(batch):
        return []
    head = np.zeros(len(batch), LABEL)
    head["flags"] = np.where(batch.rating, Flags.RATING, 0)
    head["writer"] = writer
    head["ts_ms"], head["offset"] = batch.ts_ms, batch.positions
    head["model"] = np.array([short_hash(name) for name in names], np.uint32)[index]
    used, index = np.unique(batch.annotators.codes, return_inverse=True)
    givers = [short_hash(batch.annotators.names[code]) for code in used.tolist()]
    head["annotator"] = np.array(givers, np.uint32)[index]
    head["weight"] = 1.0 if batch.weight is None else batch.weight
    sizes, data = encode_labels(head, values_of(batch.value, batch.lists))
    shown = [i or k or "" for i, k in zip(batch.ids, batch.keys, strict=True)]
    return [Halves(keys, batch.ts_ms // DAY_MS, sizes, data, shown)]
