"""Looks at this machine: directories, disk space, and the port to listen on."""

import errno
import os
import shutil
import socket
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from monitor.config import Config
from monitor.config.checks import matching_files
from monitor.config.durations import format_size
from monitor.config.model import FilesConfig, SpoolConfig, WebConfig
from monitor.doctor.finding import Finding, failed, fine, warned

__all__ = ["look_at_machine", "look_at_space"]

_SPACE_WARN_BYTES = 1 << 30
_SPACE_FAIL_BYTES = 100 << 20
_PROBE_S = 1.0


def look_at_machine(config: Config) -> Iterator[Finding]:
    """Findings on the directories of files, the spool and the port."""
    for _, key, files in config.source.directories:
        yield _files(key, files)
    if config.ingest.spool is not None:
        yield from _spool(config.ingest.spool)
    yield _port(config.web)


def look_at_space(name: str, directory: Path, wanted_bytes: int = _SPACE_WARN_BYTES) -> Iterator[Finding]:
    """How much space is left beside what the directory holds; nothing where there is no such directory."""
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        return
    seen = f"{_rounded(free)} free at {directory}"
    if free < _SPACE_FAIL_BYTES:
        yield failed(name, seen, "free some space: nothing can be committed on a full disk")
    elif free < wanted_bytes:
        yield warned(name, seen, f"leave at least {format_size(wanted_bytes)} for what is to come")
    else:
        yield fine(name, seen)


def _rounded(size: int) -> str:
    unit = 1 << 30 if size >= 1 << 30 else 1 << 20
    return f"{size / unit:.1f} {'GiB' if unit > 1 << 20 else 'MiB'}"


def _files(key: str, files: FilesConfig) -> Finding:
    try:
        found = matching_files(files.path, files.pattern)
    except OSError as e:
        return failed(key, f"{files.path}: {_reason(e)}", "let this user read the directory")
    unreadable = [path for path in found if not os.access(path, os.R_OK)]
    if unreadable:
        seen = f"{len(unreadable)} of {len(found)} files can't be read, such as {unreadable[0].name}"
        return failed(key, seen, "let this user read them")
    if not found:
        seen = f"no file in {files.path} matches {files.pattern}"
        return warned(key, seen, f"correct source.{key}.path or pattern, unless files are still to come")
    return fine(key, f"{len(found)} {'file' if len(found) == 1 else 'files'} in {files.path}")


def _spool(spool: SpoolConfig) -> Iterator[Finding]:
    place = spool.path
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(prefix=".doctor-", dir=place) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as e:
        yield failed(
            "spool", f"{place}: {_reason(e)}", "let this user write there, or move ingest.spool.path"
        )
        return
    yield fine("spool", f"{spool.path} {'is writable' if place == spool.path else 'can be made'}")
    yield from look_at_space("spool disk", place, spool.max_bytes)


def _port(web: WebConfig) -> Finding:
    where = f"{web.host}:{web.port}"
    if web.port == 0:
        return fine("port", "any free one will be taken")
    host = web.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, web.port, type=socket.SOCK_STREAM)[0]
    except OSError as e:
        return failed("port", f"{where}: {_reason(e)}", "name an address of this machine in web.host")
    with socket.socket(family, kind, protocol) as probe:
        # As servers do: a port whose last connections are still timing out counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as e:
            return _taken(web, where, e)
    return fine("port", f"{where} is free")


def _taken(web: WebConfig, where: str, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        if _is_monitor(web):
            return fine("port", f"{where} is in use, by a monitor that answers")
        return failed("port", f"{where} is in use", "stop what uses it, or choose another web.port")
    advice = {
        errno.EACCES: "ports below 1024 need rights: choose a higher web.port",
        errno.EADDRNOTAVAIL: "name an address of this machine in web.host",
    }
    return failed(
        "port", f"{where}: {_reason(error)}", advice.get(error.errno or 0, "correct web.host and web.port")
    )


def _is_monitor(web: WebConfig) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.host, web.host).strip("[]")
    url = f"http://{f'[{host}]' if ':' in host else host}:{web.port}/healthz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PROBE_S) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
