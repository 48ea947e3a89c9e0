"""Messages on standard error or in the log: for a first try, without an account anywhere."""

import logging
import sys
import threading
from typing import Literal

from monitor.paging.message import Delivery, Message, Result
from monitor.paging.receivers.kind import Kind
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import DEFAULT, Part, Templates

__all__ = ["KIND", "ConsoleConfig"]

_LOG = logging.getLogger(__name__)
_ONE_AT_A_TIME = threading.Lock()


class ConsoleConfig(ReceiverSection):
    """An entry of `console_configs`."""

    to: Literal["stderr", "log"] = "stderr"


class _Console:
    dedups = False

    def __init__(self, config: ConsoleConfig, templates: Templates = DEFAULT) -> None:
        self._config = config
        self._templates = templates.over(config.templates)

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        title, text = (self._templates.render(part, message) for part in (Part.TITLE, Part.TEXT))
        if self._config.to == "log":
            _LOG.warning("page for %s: %s", message.receiver, title, extra={"text": text})
            return Delivery(Result.DELIVERED, "logged")
        body = "\n".join(f"  {line}".rstrip() for line in text.splitlines())
        with _ONE_AT_A_TIME:
            try:
                print(f"\n{title} (to {message.receiver})\n\n{body}\n", file=sys.stderr, flush=True)
            except OSError as e:
                return Delivery(Result.TRANSIENT, f"standard error can't be written: {e.strerror}")
        return Delivery(Result.DELIVERED, "written to standard error")


KIND = Kind("console", ConsoleConfig, _Console)
