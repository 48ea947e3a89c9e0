"""Each mistake that objectives can have, and exactly what is said of it."""

__all__ = ["CASES", "VALID", "WARNINGS"]

VALID = """\
source: {files: {path: .}}
retention: {1m: 14d, 1h: 400d}
labels: {horizon: 90d, keep_predictions: true}
models:
  fraud:
    segments: [country]
    feature_segments: []
    objectives:
      availability:
        objective: 99.9
      fast:
        indicator: latency
        objective: 99
        under: 300ms
      quality:
        indicator: accuracy
        objective: 95
        at_least: 90%
slo:
  time_zone: UTC
"""
_AVAILABILITY = "        objective: 99.9\n"
_FAST = "        under: 300ms\n"
_QUALITY = "        at_least: 90%\n"
_IN = "models.fraud.objectives"
_ROW = "{spent: 2, long: 1h, short: 5m, severity: page}"

# Title: (what of the valid file, what in its place, all that is said of it, by line, place and sentence).
CASES: dict[str, tuple[str, str, list[str]]] = {
    "nothing may ever fail": (
        "99.9",
        "100",
        [
            f"10: {_IN}.availability.objective: 100 % leaves no budget: one bad event would spend "
            "more than all; write for example 99.9"
        ],
    ),
    "everything may fail": (
        "99.9",
        "0",
        [f"10: {_IN}.availability.objective: 0 % asks for nothing; write for example 99.9"],
    ),
    "a part of a model that events are not about": (
        _QUALITY,
        _QUALITY + '      model_age: {objective: 95, at_most: 30d, version: "4", by: [country]}\n',
        [
            f"19: {_IN}.model_age.version: model_age: events are about the whole model; remove it",
            f"19: {_IN}.model_age.by: model_age: events are about the whole model; remove it",
        ],
    ),
    "a share in place of a percentage": (
        "99.9",
        "0.999",
        [f"10: {_IN}.availability.objective: is a percentage: did you mean 99.9?"],
    ),
    "a target that is no number": (
        "99.9",
        "high",
        [f"10: {_IN}.availability.objective: must be a number, not 'high'"],
    ),
    "an objective without a target": (
        "      availability:\n        objective: 99.9\n",
        "      availability:\n",
        [f"9: {_IN}.availability.objective: is missing; write for example objective: 99.9"],
    ),
    "a name that is nearly an indicator": (
        "      availability:\n",
        "      availabilty:\n",
        [
            f"9: {_IN}.availabilty: 'availabilty' is no indicator, so name the one that it is about; "
            "did you mean indicator: availability?"
        ],
    ),
    "a name that says nothing": (
        "      availability:\n",
        "      xyz:\n",
        [
            f"9: {_IN}.xyz: 'xyz' is no indicator, so name the one that it is about, "
            "such as indicator: latency"
        ],
    ),
    "an unknown indicator": (
        "indicator: latency",
        "indicator: latnecy",
        [
            f"12: {_IN}.fast.indicator: there is no indicator 'latnecy'; did you mean latency or "
            "latency_p99 or latency_p95?"
        ],
    ),
    "what is no property of a window": (
        "indicator: latency",
        "indicator: data_age",
        [
            f"12: {_IN}.fast.indicator: data_age is no property of a window; data_freshness counts the "
            "slices that are fresh"
        ],
    ),
    "a name twice but for its case": (
        "      fast:\n",
        "      Availability:\n",
        [
            f"11: {_IN}.Availability: 'Availability' and 'availability' would both be availability in "
            "Prometheus; rename one"
        ],
    ),
    "a name without letters": (
        "      fast:\n",
        "      '%':\n",
        [f"11: {_IN}.%: a name needs letters or digits; call it for example availability"],
    ),
    "latency without a limit": (
        _FAST,
        "",
        [f"11: {_IN}.fast: latency needs a limit; add for example under: 300ms"],
    ),
    "a limit of latency that is none": (
        "300ms",
        "300",
        [
            f"14: {_IN}.fast.under: '300' is no duration: write it with a unit, as 500ms, 10s, 5m, 1h or "
            "14d; did you mean 300s?"
        ],
    ),
    "a limit where there is none": (
        _AVAILABILITY,
        _AVAILABILITY + _FAST,
        [f"11: {_IN}.availability.under: availability has no such limit; remove it"],
    ),
    "a limit of a percentile": (
        "indicator: latency\n",
        "indicator: latency_p99\n",
        [
            f"11: {_IN}.fast: latency_p99 needs a bound; add at_least or at_most",
            f"14: {_IN}.fast.under: latency_p99 has no such limit; write at_most: 300ms instead",
        ],
    ),
    "a bound of what is counted": (
        _AVAILABILITY,
        _AVAILABILITY + "        at_least: 99%\n",
        [
            f"11: {_IN}.availability.at_least: availability counts requests by how they ended, and "
            "`objective` is the share; remove it"
        ],
    ),
    "a percentage without its sign": (
        "90%",
        "90",
        [f"18: {_IN}.quality.at_least: 90 stands for 9000 %; write 90% or a share below 1"],
    ),
    "a time where there is a share": (
        "90%",
        "5m",
        [f"18: {_IN}.quality.at_least: 5m is a time; write 95% or 0.95"],
    ),
    "bounds that nothing meets": (
        _QUALITY,
        _QUALITY + "        at_most: 80%\n",
        [f"18: {_IN}.quality.at_least: 90% is above at_most (80%); nothing would be good"],
    ),
    "freshness without an age": (
        "indicator: latency\n        objective: 99\n        under: 300ms",
        "indicator: data_freshness\n        objective: 99",
        [f"11: {_IN}.fast: data_freshness needs to know how old is too old; add for example at_most: 1h"],
    ),
    "an age without a unit": (
        "indicator: latency\n        objective: 99\n        under: 300ms",
        "indicator: data_freshness\n        objective: 99\n        at_most: 300",
        [f"14: {_IN}.fast.at_most: 300 needs a unit of time: write for example 1h"],
    ),
    "a feature that is not named": (
        "indicator: accuracy\n        objective: 95\n        at_least: 90%",
        "indicator: drift_psi\n        objective: 95\n        at_most: 0.2",
        [
            f"15: {_IN}.quality: drift_psi is about one feature; add for example feature: amount, "
            "@prediction or @score"
        ],
    ),
    "a feature for nothing": (
        _QUALITY,
        _QUALITY + "        feature: amount\n",
        [f"19: {_IN}.quality.feature: accuracy is not about a feature; remove it"],
    ),
    "labels that are not waited for": (
        "indicator: accuracy",
        "indicator: label_coverage",
        [f"15: {_IN}.quality: label_coverage needs a delay: how long labels may take, as delay: 7d"],
    ),
    "labels that are waited for too long": (
        _QUALITY,
        _QUALITY + "        delay: 91d\n",
        [
            f"19: {_IN}.quality.delay: must not be longer than labels.horizon (90d): later labels find no "
            "prediction"
        ],
    ),
    "waiting for nothing": (
        _AVAILABILITY,
        _AVAILABILITY + "        delay: 1d\n",
        [f"11: {_IN}.availability.delay: availability has no labels to wait for; remove it"],
    ),
    "slices that are no multiple": (
        _QUALITY,
        _QUALITY + "        slice: 90m\n",
        [f"19: {_IN}.quality.slice: 90m is no multiple of windows.quality (1h); write 2h"],
    ),
    "slices as long as the window": (
        _QUALITY,
        _QUALITY + "        slice: 20d\n",
        [
            f"19: {_IN}.quality.slice: must be far shorter than the window (30d), for each slice spends of "
            "its budget"
        ],
    ),
    "slices of events without a target": (
        _AVAILABILITY,
        _AVAILABILITY + "        slice: 5m\n",
        [
            f"9: {_IN}.availability: availability counts requests by how they ended; add slice_target: 95, "
            "or remove slice"
        ],
    ),
    "a target of slices without slices": (
        _AVAILABILITY,
        _AVAILABILITY + "        slice_target: 95\n",
        [f"11: {_IN}.availability.slice_target: needs slices; add for example slice: 5m"],
    ),
    "a target of slices that have bounds": (
        _QUALITY,
        _QUALITY + "        slice_target: 95\n",
        [
            f"19: {_IN}.quality.slice_target: accuracy is good or not, slice by slice; its bounds say when, "
            "so remove it"
        ],
    ),
    "a segment that is not kept": (
        _AVAILABILITY,
        _AVAILABILITY + "        segment: {contry: DE}\n",
        [f"11: {_IN}.availability.segment: contry is no segment that is kept; did you mean country?"],
    ),
    "two segments together": (
        _AVAILABILITY,
        _AVAILABILITY + "        segment: {country: DE}\n        by: [plan]\n",
        [
            f"12: {_IN}.availability.by: country and plan together: each label is counted by itself, "
            "so name one"
        ],
    ),
    "a version apart and alone": (
        _AVAILABILITY,
        _AVAILABILITY + "        version: 4\n        by: [version]\n",
        [f"12: {_IN}.availability.by: version is 4 alone; leave it out of one of the two"],
    ),
    "features by endpoint": (
        "indicator: accuracy\n        objective: 95\n        at_least: 90%",
        "indicator: drift_free\n        objective: 95\n        endpoint: /score",
        [
            f"18: {_IN}.quality.endpoint: drift_free: features are kept per model and version; "
            "leave endpoint out"
        ],
    ),
    "a window that is none": (
        _AVAILABILITY,
        _AVAILABILITY + "        window: fortnight\n",
        [
            f"11: {_IN}.availability.window: 'fortnight' is no window: write whole days as 30d or 4w, "
            "or week, month or quarter"
        ],
    ),
    "a window longer than what is kept": (
        _AVAILABILITY,
        _AVAILABILITY + "        window: 2y\n",
        [
            f"11: {_IN}.availability.window: 2y is longer than retention.1h (400d) keeps what it sums; "
            "shorten it, or keep hours for 730d"
        ],
    ),
    "the usual window longer than what is kept": (
        "1h: 400d",
        "1h: 29d",
        ["2: retention.1h: must not be shorter than the window of objectives that don't say theirs (30d)"],
    ),
    "alerts that look back further than what is kept": (
        "1m: 14d",
        "1m: 2d",
        [
            "2: retention.1m: must not be shorter than the longest window of alerts (3d); "
            "or give slo.alerts others"
        ],
    ),
    "own alerts that look back further than what is kept": (
        _AVAILABILITY,
        _AVAILABILITY + f"        alerts: [{_ROW.replace('1h', '15d')}]\n",
        [
            f"11: {_IN}.availability.alerts: looks back for 15d, longer than retention.1m (14d) keeps "
            "windows; shorten it or keep them"
        ],
    ),
    "a short window that is the longer": (
        "  time_zone: UTC\n",
        f"  alerts: [{_ROW.replace('5m', '2h')}]\n",
        ["20: slo.alerts[0].short: must be shorter than long (1h)"],
    ),
    "two alerts of one burn rate": (
        "  time_zone: UTC\n",
        f"  alerts:\n    - {_ROW}\n    - {_ROW.replace('1h', '2h').replace('2,', '4,')}\n",
        [
            "22: slo.alerts[1]: burns as fast as entry 1, and their alerts would have one name; keep one",
        ],
    ),
    "a row without what it needs": (
        "  time_zone: UTC\n",
        "  alerts:\n    - spent: 200\n      long: 1h\n      short: 5m\n    - 7\n",
        [
            "21: slo.alerts[0].spent: must be at most 100, not '200'",
            "21: slo.alerts[0].severity: is missing; write for example severity: page",
            "24: slo.alerts[1]: must be a mapping with keys such as spent, long, short",
        ],
    ),
    "alerts that are no list": (
        "  time_zone: UTC\n",
        "  alerts: none\n",
        [f"20: slo.alerts: must be a list, such as [{_ROW}]"],
    ),
    "an action that is none": (
        "  time_zone: UTC\n",
        "  policies:\n    - {name: a, left: 50, action: ticket}\n    - {name: b, left: 5, action: stop}\n",
        ["22: slo.policies[1].action: must be ticket or freeze, not 'stop'"],
    ),
    "a policy twice": (
        "  time_zone: UTC\n",
        "  policies:\n    - {name: a, left: 50, action: ticket}\n    - {name: a, left: 5, action: freeze}\n",
        ["22: slo.policies[1].name: a is given twice; rename one"],
    ),
    "an unknown watch": (
        "  time_zone: UTC\n",
        "  disable: [no_trafic]\n",
        ["20: slo.disable: there is no watch 'no_trafic'; did you mean no_traffic?"],
    ),
    "a change to an unknown watch": (
        "  time_zone: UTC\n",
        "  watches: {no_trafic: {threshold: 5%}}\n",
        ["20: slo.watches.no_trafic: there is no watch 'no_trafic'; did you mean no_traffic?"],
    ),
    "thresholds that don't fit their watches": (
        "  time_zone: UTC\n",
        "  watches:\n"
        "    latency_p99: {threshold: 5%}\n"
        "    error_spike: {threshold: 300ms}\n"
        "    auth_failures: {threshold: 100%}\n"
        "    no_traffic: {threshold: 0%}\n"
        "    data_stale: {threshold: 500ms}\n"
        "    cost: {threshold: 5%}\n"
        "    drift: {treshold: 5%}\n"
        "    schema_violations: {severity: pages}\n",
        [
            "21: slo.watches.latency_p99.threshold: 5% needs a unit of time: write for example 300ms",
            "22: slo.watches.error_spike.threshold: 300ms is a time; write 95% or 0.95",
            "23: slo.watches.auth_failures.threshold: must be from 0% to below 100%",
            "24: slo.watches.no_traffic.threshold: must be above 0% and at most 100%",
            "25: slo.watches.data_stale.threshold: must be 1s or longer",
            "26: slo.watches.cost.threshold: 5% is a percentage; write a number (times)",
            "27: slo.watches.drift.treshold: no such key; did you mean threshold?",
            "28: slo.watches.schema_violations.severity: must be page, ticket or info, not 'pages'",
        ],
    ),
    "an unknown time zone": (
        "UTC",
        "Europe/Berln",
        ["20: slo.time_zone: there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?"],
    ),
    "an escalation that is none": (
        "  time_zone: UTC\n",
        "  escalation: never\n  generic: perhaps\n",
        [
            "20: slo.escalation: must be none, or for example {burn: 2, window: 6h, for: 2h}",
            "21: slo.generic: must be true or false, not 'perhaps'",
        ],
    ),
    "a key of an alert in an objective": (
        _AVAILABILITY,
        _AVAILABILITY + "        spent: 2\n",
        [
            f"11: {_IN}.availability.spent: no such key here; did you mean "
            "models.<name>.objectives.<name>.alerts[].spent or slo.alerts[].spent?"
        ],
    ),
}

# Title: (what of the valid file, what in its place, all warnings but those on the source).
WARNINGS: dict[str, tuple[str, str, list[str]]] = {
    "nothing to say": ("UTC", "Europe/Berlin", []),
    "an alert that can never fire": (
        "99.9",
        "90",
        [
            f"{_IN}.availability: the alert on a burn rate of 14.4 can never fire: 14.4 times the budget of "
            "0.1 is more than all; give the objective `alerts`"
        ],
    ),
    "slices too long for any alert": (
        _QUALITY,
        _QUALITY + "        slice: 2d\n",
        [f"{_IN}.quality: no alert fits windows of 2d: none has a `long` of more than two of them"],
    ),
    "events that don't come yet": (
        "      fast:\n        indicator: latency\n        objective: 99\n        under: 300ms\n",
        "      training_success: {objective: 95}\n",
        [
            f"{_IN}.training_success: training_success counts events of operations; name a source of "
            "them, or post them: source.kafka.event_topics, ingest.spool"
        ],
    ),
    "labels that nobody keeps predictions for": (
        ", keep_predictions: true",
        "",
        [
            f"{_IN}.quality: needs labels, and predictions are not kept for them; name a source of labels, "
            "or set labels.keep_predictions"
        ],
    ),
}
