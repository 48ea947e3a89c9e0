"""An apprise URL of any service, and what of Alertmanager's own receivers becomes one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from monitor.paging.message import Sender
from monitor.paging.receivers.go_templates import own, unused
from monitor.paging.receivers.http_config import Secret, secret
from monitor.paging.receivers.kind import Kind, Note
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import DEFAULT, Part, Templates

__all__ = ["KIND", "AppriseConfig", "mapped"]


class AppriseConfig(ReceiverSection):
    """An entry of `apprise_configs`."""

    url: Secret = ""
    url_file: Path | None = None


def mapped(
    name: str,
    config: type[ReceiverSection],
    url: Callable[[Any], str],
    needs: tuple[str, ...] = (),
    inherits: dict[str, str] | None = None,
    words: Sequence[tuple[str, Part]] = (),
    ignored: Sequence[str] = (),
    secrets: Sequence[str] = (),
) -> Kind:
    """A receiver of Alertmanager's that is told over apprise.

    `url` makes the URL of an entry, or raises ValueError with what can't be mapped; `words` are its keys that
    hold templates, by what they make; `ignored` what apprise has nothing for; of the files of `secrets` the
    URL is made only when something is sent.
    """

    def make(entry: Any, templates: Templates = DEFAULT) -> Sender:
        given = [(part, str(getattr(entry, key) or "")) for key, part in words]
        return _sender(lambda: url(entry), own(templates, given).over(entry.templates))

    def problems(entry: Any) -> Sequence[Note]:
        if any(getattr(entry, f"{key}_file", None) for key in secrets):
            return ()
        return _url_problems(lambda: url(entry), needs[0] if needs else "")

    def warnings(entry: Any) -> Sequence[Note]:
        notes = unused(entry, [key for key, _ in words])
        return notes + [
            (key, "isn't used: apprise has nothing for it") for key in ignored if _set(entry, key)
        ]

    return Kind(name, config, make, needs, inherits or {}, problems, warnings)


def _set(entry: BaseModel, key: str) -> bool:
    said = key in entry.model_fields_set or key not in type(entry).model_fields
    return said and getattr(entry, key) not in (None, "", (), {}, [])


def _sender(url: Callable[[], str], templates: Templates) -> Sender:
    # It takes 0.2 s to import, too long for commands that send nothing.
    from monitor.paging.receivers.apprise_sending import AppriseSender

    return AppriseSender(url, templates)


def _url_problems(url: Callable[[], str], key: str) -> Sequence[Note]:
    from monitor.paging.receivers.apprise_sending import known

    try:
        made = url()
    except ValueError as e:
        return [(key, str(e))]
    except OSError:
        return ()
    if known(made):
        return ()
    return [(key, "is nothing that apprise can reach; see its list of services for what it takes")]


def _made(config: Any, templates: Templates = DEFAULT) -> Sender:
    return _sender(lambda: secret(config.url, config.url_file), templates.over(config.templates))


def _problems(config: AppriseConfig) -> Sequence[Note]:
    return _url_problems(lambda: config.url, "url") if config.url else ()


KIND = Kind("apprise", AppriseConfig, _made, needs=("url", "url_file"), problems=_problems)
