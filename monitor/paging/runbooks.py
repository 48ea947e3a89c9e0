"""The first steps of a runbook, for the message that tells of its alert."""

import re
from pathlib import Path

__all__ = ["RUNBOOKS", "first_steps"]

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
_PLAIN = re.compile(r"[A-Za-z0-9_.:/][A-Za-z0-9_.:/-]*")
_FENCE = "```"
_MAX_CHARACTERS = 100_000


def first_steps(name: str, model: str = "", folder: Path = RUNBOOKS, most: int = 8) -> tuple[str, ...]:
    """The commands below the heading `First ..` of `<name>.md`, or its lines where it has none, at most so
    many, with `model` in place of MODEL; none where there is no such runbook."""
    if _NAME.fullmatch(name) is None:
        return ()
    try:
        with (folder / f"{name}.md").open(encoding="utf-8") as file:
            text = file.read(_MAX_CHARACTERS)
    except (OSError, UnicodeDecodeError):
        return ()
    section = re.search(r"^##+ First [^\n]*\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    if section is None:
        return ()
    lines = [line.rstrip() for line in section[1].splitlines()]
    # What comes before the commands tells how to type them, which whoever is paged knows.
    begins = next((i for i, line in enumerate(lines) if line.startswith(_FENCE)), 0)
    kept = [line for line in lines[begins:] if line and not line.startswith(_FENCE)][:most]
    # Whoever is paged copies these lines into a shell, and a label may hold anything.
    return tuple(line.replace("MODEL", model) if _PLAIN.fullmatch(model) else line for line in kept)
