"""Good files, made once for all tests of hostile ones."""

from pathlib import Path

import pytest

from tests.hostile.formats import good_files


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where good files lie, and hostile ones may be put in their place."""
    return tmp_path_factory.mktemp("good")


@pytest.fixture(scope="session")
def good(folder: Path) -> dict[str, bytes]:
    """Return a good file of each format."""
    return good_files(folder)
