"""An Alertmanager file as it may be shown: no secrets in it, and nothing that amtool can't read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

__all__ = ["shown_document", "shown_file"]

_MASK = "<secret>"
_SECRET = re.compile(
    r"password|passphrase|secret|token|credentials$|authorization$|cookie|(^|[_-])(api|routing|service|user)?"
    r"[_-]?key$",
    re.IGNORECASE,
)
_NOT_A_SECRET = re.compile(r"_file$|^smtp_require_tls$", re.IGNORECASE)
# Integrations of ours, which would be mistakes to a program that reads Alertmanager's language.
_OURS = frozenset(("apprise_configs", "jira_configs", "github_configs", "heartbeat_configs"))


def shown_file(path: Path) -> str:
    """The file as YAML, empty where it can't be read. Of a URL only the host is shown, for what follows it
    is often a secret; `${NAME}` is shown as it stands."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return ""
    return shown_document(document) if isinstance(document, dict) else ""


def shown_document(document: Mapping[str, Any]) -> str:
    """The same of what such a file says; a text is written as it would be in one, `true` without quotes."""
    left_out: list[str] = []
    found = {str(key): _masked(str(key), value) for key, value in document.items()}
    if isinstance(found.get("receivers"), list):
        found["receivers"] = [_known(receiver, left_out) for receiver in found["receivers"]]
    note = "".join(f"# not shown: {line}\n" for line in left_out)
    return note + yaml.dump(found, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1000)


class _Plain(yaml.SafeDumper):
    """Without quotes wherever none are needed to keep a text in one piece."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    tag = str(dumper.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]  # no stub
    return dumper.represent_scalar(tag, text)


_Plain.add_representer(str, _written)


def _known(receiver: Any, left_out: list[str]) -> Any:
    if not isinstance(receiver, dict):
        return receiver
    left_out += [f"{key} of {receiver.get('name')}" for key in receiver if key in _OURS]
    return {key: value for key, value in receiver.items() if key not in _OURS}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(name, inner) for inner in value]
    if not isinstance(value, str) or _NOT_A_SECRET.search(name):
        return value
    if _SECRET.search(name):
        return _MASK if value else value
    return _masked_url(value) if name.lower().endswith("url") else value


def _masked_url(text: str) -> str:
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return _MASK
    if not url.scheme or not host:
        return text
    if not (url.path.strip("/") or url.query or url.fragment or url.username or url.password):
        return text
    shown_host = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown_host}{f':{port}' if port else ''}/{_MASK}"
