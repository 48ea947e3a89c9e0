"""All files of alert_rules/: the rules of each model, those of every model, and promtool's tests of both."""

import re
from hashlib import sha256

from monitor.slo.catalogue import watches
from monitor.slo.objective import Objective
from monitor.slo.prometheus.budget_rules import budget_groups
from monitor.slo.prometheus.groups import document
from monitor.slo.prometheus.naming import Links
from monitor.slo.prometheus.own_rules import own_group
from monitor.slo.prometheus.unit_tests import budget_tests, own_tests, unit_test_file, watch_tests
from monitor.slo.prometheus.watch_rules import owner_records, watch_group
from monitor.slo.settings import SloSettings

__all__ = ["GENERIC", "TESTS", "rule_files"]

GENERIC, TESTS = "generic.yaml", "tests"


def rule_files(settings: SloSettings) -> dict[str, str]:
    """The text of each file by its path below alert_rules/; the same for the same settings."""
    links = Links(settings.runbook_url or Links().runbooks, settings.dashboard_url)
    files = _generic(settings, links)
    by_model: dict[str, list[Objective]] = {}
    for objective in settings.objectives:
        by_model.setdefault(objective.meter.model, []).append(objective)
    for model, objectives in sorted(by_model.items()):
        groups = [group for objective in objectives for group in budget_groups(objective, links)]
        if groups:
            name = f"model-{_slug(model)}.yaml"
            files[name] = document(groups)
            files[f"{TESTS}/{name}"] = unit_test_file(name, budget_tests(objectives))
    return files


def _generic(settings: SloSettings, links: Links) -> dict[str, str]:
    found = watches({"": None}, settings.bases, settings.tuning) if settings.generic else ()
    owners = {model: owner for model, owner in settings.owners.items() if owner is not None}
    window_s = settings.bases.service_s
    groups = [own_group(links, window_s)]
    if found:
        groups += [*([owner_records(owners)] if owners else []), watch_group(found, links)]
    tests = [*own_tests(window_s), *watch_tests(found)]
    return {GENERIC: document(groups), f"{TESTS}/{GENERIC}": unit_test_file(GENERIC, tests)}


def _slug(model: str) -> str:
    """The model's name as part of a file's, which no other model shares."""
    plain = re.sub(r"[^a-z0-9._-]", "_", model)
    return plain if plain == model else f"{plain}-{sha256(model.encode()).hexdigest()[:8]}"
