"""Each mistake that a file can have, and exactly what is said of it."""

__all__ = ["CASES"]

NO_SOURCE = "source: is missing; name kafka or files, or an ingest.spool to post records to"

# Title: (what of the valid file, `*` for all of it, what in its place, all that is said of it).
CASES: dict[str, tuple[str, str, list[str]]] = {
    "an empty file has no source": ("*", "", [f"monitor.yaml:1: {NO_SOURCE}"]),
    "only a comment": ("*", "# nothing\n", [f"monitor.yaml:1: {NO_SOURCE}"]),
    "a list": (
        "*",
        "- a\n",
        ["monitor.yaml:1: the file must be a mapping with keys such as store and source"],
    ),
    "bad YAML": (
        "[inferences]",
        "[inferences",
        ["monitor.yaml:6:12: not YAML: expected ',' or ']', but got ':'"],
    ),
    "a tab": (
        "  service: 1m",
        "\tservice: 1m",
        ["monitor.yaml:9:1: not YAML: found character '\\t' that cannot start any token; indent with spaces"],
    ),
    "a control character": (
        "owner: risk",
        "owner: ri\x07sk",
        ["monitor.yaml:23: not YAML: a control character (#x07); remove it"],
    ),
    "two documents": (
        "log:\n",
        "---\nlog:\n",
        ["monitor.yaml:29:1: not YAML: but found another document"],
    ),
    "a tag": (
        "level: info",
        "level: !!python/name:os.system info",
        ["monitor.yaml:30: log.level: the tag !!python/name:os.system means nothing here; remove it"],
    ),
    "a key given twice": (
        "  features: 10m\n",
        "  features: 10m\n  service: 5m\n",
        ["monitor.yaml:11: windows.service: is given twice, first in line 9; keep one"],
    ),
    "a section given twice": (
        "log:\n",
        "windows: {}\nlog:\n",
        ["monitor.yaml:29: windows: is given twice, first in line 8; keep one"],
    ),
    "a value that refers to itself": (
        "segments: [country]",
        "segments: &s [*s]",
        [
            "monitor.yaml:24: models.fraud.segments[0]: refers to itself; write the value out",
            "monitor.yaml:24: models.fraud.segments[0]: must be a text",
        ],
    ),
    "an unknown key near a known one": (
        "bootstrap_servers:",
        "bootstrap_server:",
        [
            "monitor.yaml:3: source.kafka.bootstrap_servers: is missing; write for example "
            "bootstrap_servers: localhost:9092",
            "monitor.yaml:4: source.kafka.bootstrap_server: no such key; did you mean bootstrap_servers?",
        ],
    ),
    "an unknown key near no other": (
        "level: info",
        "colour: blue",
        ["monitor.yaml:30: log.colour: no such key; there are level, format"],
    ),
    "a key of another section": (
        "log:\n",
        "disorder: 5s\nlog:\n",
        ["monitor.yaml:29: disorder: no such key here; did you mean stream.disorder?"],
    ),
    "a key of a model at the top": (
        "log:\n",
        "segments: [a]\nlog:\n",
        ["monitor.yaml:29: segments: no such key here; did you mean models.<name>.segments?"],
    ),
    "a field's name in place of its key": (
        "  disorder: 10s",
        "  disorder_ms: 10000",
        ["monitor.yaml:15: stream.disorder_ms: no such key; write disorder, with the unit in its value"],
    ),
    "an unknown database": (
        "sqlite:///monitor.db",
        "mysql://u:hunter2@h/d",
        ["monitor.yaml:1: store: mysql is not supported; use sqlite or postgresql"],
    ),
    "a store that is no URL": (
        "sqlite:///monitor.db",
        "monitor.db",
        [
            "monitor.yaml:1: store: 'monitor.db' is no database URL; "
            "write sqlite:///monitor.db or postgresql://user@host/db"
        ],
    ),
    "a store in memory": (
        "sqlite:///monitor.db",
        '"sqlite://"',
        ["monitor.yaml:1: store: SQLite in memory would forget; name a file: sqlite:///monitor.db"],
    ),
    "a store in no directory": (
        "sqlite:///monitor.db",
        "sqlite:///no/m.db",
        ["monitor.yaml:1: store: the directory of no/m.db does not exist; create it"],
    ),
    "a broker without a port": (
        "broker1:9092,",
        "broker1,",
        [
            "monitor.yaml:4: source.kafka.bootstrap_servers: 'broker1' is no host:port; "
            "write broker1:9092,broker2:9092"
        ],
    ),
    "topics that are no list": (
        "[inferences]",
        "inferences",
        ["monitor.yaml:5: source.kafka.topics: must be a list, such as [inferences]"],
    ),
    "no topics": (
        "[inferences]",
        "[]",
        ["monitor.yaml:5: source.kafka.topics: must have at least one entry"],
    ),
    "a topic twice": ("[inferences]", "[a, a]", ["monitor.yaml:5: source.kafka.topics: names a topic twice"]),
    "a topic that can't be": (
        "[inferences]",
        "[a/b]",
        [
            "monitor.yaml:5: source.kafka.topics: 'a/b' is no topic name: "
            "letters, digits, '.', '_' and '-' only"
        ],
    ),
    "an unknown client": (
        "    topics:",
        "    client: pykafka\n    topics:",
        ["monitor.yaml:5: source.kafka.client: must be confluent or kafka-python, not 'pykafka'"],
    ),
    "a section that is a text": (
        "  kafka:\n    bootstrap_servers: broker1:9092,broker2:9092\n    topics: [inferences]\n"
        "    options:\n      client.id: monitor\n",
        "  kafka: localhost:9092\n",
        [
            "monitor.yaml:3: source.kafka: must be a mapping with keys such as "
            "bootstrap_servers, topics, label_topics"
        ],
    ),
    "options that are a text": (
        "options:\n      client.id: monitor",
        "options: none",
        [
            "monitor.yaml:6: source.kafka.options: must be a mapping of names to values, "
            "one a line: `name: value`"
        ],
    ),
    "both sources": (
        "windows:",
        "  files: {path: .}\nwindows:",
        ["monitor.yaml:2: source: names both kafka and files; keep one"],
    ),
    "a window that does not fit": (
        "service: 1m",
        "service: 7m",
        [
            "monitor.yaml:9: windows.service: must divide an hour, or be whole hours that divide a day: "
            "1m, 10m, 1h, 6h"
        ],
    ),
    "a duration without a unit": (
        "service: 1m",
        "service: 60",
        [
            "monitor.yaml:9: windows.service: '60' is no duration: write it with a unit, "
            "as 500ms, 10s, 5m, 1h or 14d; did you mean 60s?"
        ],
    ),
    "retention that is no whole day": (
        "1m: 14d",
        "1m: 36h",
        ["monitor.yaml:12: retention.1m: '36h' is no whole number of days"],
    ),
    "hours kept for less time than minutes": (
        "1h: 400d",
        "1h: 7d",
        ["monitor.yaml:13: retention.1h: must not be shorter than retention.1m (14d)"],
    ),
    "retention shorter than a window": (
        "  features: 10m\nretention:\n  1m: 14d",
        "  features: 24h\nretention:\n  1m: 1d",
        [
            "monitor.yaml:12: retention.1m: must be longer than the longest window (1d) "
            "and stream.max_hold (5m) together"
        ],
    ),
    "disorder longer than the hold": (
        "disorder: 10s",
        "disorder: 5m",
        ["monitor.yaml:15: stream.disorder: must be shorter than stream.max_hold (5m)"],
    ),
    "a size that is none": (
        "1MiB",
        "1 megabyte",
        [
            "monitor.yaml:17: stream.max_record_bytes: '1 megabyte' is no size: "
            "write bytes, or a unit such as 64KiB, 1MiB or 1GB"
        ],
    ),
    "a count that is none": (
        "models: 10\n",
        "models: many\n",
        ["monitor.yaml:19: limits.models: must be a whole number, not 'many'"],
    ),
    "a count of nothing": (
        "models: 10\n",
        "models: 0\n",
        ["monitor.yaml:19: limits.models: must be above 0, not '0'"],
    ),
    "thresholds out of order": (
        "[100, 300]",
        "[300, 100]",
        ["monitor.yaml:20: latency_thresholds_ms: must rise, each one once: 100, 300"],
    ),
    "a threshold of nothing": (
        "[100, 300]",
        "[0, 300]",
        ["monitor.yaml:20: latency_thresholds_ms: must all be above zero"],
    ),
    "a threshold that is no number": (
        "[100, 300]",
        "[100, fast]",
        ["monitor.yaml:20: latency_thresholds_ms[1]: must be a number, not 'fast'"],
    ),
    "a threshold without end": (
        "[100, 300]",
        "[100, .inf]",
        ["monitor.yaml:20: latency_thresholds_ms[1]: must be a number, not '.inf'"],
    ),
    "more models than the limit": (
        "models: 10\nlatency_thresholds_ms: [100, 300]\nmodels:\n",
        "models: 1\nlatency_thresholds_ms: [100, 300]\nmodels:\n  churn: {}\n",
        ["monitor.yaml:21: models: has 2 models; raise limits.models (1)"],
    ),
    "a model that is a list": (
        "  fraud:\n",
        "  churn: [1]\n  fraud:\n",
        [
            "monitor.yaml:22: models.churn: must be a mapping with keys such as "
            "owner, segments, latency_thresholds_ms"
        ],
    ),
    "a model without a name": (
        "  fraud:\n",
        "  '': {}\n  fraud:\n",
        ["monitor.yaml:22: models.'': must not be empty"],
    ),
    "too many labels": (
        "models: 10\n",
        "segment_labels: 0\n",
        ["monitor.yaml:24: models.fraud.segments: has 1 labels; raise limits.segment_labels (0)"],
    ),
    "features by a label that is not kept": (
        "segments: [country]",
        "segments: [country]\n    feature_segments: [plan]",
        ["monitor.yaml:25: models.fraud.feature_segments: names plan, which segments lacks; add it there"],
    ),
    "a port that can't be": (
        "port: 8080",
        "port: 80800",
        ["monitor.yaml:28: web.port: must be at most 65535, not '80800'"],
    ),
    "a level that is none": (
        "level: info",
        "level: loud",
        ["monitor.yaml:30: log.level: must be debug, info, warning or error, not 'loud'"],
    ),
    "labels in a topic of records": (
        "topics: [inferences]",
        "topics: [inferences]\n    label_topics: [labels, inferences]",
        [
            "monitor.yaml:6: source.kafka.label_topics: inferences is the name of source.kafka.topics "
            "as well; rename one of the two"
        ],
    ),
    "a label topic that can't be": (
        "topics: [inferences]",
        "topics: [inferences]\n    label_topics: labels",
        ["monitor.yaml:6: source.kafka.label_topics: must be a list, such as [labels]"],
    ),
    "labels that are nowhere": (
        "windows:\n",
        "  labels: {path: nowhere, lanes: 0}\nwindows:\n",
        [
            "monitor.yaml:8: source.labels.lanes: must be at least 1, not '0'",
            "monitor.yaml:8: source.labels.path: nowhere does not exist; create the directory",
        ],
    ),
}
