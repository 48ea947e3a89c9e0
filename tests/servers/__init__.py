"""Real servers for the tests, one module each: `kafka`, `postgres`, `prometheus`,
`alertmanager`.

Each server keeps its data in a temporary directory, listens on free ports of 127.0.0.1, and is gone with
the process that started it, however that ends. What is not installed is a `ServerMissing`, which says what to
do; `tests/servers/install.sh` installs all of them. A new server is a subclass of `server.Server` in a module
of its own, a line in `install.sh` and a fixture in `tests/conftest.py`.
"""

from tests.servers.alertmanager import Alertmanager
from tests.servers.kafka import Kafka, KafkaConfig
from tests.servers.postgres import Postgres, PostgresConfig
from tests.servers.prometheus import Prometheus, PrometheusConfig
from tests.servers.server import Server, ServerFailed, ServerMissing

__all__ = [
    "Alertmanager",
    "Kafka",
    "KafkaConfig",
    "Postgres",
    "PostgresConfig",
    "Prometheus",
    "PrometheusConfig",
    "Server",
    "ServerFailed",
    "ServerMissing",
]
