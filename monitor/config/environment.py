"""Puts in what a file leaves to its surroundings: `${NAME}` from the environment, `${file:/path}`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from monitor.config.document import Location

__all__ = ["Resolver"]

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_FILE_CHARS = 1 << 20


class Resolver:
    """Resolves a whole document; `problems` holds (place, sentence) of what could not be found."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[tuple[Location, str]] = []

    def resolve(self, value: Any, place: Location = ()) -> Any:
        """The value with every reference in its texts replaced; `$${` stands for a plain `${`."""
        if isinstance(value, dict):
            return {key: self.resolve(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*place, i)) for i, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        return _REFERENCE.sub(lambda match: self._found(match, place), value)

    def _found(self, match: re.Match[str], place: Location) -> str:
        if match[0] == "$${":
            return "${"
        try:
            found = self._look_up(match[0], match[1])
        except ValueError as e:
            self.problems.append((place, str(e)))
            return match[0]
        return quote(found, safe="") if _is_password(match) else found

    def _look_up(self, reference: str, name: str) -> str:
        if not reference.endswith("}"):
            raise ValueError(f"{reference} has no closing brace; a plain ${{ is written $${{")
        if name.startswith("file:"):
            return _read(Path(name.removeprefix("file:")))
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{reference} is neither ${{NAME}} nor ${{file:/path}}; a plain ${{ is written $${{"
            )
        if name not in self._environ:
            raise ValueError(f"the environment variable {name} is not set; set it")
        return self._environ[name]


def _is_password(match: re.Match[str]) -> bool:
    """Whether the reference is the password of a URL, where an `@` or `/` would end it too soon."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    return re.search(r"://[^/@]*:$", before) is not None and after.startswith("@")


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} is not UTF-8") from None
    except OSError as e:
        reason = (e.strerror or str(e)).lower()
        raise ValueError(f"the file {path} can't be read: {reason}") from None
    if len(text) > _MAX_FILE_CHARS:
        raise ValueError(f"the file {path} is larger than 1 MiB, too large for a value")
    # Editors and `echo` end a file with a line end, which is no part of a secret.
    return text.rstrip("\r\n")
