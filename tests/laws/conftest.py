"""Every law gets the entries of the catalogue that it is about."""

import pytest

from tests.catalogue import ENTRIES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `entry` all entries; a law about some of them marks itself with `@about`."""
    if "entry" in metafunc.fixturenames:
        chosen = getattr(metafunc.function, "about", lambda entry: True)
        entries = [entry for entry in ENTRIES if chosen(entry)]
        metafunc.parametrize("entry", entries, ids=lambda entry: entry.name)
