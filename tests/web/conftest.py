"""Sites: an app on loopback, and one that the network can reach."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.apps import Site


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """A function from settings to a site."""
    made: list[Site] = []

    def make(**settings: Any) -> Site:
        made.append(Site(tmp_path, **settings))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site on loopback, where no token is needed."""
    return make_site()


@pytest.fixture
def public(make_site: Callable[..., Site]) -> Site:
    """A site that the network can reach."""
    return make_site(host="0.0.0.0")
