"""The schema contract as YAML that people read and edit."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from monitor.config.document import Document, Location, read_document
from monitor.errors import ConfigError
from monitor.profiles.bins import MAX_CATEGORIES
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.features import Feature

__all__ = ["read_contract", "render_contract"]

_KEYS = ("type", "required", "range", "categories", "null_share_max")


def render_contract(
    model: str, number: int, features: Mapping[str, Feature], notes: Mapping[str, str] | None = None
) -> str:
    """The contracts of all features that have one; `notes` are comments by feature."""
    lines = [
        f"# The schema contract of {_plain(model)}, baseline {number}: what each feature is held to.",
        "# A baseline never changes: an edited contract makes a new one with the same bins and counts:",
        f"#   monitor baseline contract --model {_plain(model)} --number {number} --apply FILE",
        "#",
        "#   type            number, integer, boolean, text, or any where the baseline had no value",
        "#   required        true: a record without the feature breaks the contract",
        "#   range           lowest and highest number; null is open",
        "#   categories      all that may come, or open: any text",
        "#   null_share_max  nulls above this share, and above chance, are a surge",
        "#",
        "# A feature that is left out is held to nothing.",
        "features:",
    ]
    for name, feature in features.items():
        if feature.contract is not None:
            note = (notes or {}).get(name)
            lines.append(f"  {_quoted(name)}:{'' if note is None else f'  # {_plain(note)}'}")
            lines += (f"    {line}" for line in _lines(feature.contract))
    if lines[-1] == "features:":
        lines[-1] = "features: {}"
    return "\n".join(lines) + "\n"


def _lines(contract: FeatureContract) -> Iterator[str]:
    yield f"type: {contract.type}"
    yield f"required: {'true' if contract.required else 'false'}"
    if contract.type.numeric:
        bounds = ("null" if b is None else repr(float(b)) for b in (contract.minimum, contract.maximum))
        yield f"range: [{', '.join(bounds)}]"
    if contract.categories is not None:
        yield f"categories: [{', '.join(map(_quoted, contract.categories))}]"
    elif contract.type is ValueType.TEXT:
        yield "categories: open"
    yield f"null_share_max: {contract.null_share_max!r}"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _quoted(text: str) -> str:
    """Double-quoted, with escapes that YAML and JSON share, and YAML's own for what does not print."""
    return _plain(json.dumps(text, ensure_ascii=False))


def read_contract(path: Path, known: Mapping[str, Feature] | None = None) -> dict[str, FeatureContract]:
    """The contracts in a YAML file; `known` are the features of the baseline that it is for.

    Raises ConfigError with one line for each mistake: `c.yaml:12: features.amount.type: ..`.
    """
    document = read_document(path)
    found = _Reader(document, known)
    contracts = found.read()
    if found.problems:
        raise ConfigError([text for _, text in sorted(found.problems)])
    return contracts


class _Reader:
    """Reads the contracts of a document and notes what is wrong."""

    def __init__(self, document: Document, known: Mapping[str, Feature] | None) -> None:
        self._document, self._known = document, known
        self.problems: list[tuple[int, str]] = []
        for place, line, sentence in document.problems:
            self._note(line, place, sentence)

    def _note(self, line: int, place: Location, sentence: str) -> None:
        where = ".".join(map(str, place))
        self.problems.append(
            (line, f"{self._document.name}:{line}: {where}{': ' if where else ''}{sentence}")
        )

    def _wrong(self, place: Location, sentence: str) -> None:
        self._note(self._document.line(place), place, sentence)

    def read(self) -> dict[str, FeatureContract]:
        data = self._document.data
        if not isinstance(data, dict) or not isinstance(data.get("features"), dict):
            self._wrong((), "must have the key features, with a feature's name below it")
            return {}
        for key in data.keys() - {"features"}:
            self._wrong((key,), "no such key here; there is features alone")
        return {
            name: contract
            for name, held in data["features"].items()
            if (contract := self._feature(name, held)) is not None
        }

    def _feature(self, name: str, held: Any) -> FeatureContract | None:
        place: Location = ("features", name)
        if not isinstance(held, dict):
            self._wrong(place, f"must be a mapping with keys such as {', '.join(_KEYS)}")
            return None
        for key in held:
            if key not in _KEYS:
                near = get_close_matches(key, _KEYS, 1, 0.5)
                hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(_KEYS)}"
                self._wrong((*place, key), f"no such key here; {hint}")
        kind = self._type(place, held.get("type"))
        if kind is None or not self._fits(place, name, kind):
            return None
        low, high = self._range((*place, "range"), held.get("range"), kind)
        return FeatureContract(
            type=kind,
            required=self._flag((*place, "required"), held.get("required")),
            minimum=low,
            maximum=high,
            categories=self._categories((*place, "categories"), held.get("categories"), kind),
            null_share_max=self._share((*place, "null_share_max"), held.get("null_share_max")),
        )

    def _type(self, place: Location, value: Any) -> ValueType | None:
        try:
            return ValueType(value)
        except ValueError:
            said = "is missing" if value is None else f"{value!r} is no type"
            self._wrong((*place, "type"), f"{said}; write number, integer, boolean, text or any")
            return None

    def _fits(self, place: Location, name: str, kind: ValueType) -> bool:
        """Whether the baseline has the feature, and bins of that type."""
        if self._known is None:
            return True
        feature = self._known.get(name)
        if feature is None or feature.bins is None:
            near = get_close_matches(name, self._known, 1, 0.5)
            hint = (
                f"did you mean {near[0]}?" if near and near[0] != name else "fit anew to hold it to something"
            )
            self._wrong(place, f"the baseline has no such feature; {hint}")
            return False
        numbers = feature.bins.categories is None
        if kind is not ValueType.ANY and kind.numeric != numbers:
            self._wrong((*place, "type"), f"its bins are of {'numbers' if numbers else 'texts'}; fit anew")
            return False
        return True

    def _flag(self, place: Location, value: Any) -> bool:
        if value not in (None, "true", "false"):
            self._wrong(place, f"must be true or false, not {value!r}")
        return bool(value == "true")

    def _range(self, place: Location, value: Any, kind: ValueType) -> tuple[float | None, float | None]:
        if value is None:
            return None, None
        if not kind.numeric:
            self._wrong(place, f"is for numbers; {kind} has none")
        elif isinstance(value, list) and len(value) == 2:
            low, high = (self._number(place, v) for v in value)
            if low is not None and high is not None and low > high:
                self._wrong(place, "the lowest is above the highest")
            return low, high
        else:
            self._wrong(place, "must be [lowest, highest]; null is open")
        return None, None

    def _number(self, place: Location, value: Any) -> float | None:
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if number - number != 0:
            self._wrong(place, f"{value!r} is no number")
            return None
        return number

    def _categories(self, place: Location, value: Any, kind: ValueType) -> tuple[str, ...] | None:
        if value in (None, "open"):
            return None
        if kind.numeric:
            self._wrong(place, "is for texts; give numbers a range")
        elif not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self._wrong(place, "must be a list of texts, or open")
        elif len(set(value)) < len(value):
            self._wrong(place, "names one twice")
        elif len(value) > MAX_CATEGORIES:
            self._wrong(place, f"names {len(value)}, and there is room for {MAX_CATEGORIES}; write open")
        else:
            return tuple(value)
        return None

    def _share(self, place: Location, value: Any) -> float:
        number = 1.0 if value is None else self._number(place, value)
        if number is not None and not 0 <= number <= 1:
            self._wrong(place, "must be a share from 0 to 1")
        return 1.0 if number is None else number
