"""What an objective counts, in words."""

import pytest

from monitor.profiles.layout import Service
from monitor.slo.objective import (
    Bound,
    Correct,
    Fresh,
    Happened,
    Meter,
    OnTrial,
    Outcomes,
    Source,
    Traffic,
    Under,
)
from monitor.slo.wording import describe_source

_FAILED = Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT))


@pytest.mark.parametrize(
    ("source", "slice_s", "share", "said"),
    [
        (_FAILED, None, None, "requests without server errors or timeouts"),
        (_FAILED, 300, 0.95, "slices of 5 min with at least 95 % requests without server errors or timeouts"),
        (Outcomes((Service.AUTH,)), None, None, "requests without refusals for want of rights"),
        (Under(300.0), None, None, "requests of at most 300 ms"),
        (Correct(), None, None, "labelled predictions that were right"),
        (Bound("mae", at_most=45.0), 3600, None, "hours with mae at most 45"),
        (Bound("drift_psi", 0.0, 0.2, "amount"), 600, None,
         "slices of 10 min with drift_psi of amount at least 0 and at most 0.2"),
        (Fresh(3600), 60, None, "minutes whose newest record is at most 1 h old"),
        (OnTrial(0.1), 60, None,
         "minutes of a version on trial that is not slower by 10 %, or failing by 0.5 points more"),
        (Traffic(0.1), 300, None, "slices of 5 min with at least 10 % of the usual requests"),
        (Happened("training_duration", at_most=60.0), None, None, "events with training_duration at most 60"),
        (Bound("model_age", at_most=86_400.0), 3600, None, "hours with model_age at most 86400"),
    ],
)  # fmt: skip
def test_every_source_has_words(source: Source, slice_s: int | None, share: float | None, said: str) -> None:
    assert describe_source(source, Meter("m", source, slice_s=slice_s, slice_target=share)) == said
