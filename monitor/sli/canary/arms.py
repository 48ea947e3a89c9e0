"""What is known of the two versions: by stratum, so that a mix that differs is no difference.

The champion is weighted to the candidate's mix of strata (direct standardisation), which also guards against
Simpson's paradox. Without strata there is one.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from monitor.profiles.layout import BUCKETS
from monitor.records import Floats, Ints
from monitor.sli.entries import Entries

__all__ = ["Latencies", "Mix", "Rates"]


@dataclass(frozen=True, slots=True)
class Rates:
    """A share (float64) of `n` records (int64), by stratum; NaN where there are none."""

    n: Ints
    share: Floats


@dataclass(frozen=True, slots=True)
class Latencies:
    """Times by stratum: `n` (int64) of them. Each entry says what `weight` (float64) of a `stratum` (int64)
    is in a `bucket` (int64); several may say so of the same."""

    n: Ints
    stratum: Ints
    bucket: Ints
    weight: Floats

    @classmethod
    def of(cls, entries: Entries, stratum: Ints, strata: int) -> Self:
        """From entries of latency; `stratum` (int64) is that of each slot, -1 for none."""
        count, excess = stratum[entries.slot], stratum[entries.sum_slot]
        mine, more = np.flatnonzero(count >= 0), np.flatnonzero(excess >= 0)
        weight = entries.count[mine].astype(np.float64)
        return cls(
            np.rint(np.bincount(count[mine], weight, strata)).astype(np.int64),
            np.concatenate((count[mine], excess[more])),
            np.concatenate((entries.cell[mine], entries.sum_cell[more])),
            np.concatenate((weight, entries.sum_value[more])),
        )

    def held(self) -> Floats:
        """The weight of each stratum."""
        return np.bincount(self.stratum, self.weight, len(self.n)).astype(np.float64)

    def summed(self, scale: Floats) -> Floats:
        """The weight in each of the BUCKETS, that of each stratum times its `scale`."""
        return np.bincount(self.bucket, self.weight * scale[self.stratum], BUCKETS).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Mix:
    """How the champion's strata are weighted (float64, sum 1, 0 where it has nothing), which of the
    candidate's are comparable (bool), and how many of its records aren't."""

    weight: Floats
    comparable: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    left_out: int

    @classmethod
    def of(cls, candidate: Ints, champion: Ints) -> "Mix":
        comparable = (champion > 0) & (candidate > 0)
        taken = np.where(comparable, candidate, 0).astype(np.float64)
        whole = taken.sum()
        left_out = int(candidate.sum() - whole)
        return cls(taken / whole if whole > 0 else taken, comparable, left_out)

    def effective(self, champion: Ints) -> float:
        """As how many records of one stratum the champion's count, weighted so; 0 for none."""
        used = self.weight > 0
        spread = float((self.weight[used] ** 2 / champion[used]).sum())
        return 1 / spread if spread > 0 else 0.0
