"""Which series each subject of a meter adds up."""

from collections.abc import Mapping

from monitor.errors import QueryError
from monitor.profiles.series import SeriesKey
from monitor.slo.objective import Meter, Subject

__all__ = ["label_of", "subjects_of"]


def label_of(meter: Meter) -> str:
    """The segment label that the meter is about, "" for none. Raises QueryError for more than one, for each
    label is counted by itself."""
    labels = {name.removeprefix("segment.") for name in (*meter.segment, *meter.by)}
    labels -= {"version", "endpoint"}
    if len(labels) > 1:
        raise QueryError(
            f"{meter.model}: segment: {' and '.join(sorted(labels))} together: each label is counted by "
            "itself, so take one at a time"
        )
    return "".join(labels)


def subjects_of(meter: Meter, series: Mapping[SeriesKey, int]) -> dict[Subject, list[int]]:
    """The subjects of a meter and the numbers of their series (ascending), among those of its model.

    A meter that is not told apart has its one subject whether there are series or not.
    """
    label = label_of(meter)
    wanted = {name.removeprefix("segment."): value for name, value in meter.segment.items()}
    found: dict[Subject, list[int]] = {}
    if not meter.by:
        found[Subject(meter.model, meter.version, meter.endpoint, tuple(wanted.items()))] = []
    for key, number in sorted(series.items(), key=lambda item: item[1]):
        if (
            key.label == label
            and meter.version in (None, key.version)
            and meter.endpoint in (None, key.endpoint)
            and wanted.get(label) in (None, key.value)
        ):
            subject = Subject(
                meter.model,
                key.version if "version" in meter.by or meter.version is not None else None,
                key.endpoint if "endpoint" in meter.by or meter.endpoint is not None else None,
                ((label, key.value),) if label else (),
            )
            found.setdefault(subject, []).append(number)
    return found
