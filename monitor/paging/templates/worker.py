"""Renders templates that can't be trusted to end, in a process that can be stopped."""

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from monitor.paging.templates import sandbox

__all__ = ["TemplateFailed", "Worker"]

_PROGRAM = Path(sandbox.__file__)
_MAX_ANSWER_BYTES = sandbox.MAX_CHARACTERS * 12 + 4096
# Starting the process takes some of the first template's time on a busy machine.
_START_S = 10.0


class TemplateFailed(Exception):
    """A template gave no text; says why, for people."""


class Worker:
    """One process, started when it is first needed and again after it was stopped; renders one at a time."""

    def __init__(self, timeout_s: float = 2.0) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def render(self, source: str, html: bool, values: dict[str, Any]) -> str:
        """The text. Blocks for some seconds at most. Raises TemplateFailed."""
        request = json.dumps({"source": source, "html": html, "values": values}).encode() + b"\n"
        with self._lock:
            try:
                line = self._asked(request)
            except TemplateFailed:
                self._stop()
                raise
        answer = json.loads(line)
        if "error" in answer:
            raise TemplateFailed(answer["error"])
        return str(answer["text"])

    def close(self) -> None:
        """Stops the process; the next template starts another."""
        with self._lock:
            self._stop()

    def _asked(self, request: bytes) -> bytes:
        timeout_s = self._timeout_s
        if self._process is None or self._process.poll() is not None:
            self._process = self._started()
            timeout_s += _START_S
        writing = threading.Thread(target=_write, args=(self._process, request), daemon=True)
        writing.start()
        try:
            return _line(self._process, timeout_s, self._timeout_s)
        finally:
            if self._process.poll() is not None:
                writing.join(1.0)

    def _started(self) -> subprocess.Popen[bytes]:
        # Nothing of the environment: a template has no business with secrets.
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")}
        return subprocess.Popen(
            [sys.executable, "-I", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
        )

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        process.wait()

    def __del__(self) -> None:
        self._stop()


def _write(process: subprocess.Popen[bytes], request: bytes) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except (OSError, ValueError):
        # It was stopped; whoever waits for the answer sees that.
        return


def _line(process: subprocess.Popen[bytes], timeout_s: float, told_s: float) -> bytes:
    if process.stdout is None:
        raise TemplateFailed("there is no process to render it")
    until_s = time.monotonic() + timeout_s
    found = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not selector.select(left_s):
                raise TemplateFailed(f"it takes longer than {told_s:g} s")
            part = os.read(process.stdout.fileno(), 1 << 16)
            found += part
            if not part or len(found) > _MAX_ANSWER_BYTES:
                raise TemplateFailed("it ended the process that renders it, by too much memory perhaps")
    return found
