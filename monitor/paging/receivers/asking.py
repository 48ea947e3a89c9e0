"""Several requests to one provider for one message, within its time."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.paging.message import Delivery, Result
from monitor.paging.receivers.http import Answer, HttpConfig, post

__all__ = ["Asking", "Refused"]

_READS = ("GET", "SEARCH")


class Refused(Exception):
    """The provider did not do what it was asked; `delivery` says what that means, `status` its answer."""

    def __init__(self, delivery: Delivery, status: int | None = None) -> None:
        super().__init__(delivery.detail)
        self.delivery = delivery
        self.status = status


class Asking:
    """Asks below `base`, for `timeout_s` in all. A read that breaks off may simply be tried again; `SEARCH`
    is a read by POST."""

    def __init__(
        self,
        base: str,
        timeout_s: float,
        config: HttpConfig,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._base, self._config = base.rstrip("/"), config
        self._headers, self._secrets = dict(headers or {}), secrets
        self._until_s = time.monotonic() + timeout_s

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that it answers, None for nothing. Raises Refused."""
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise Refused(Delivery(Result.TRANSIENT, "it answers too slowly"))
        delivery, answer = post(
            f"{self._base}{path}",
            body,
            left_s,
            self._config,
            headers=self._headers,
            method="POST" if method == "SEARCH" else method,
            secrets=self._secrets,
        )
        if delivery.result is Result.DELIVERED and answer is not None:
            return answer.json()
        if method in _READS and delivery.result is Result.DOUBTFUL:
            delivery = replace(delivery, result=Result.TRANSIENT)
        raise Refused(_limited(delivery, answer), answer.status if answer is not None else None)


def _limited(delivery: Delivery, answer: Answer | None) -> Delivery:
    """GitHub says 403 where others say 429."""
    if answer is None or answer.status != 403:
        return delivery
    headers = answer.headers
    if "Retry-After" not in headers and headers.get("X-RateLimit-Remaining") != "0":
        return delivery
    wait = headers.get("Retry-After", "60")
    return Delivery(Result.TRANSIENT, delivery.detail, int(wait) * 1000 if wait.isdecimal() else None)
