"""Another set of rules for the same history."""

from pathlib import Path

from monitor.config import Config, load_config
from monitor.config.checks import mistakes
from monitor.config.found import dotted
from monitor.errors import ConfigError

__all__ = ["with_rules"]


def with_rules(config: Config, path: Path) -> Config:
    """The configuration with the objectives and the `slo` section of the file in place of its own; all else
    in the file is passed over, for the history was counted as it was.

    Raises ConfigError for mistakes in the file, and for what the configuration's windows or retention don't
    allow.
    """
    rules = load_config(path, need_source=False)
    models = {name: model.model_copy(update={"objectives": {}}) for name, model in config.models.items()}
    for name, model in rules.models.items():
        known = models.get(name, model)
        models[name] = known.model_copy(update={"objectives": model.objectives})
    changed = config.model_copy(update={"models": models, "slo": rules.slo})
    wrong = [f"{path}: {dotted(m.place)}: {m.sentence}" for m in mistakes(changed)]
    if wrong:
        raise ConfigError(wrong)
    return changed
