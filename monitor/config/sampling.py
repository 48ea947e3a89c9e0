"""What a configuration says of samples."""

from monitor.config.model import Config
from monitor.profiles.samples import SampleSettings

__all__ = ["sample_settings"]


def sample_settings(config: Config) -> SampleSettings:
    """What sampling needs to know."""
    said = config.samples
    return SampleSettings(
        per_window=said.per_window,
        random_per_window=said.random_per_window,
        window_s=config.windows.features_s,
        redact=said.redact,
        features=said.features == "all",
    )
