"""Numbers for the classes of each model: given once, by whoever meets a class first, up to a limit."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from monitor.profiles.layout import OTHER_CLASS
from monitor.store.engine import reading, writing
from monitor.store.pair_codec import short_hash
from monitor.store.schema import classes
from monitor.store.store import Store, insert

__all__ = ["MAX_CLASSES", "Classes", "Unnumbered", "class_names"]

MAX_CLASSES = 64


class Unnumbered(Exception):
    """Classes, by model, that need a number before anything can be counted."""

    def __init__(self, missing: Mapping[str, Collection[str]]) -> None:
        super().__init__(f"classes without a number: {dict(missing)}")
        self.missing = missing


class Classes:
    """What is known of the numbers; they never change, so neither does what was read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._hashed: dict[str, dict[int, int]] = {}
        self._foreign: set[tuple[str, int]] = set()

    def numbers(self, wanted: Iterable[tuple[str, str]]) -> list[int]:
        """The number of each (model, class), OTHER_CLASS beyond the limit. Does not touch the store.

        Raises Unnumbered: call `register` with what is missing, and ask again.
        """
        found, missing = [], defaultdict(set)
        for model, name in wanted:
            number = self._known[model].get(name)
            if number is None:
                number = OTHER_CLASS
                if len(self._known[model]) < MAX_CLASSES:
                    missing[model].add(name)
            found.append(number)
        if missing:
            raise Unnumbered(missing)
        return found

    def numbers_of_hashes(self, wanted: Iterable[tuple[str, int]]) -> list[int]:
        """The number of each (model, `short_hash` of the class's name), OTHER_CLASS for those without one.
        Does not touch the store; raises Unnumbered as `numbers` does."""
        found, missing = [], set()
        for model, name in wanted:
            number = self._hashed.get(model, {}).get(name, OTHER_CLASS)
            is_new = number == OTHER_CLASS and len(self._known[model]) < MAX_CLASSES
            # Whoever stored the prediction has numbered its classes: in another process, perhaps.
            if is_new and (model, name) not in self._foreign:
                self._foreign.add((model, name))
                missing.add(model)
            found.append(number)
        if missing:
            raise Unnumbered(dict.fromkeys(missing, ()))
        return found

    def register(self, missing: Mapping[str, Collection[str]]) -> None:
        """Gives numbers, or learns those that another process gave. A transaction of its own."""
        for model, names in sorted(missing.items()):
            known = self._known[model] = _registered(self._store, model, names)
            self._hashed[model] = {short_hash(name): number for name, number in known.items()}


def _registered(store: Store, model: str, names: Collection[str]) -> dict[str, int]:
    while True:
        known = class_names(store, model)
        new = sorted(set(names) - known.keys())[: MAX_CLASSES - len(known)]
        if not new:
            return known
        taken = set(known.values())
        free = [n for n in range(MAX_CLASSES) if n not in taken]
        with writing(store.engine) as connection:
            # Where another process takes a number or gives the name one meanwhile, its row stays.
            connection.execute(
                insert(store, classes).on_conflict_do_nothing(),
                [{"model": model, "number": n, "name": name} for n, name in zip(free, new, strict=False)],
            )


def class_names(store: Store, model: str) -> dict[str, int]:
    """The numbers of a model's classes by name, in the order of the numbers."""
    query = (
        sa.select(classes.c.name, classes.c.number).where(classes.c.model == model).order_by(classes.c.number)
    )
    with reading(store.engine) as connection:
        return {row.name: row.number for row in connection.execute(query)}
