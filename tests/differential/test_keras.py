"""Thousands of random cases of every layer against Keras; a longer run is `make differential`."""

import os

import pytest

from tests.differential.spaces import SPACES

pytest.importorskip("keras", reason="Keras is what is compared with")

CASES = 2000
PARTS = 2
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "20261124"))
EACH = -(-CASES // (len(SPACES) * PARTS))
PLACES = {f"{place} {space.layer}": space for place, space in enumerate(SPACES)}


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", PLACES)
def test_random_cases_equal_keras(name: str, part: int) -> None:
    from tests.differential.comparing import compare

    print(f"seed {SEED}")  # noqa: T201 -- pytest shows it where a case fails
    for number in range(part * EACH, (part + 1) * EACH):
        compare(PLACES[name].case(SEED, number))
