"""The sieges that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.attacks.siege import Siege, reachable_folder


@pytest.fixture(scope="module")
def siege() -> Iterator[Siege]:
    """One host for a module: an attack that harms it fails all that follow, as it should."""
    with reachable_folder() as folder:
        besieged = Siege(folder)
        try:
            besieged.begin()
            yield besieged
        finally:
            besieged.close()
