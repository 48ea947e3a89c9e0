"""What of a configuration works otherwise than it is written."""

from collections.abc import Iterator

from monitor.paging.receivers import KINDS
from monitor.paging.settings import PagerSettings

__all__ = ["notices"]


def notices(settings: PagerSettings) -> Iterator[tuple[str, str]]:
    """Each as the key, by the receiver's name, and a sentence: Alertmanager's Go templates, which aren't run,
    and keys that the provider is told nothing of."""
    if settings.go_templates:
        yield (
            "templates",
            f"aren't read, nor run: {', '.join(settings.go_templates)}; messages say what ours do",
        )
    for receiver in settings.receivers.values():
        seen: dict[str, int] = {}
        for integration in receiver.integrations:
            place = seen.get(integration.kind, 0)
            seen[integration.kind] = place + 1
            for key, sentence in KINDS[integration.kind].warnings(integration.config):
                where = f"receivers.{receiver.name}.{integration.kind}_configs[{place}]"
                yield f"{where}.{key}" if key else where, sentence
