"""What the web server needs to know."""

from dataclasses import dataclass

from monitor.config import is_loopback
from monitor.config.model import WebConfig

__all__ = ["WebSettings", "from_config", "is_loopback"]


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where to listen and what to bear. `max_body_bytes` holds before and after decompression;
    `rate_per_s` and `burst` are for each client; `hosts` are further names this server is called by.

    A `host` that is not loopback needs tokens, whatever `require_tokens` says.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    max_body_bytes: int = 10 << 20
    request_timeout_s: float = 30.0
    rate_per_s: float = 100.0
    burst: int = 200
    require_tokens: bool = False
    hosts: tuple[str, ...] = ()

    @property
    def needs_tokens(self) -> bool:
        return self.require_tokens or not is_loopback(self.host)


def from_config(config: WebConfig) -> WebSettings:
    """The settings that a configuration asks for."""
    return WebSettings(
        host=config.host,
        port=config.port,
        max_body_bytes=config.max_body_bytes,
        request_timeout_s=config.request_timeout_s,
        rate_per_s=config.rate_per_s,
        burst=config.burst,
        require_tokens=config.require_tokens,
        hosts=config.hosts,
    )
