"""A configuration in which everything is right, for tests that break one thing each."""

VALID = """\
store: sqlite:///monitor.db
source:
  kafka:
    bootstrap_servers: broker1:9092,broker2:9092
    topics: [inferences]
    options:
      client.id: monitor
windows:
  service: 1m
  features: 10m
retention:
  1m: 14d
  1h: 400d
stream:
  disorder: 10s
  max_hold: 5m
  max_record_bytes: 1MiB
limits:
  models: 10
latency_thresholds_ms: [100, 300]
models:
  fraud:
    owner: risk
    segments: [country]
    latency_thresholds_ms: [250]
web:
  host: 127.0.0.1
  port: 8080
log:
  level: info
"""
