"""promtool, where it is installed."""

from collections.abc import Callable

import pytest

from tests.conftest import server_or_skip
from tests.servers import Prometheus, ServerMissing
from tests.servers.prometheus import promtool


@pytest.fixture
def promtool_run() -> Callable[..., str]:
    """Runs the real promtool; raises ServerFailed with what it says where it finds a mistake."""

    def found() -> Callable[..., str]:
        reason = Prometheus.missing()
        if reason is not None:
            raise ServerMissing(reason)
        return promtool

    return server_or_skip(found)
