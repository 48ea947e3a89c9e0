"""The tables. Times are integers: `_ms` milliseconds, `_s` seconds since the epoch, UTC."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "activations",
    "additions",
    "alerts",
    "baseline_counts",
    "baseline_rows",
    "baselines",
    "bindings",
    "bins",
    "classes",
    "concept_alarms",
    "counts",
    "dead_letters",
    "detectors",
    "evaluations",
    "events",
    "exclusions",
    "files",
    "gaps",
    "incidents",
    "leases",
    "measured",
    "metadata",
    "outbox",
    "pager_inbox",
    "pager_state",
    "pagers",
    "pairs",
    "peaks",
    "profiles",
    "progress",
    "samples",
    "series",
    "silences",
    "thresholds",
    "timeline",
    "tokens",
    "transitions",
]

metadata = MetaData()

# One row per partition: how far it is committed, and who may write on. `writer` stands for the
# partition in the other tables. `high1_ms` and `high2_ms` are the two highest timestamps seen. `carries`:
# records, or labels or events, which say nothing of how far the stream of inferences has come.
progress = Table(
    "progress",
    metadata,
    Column("writer", Integer, primary_key=True, autoincrement=True),
    Column("topic", String(300), nullable=False),
    Column("part", Integer, nullable=False),
    Column("next_offset", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("high1_ms", BigInteger),
    Column("high2_ms", BigInteger),
    Column("watermark_ms", BigInteger),
    Column("idle_since_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    Column("carries", String(10), nullable=False, server_default="records"),
    UniqueConstraint("topic", "part", name="progress_partition"),
)

files = Table(
    "files",
    metadata,
    Column("writer", Integer, ForeignKey("progress.writer", name="files_writer"), primary_key=True),
    Column("identity", String(200), primary_key=True),
    Column("path", Text, nullable=False),
    Column("read_offset", BigInteger, nullable=False),
    Column("done", Boolean, nullable=False),
)

# A series: the whole of (model, version, endpoint), or one value of one segment label within it.
series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("endpoint", String(200), nullable=False),
    Column("label", String(200), nullable=False),
    Column("value", String(200), nullable=False),
    UniqueConstraint("model", "version", "endpoint", "label", "value", name="series_names"),
)

thresholds = Table(
    "thresholds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("value_ms", Float, nullable=False, unique=True),
    Column("since_ms", BigInteger, nullable=False),
)

# What windows are held against. Immutable; `number` counts from 1 in each model, and 0 is the provisional
# one. `version` is the model's version that it is for, '' for all. `quality` is that on the validation
# labels, JSON.
baselines = Table(
    "baselines",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("author", String(200), nullable=False),
    Column("source", Text),
    Column("time_zone", String(100)),
    Column("quality", Text),
    UniqueConstraint("model", "number", name="baselines_number"),
)

# The bins of one feature under one baseline: given once, by whoever inserts first, and never changed.
# `spec` is null while the feature is known but not fitted; so it stays where the baseline was fitted
# without the feature.
bins = Table(
    "bins",
    metadata,
    Column("baseline", Integer, ForeignKey("baselines.id", name="bins_baseline"), primary_key=True),
    Column("feature", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("spec", Text),
    Column("contract", Text),
    Column("importance", Float),
    UniqueConstraint("baseline", "name", name="bins_name"),
)

# What a baseline's own rows came to, as feature profiles hold it. Slot -1 is the whole, 0 to 167 an hour
# of the week, from Monday midnight, in the baseline's time zone.
baseline_counts = Table(
    "baseline_counts",
    metadata,
    Column(
        "baseline", Integer, ForeignKey("baselines.id", name="baseline_counts_baseline"), primary_key=True
    ),
    Column("slot", SmallInteger, primary_key=True),
    Column("n_rows", BigInteger, nullable=False),
    Column("windows", Integer, nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Column("sums", LargeBinary),
    Column("dispersion", LargeBinary),
)

# Which baseline is for which event time, append-only: from `from_s` on it is active, or, where retired,
# no longer. What was said last holds.
activations = Table(
    "activations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("baseline", Integer, ForeignKey("baselines.id", name="activations_baseline"), nullable=False),
    Column("from_s", BigInteger, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# The baseline that a feature window of a whole series is counted on: given by whoever counts in it first,
# and never changed, so that no window mixes.
bindings = Table(
    "bindings",
    metadata,
    Column("series", Integer, primary_key=True),
    Column("start_s", BigInteger, primary_key=True),
    Column("baseline", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The sum of what one writer contributed to one window of one series. `revision` goes up with each write, so
# that whoever has read a row can see whether it has changed.
profiles = Table(
    "profiles",
    metadata,
    Column("kind", SmallInteger, primary_key=True),
    Column("tier_s", Integer, primary_key=True),
    Column("series", Integer, primary_key=True),
    Column("start_s", BigInteger, primary_key=True),
    Column("writer", Integer, primary_key=True),
    Column("baseline", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Column("sums", LargeBinary),
    Column("maxima", LargeBinary),
    sqlite_with_rowid=False,
)

# The peak of a closed window, requests per second, as it was first closed. "*" stands for all versions
# or all endpoints: peaks of parts don't add up to the peak of the whole.
peaks = Table(
    "peaks",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("version", String(200), primary_key=True),
    Column("endpoint", String(200), primary_key=True),
    Column("tier_s", Integer, primary_key=True),
    Column("start_s", BigInteger, primary_key=True),
    Column("per_s", Float, nullable=False),
    sqlite_with_rowid=False,
)

# What is counted by writer and hour of the clock, but belongs to no model: dead letters by reason,
# those dropped at the cap, unknown fields by name.
counts = Table(
    "counts",
    metadata,
    Column("writer", Integer, primary_key=True),
    Column("kind", String(30), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("hour_s", BigInteger, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", String(300), nullable=False),
    Column("part", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("replayed_ms", BigInteger),
    UniqueConstraint("topic", "part", "position", name="dead_letters_position"),
    Index("dead_letters_at", "at_ms"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("topic", String(300), nullable=False),
    Column("part", Integer, nullable=False),
    Column("from_offset", BigInteger),
    Column("to_offset", BigInteger),
    Column("from_ms", BigInteger),
    Column("reason", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

# Predictions and labels by the key that joins them, as pair_codec writes them. `day` (since the epoch) is
# that of the newest prediction, and of the newest label only while there is none.
pairs = Table(
    "pairs",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("day", Integer, nullable=False),
    Column("predictions", LargeBinary),
    Column("labels", LargeBinary),
    Index("pairs_day", "day"),
    # Room for labels to join their predictions without moving them, so that no index has to follow.
    postgresql_with={"fillfactor": 70},
)

# The numbers of the classes of each model, 0 to 63: given once, and never changed.
classes = Table(
    "classes",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("name", String(200), nullable=False),
    UniqueConstraint("model", "name", name="classes_name"),
)

# What one flush of a writer adds to quality profiles of one day (since the epoch), put aside until there is
# enough of it to be worth writing whole rows anew. It counts as if it stood in `profiles`.
additions = Table(
    "additions",
    metadata,
    Column("writer", Integer, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Records to look at: the lowest by (rank, hash, moment) of each window and reason, see profiles.samples.
# `series` is the whole one of a model and version, `name` the record's id.
samples = Table(
    "samples",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("series", Integer, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("hash", BigInteger, nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("rank", Float, nullable=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("name", String(200), nullable=False),
    Column("trace_id", String(200)),
    Column("endpoint", String(200), nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("latency_ms", Float),
    Column("prediction", Text),
    Column("score", Float),
    Column("features", Text),
    Column("label", Text),
    UniqueConstraint("series", "start_s", "reason", "hash", "moment", "rank", name="samples_order"),
    Index("samples_start", "start_s"),
)

# A few of the rows that a baseline was fitted on, JSON lines, compressed.
baseline_rows = Table(
    "baseline_rows",
    metadata,
    Column("baseline", Integer, ForeignKey("baselines.id", name="baseline_rows_baseline"), primary_key=True),
    Column("rows", LargeBinary, nullable=False),
)

# How far the detectors of concept drift have come with a version's outcomes: `last_s` is the begin of the
# last closed window that they took, `state` (JSON) what they then held. It moves by compare-and-swap.
detectors = Table(
    "detectors",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("version", String(200), primary_key=True),
    Column("last_s", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)

# What the detectors found, append-only: in the window from `start_s` the mean loss was `after`, and `before`
# until then. A loss is the share of wrong predictions, or the mean absolute error.
concept_alarms = Table(
    "concept_alarms",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("detector", String(30), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("before", Float, nullable=False),
    Column("after", Float, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("model", "version", "detector", "start_s", name="concept_alarms_window"),
)

# Spans of time that objectives do not count, append-only but for `revoked_ms`. '' stands for all models, or
# for all objectives.
exclusions = Table(
    "exclusions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("objective", String(200), nullable=False),
    Column("from_s", BigInteger, nullable=False),
    Column("to_s", BigInteger, nullable=False),
    Column("author", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("revoked_by", String(200)),
)

# Indicators of slices of time, kept because they cost more to compute than to read: `value` null where there
# is none. `token` stands for the profiles that it was computed from; with another token it is computed anew.
measured = Table(
    "measured",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("sli", String(300), primary_key=True),
    Column("time", String(10), primary_key=True),
    Column("version", String(200), primary_key=True),
    Column("endpoint", String(200), primary_key=True),
    Column("label", String(200), primary_key=True),
    Column("value_of_label", String(200), primary_key=True),
    Column("slice_s", Integer, primary_key=True),
    Column("start_s", BigInteger, primary_key=True),
    Column("value", Float),
    Column("n", BigInteger, nullable=False),
    Column("token", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# How far evaluation has come: it moves by compare-and-swap, together with the alerts that it moves.
evaluations = Table(
    "evaluations",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("at_s", BigInteger, nullable=False),
)

# What was last evaluated of each alert that is not inactive. `key` is the alert's key as JSON, `state` the
# rest of it.
alerts = Table(
    "alerts",
    metadata,
    Column("key", String(2000), primary_key=True),
    Column("phase", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("since_s", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)

# What alerts did, append-only. `at_s` is event time, `seen_ms` the clock; `quiet`: found while catching up,
# too old to page for. `facts` (JSON) are the figures behind it.
transitions = Table(
    "transitions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("model", String(200), nullable=False),
    Column("key", String(2000), nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("before", String(20), nullable=False),
    Column("after", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("why", String(40), nullable=False),
    Column("quiet", Boolean, nullable=False),
    Column("facts", Text, nullable=False),
    Index("transitions_at", "at_s"),
)

# Whose turn it is: whoever takes the pager over raises `epoch`, and nothing is written for an older one.
# `turn` counts what was written in the epoch, so that a commit whose answer was lost isn't done again.
pagers = Table(
    "pagers",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("holder", String(200), nullable=False),
)

# Reports of alerts that the pager has not taken yet, in the order in which they came.
pager_inbox = Table(
    "pager_inbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# What the pager remembers, as documents; `key` is a hash, for keys of groups may be of any length.
pager_state = Table(
    "pager_state",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

# `ends_ms` null: until somebody ends it.
silences = Table(
    "silences",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("ends_ms", BigInteger),
    Column("document", LargeBinary, nullable=False),
)

# What is to be told, and what became of it. `ended_ms` null: it is not over; of each slot (a receiver's
# integration, for one group) there is one such row at most.
outbox = Table(
    "outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("receiver", String(300), nullable=False),
    Column("integration", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("doubtful", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("outbox_ended", "ended_ms"),
)

# `document` holds the rest of an incident. Ids are given by whoever has the pager.
incidents = Table(
    "incidents",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("phase", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("resolved_ms", BigInteger),
    Column("document", LargeBinary, nullable=False),
    Index("incidents_resolved", "resolved_ms"),
)

# What happened, and who did what and why, append-only; `incident` null where it is about none.
timeline = Table(
    "timeline",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("incident", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("who", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Index("timeline_incident", "incident", "id"),
)

# What signs the links that acknowledge an incident, unless a file does.
link_keys = Table(
    "link_keys",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("key", LargeBinary, nullable=False),
)

# Links that were used, by a hash of what they are about, until they expire.
links_used = Table(
    "links_used",
    metadata,
    Column("mark", String(64), primary_key=True),
    Column("expires_ms", BigInteger, nullable=False),
    Index("links_used_expires", "expires_ms"),
)

# Events of operations, each once by its source and id. `ts_ms` is when it happened, `seen_ms` when it came;
# `subject` names what it is about besides the model: a run, a dataset, a device, a credential. `document` is
# the event's data as it was sent.
events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("source", String(300), nullable=False),
    Column("event", String(300), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("source", "event", name="events_once"),
    Index("events_kind", "kind", "ts_ms"),
    Index("events_model", "model", "ts_ms"),
)

# Requests to train a model anew, numbered by policy: whoever takes a number twice comes too late. `event` is
# the id of the event that told of it; `posted` what came of its webhook.
retraining = Table(
    "retraining",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("policy", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("event", String(64), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("approved", Boolean),
    Column("reviewer", String(200)),
    Column("review", Text),
    Column("reviewed_ms", BigInteger),
    Column("posted", Boolean),
    Column("posted_ms", BigInteger),
    Column("posted_detail", Text),
    UniqueConstraint("policy", "number", name="retraining_once"),
)
