"""What reaches each target: the receivers' integrations, and the webhooks of actions."""

from monitor.paging.actions.acting import PREFIX
from monitor.paging.actions.posting import ActionSender
from monitor.paging.message import Sender
from monitor.paging.receivers import KINDS
from monitor.paging.settings import PagerSettings
from monitor.store.store import Store
from monitor.store.versions import previous_version

__all__ = ["senders_of"]


def senders_of(store: Store, settings: PagerSettings) -> dict[tuple[str, int], Sender]:
    """By the name of the receiver and the index of its integration. Actions ask `store` for versions."""
    receivers: dict[tuple[str, int], Sender] = {
        (receiver.name, integration.index): KINDS[integration.kind].make(
            integration.config, settings.templates
        )
        for receiver in settings.receivers.values()
        for integration in receiver.integrations
    }

    def previous(model: str, version: str | None) -> str | None:
        return previous_version(store, model, version)

    return receivers | {(PREFIX + a.name, 0): ActionSender(a, previous) for a in settings.actions}
