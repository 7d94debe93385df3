"""Hundreds of random cases of every layer against Keras; a longer run is `make differential`."""

import os
from typing import Any

import pytest

from everystep.layers import CATALOGUE
from tests.differential.spaces import SPACES

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

PARTS = 2
EACH = 2  # cases of a layer in each part
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "20261124"))
PLACES = {f"{place} {space.layer}": space for place, space in enumerate(SPACES)}

# What has no numbers of its own, or is compared as a part of others.
WITHOUT = {"InputLayer", "Lambda", "StackedRNNCells"}


def test_every_layer_that_keras_has_is_compared() -> None:
    shared = {name for name in CATALOGUE.classes if getattr(keras.layers, name, None) is not None}
    assert {space.layer for space in SPACES} == shared - WITHOUT


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", PLACES)
def test_random_cases_equal_keras(name: str, part: int) -> None:
    from tests.differential.comparing import compare

    print(f"seed {SEED}")  # noqa: T201 -- pytest shows it where a case fails
    for number in range(part * EACH, (part + 1) * EACH):
        compare(PLACES[name].case(SEED, number))
