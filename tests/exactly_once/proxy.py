"""A proxy before PostgreSQL that lets a COMMIT through and loses its answer."""

import contextlib
import socket
import threading
from typing import Self

__all__ = ["Proxy"]

_BYTES = 65_536
_COMMIT = b"COMMIT\0"  # a whole statement, unlike READ COMMITTED
_READY = b"Z\x00\x00\x00\x05I"  # ReadyForQuery, outside a transaction: the COMMIT is done


class Proxy:
    """Listens on 127.0.0.1:`port`. `cuts` counts the answers lost so far."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._every = 0
        self._commits = 0
        self.cuts = 0
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _close(each)

    def cut_every(self, n: int) -> None:
        """Loses the answer of every `n`th COMMIT from now on; 0 loses none."""
        with self._lock:
            self._every, self._commits = n, 0

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                _close(client)
                continue
            self._open |= {client, server}
            link = _Link(self, client, server)
            threading.Thread(target=link.requests, daemon=True).start()
            threading.Thread(target=link.answers, daemon=True).start()

    def loses(self) -> bool:
        """Whether the answer of the COMMIT that comes now is to be lost."""
        with self._lock:
            self._commits += 1
            return self._every > 0 and self._commits % self._every == 0


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._losing = False

    def requests(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(_BYTES):
                if _COMMIT in data and self._proxy.loses():
                    self._losing = True
                self._server.sendall(data)
        self._end()

    def answers(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(_BYTES):
                if not self._losing:
                    self._client.sendall(data)
                elif _READY in data:
                    self._proxy.cuts += 1
                    break
        self._end()

    def _end(self) -> None:
        _close(self._client)
        _close(self._server)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
