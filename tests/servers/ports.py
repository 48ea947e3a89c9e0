"""Free TCP ports on 127.0.0.1 for servers that are stopped and started again on the same port."""

import random
import socket

# Below the range that Linux and macOS take for outgoing connections (32768 and up): while a server is down, a
# client that keeps trying must neither be given its port nor end up connected to itself.
CANDIDATES = range(18_000, 32_000)
TRIES = 200


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that nobody listens on now. Raises OSError when it finds too few."""
    ports: list[int] = []
    for port in random.Random().sample(CANDIDATES, TRIES):
        if is_free(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError(f"no {count} free ports among {TRIES} of {CANDIDATES}")


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now. Does not block."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
