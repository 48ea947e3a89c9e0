"""How well a list or a text predicted matches its label."""

import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["RANKS", "ListMatch", "TextMatch", "match_list", "match_text", "normalise", "relevance"]

# NDCG and hits look at the first ten.
RANKS = 10

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class ListMatch(NamedTuple):
    """`ndcg` at RANKS (0 to 1), whether a relevant item is among the first RANKS, and 1 / the place of the
    first relevant item (0 where none was listed)."""

    ndcg: float
    hit: bool
    reciprocal_rank: float


class TextMatch(NamedTuple):
    """Whether the normalised texts are equal, and the F1 of their words (0 to 1)."""

    exact: bool
    token_f1: float


def relevance(label: Any) -> dict[str, float]:
    """The grade of each relevant item of a label: one item, several, or grades by item.

    Items without a finite grade above 0 are not relevant.
    """
    if isinstance(label, Mapping):
        return {str(item): float(grade) for item, grade in label.items() if 0 < float(grade) < math.inf}
    if isinstance(label, Iterable) and not isinstance(label, str):
        return {str(item): 1.0 for item in label}
    return {str(label): 1.0}


def match_list(predicted: Iterable[str], label: Any) -> ListMatch | None:
    """How well the items (best first) find the label's; None where no item is relevant.

    NDCG with the grades as gains and 1 / log2(place + 1) as discounts, as scikit-learn's `ndcg_score`. Of
    an item listed twice the first place counts, and the second holds nothing.
    """
    grades = relevance(label)
    if not grades:
        return None
    gained, first, seen = 0.0, 0, set[str]()
    for place, item in enumerate(predicted, start=1):
        grade = 0.0 if item in seen else grades.get(item, 0.0)
        seen.add(item)
        if grade and not first:
            first = place
        if grade and place <= RANKS:
            gained += grade / math.log2(place + 1)
        if first and place >= RANKS:
            break
    best = sorted(grades.values(), reverse=True)[:RANKS]
    ideal = sum(grade / math.log2(place + 1) for place, grade in enumerate(best, start=1))
    return ListMatch(gained / ideal, 0 < first <= RANKS, 1 / first if first else 0.0)


def normalise(text: str) -> str:
    """As SQuAD's evaluation: lower case, no ASCII punctuation, no English articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def match_text(predicted: str, label: str) -> TextMatch:
    """Exact match and token F1 of the normalised texts, as SQuAD's evaluation; two empty texts match."""
    mine, theirs = normalise(predicted), normalise(label)
    words, wanted = Counter(mine.split()), Counter(theirs.split())
    if not words or not wanted:
        return TextMatch(mine == theirs, float(mine == theirs))
    shared = (words & wanted).total()
    return TextMatch(mine == theirs, 2 * shared / (words.total() + wanted.total()))
