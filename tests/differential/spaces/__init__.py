"""The random cases of every layer that Keras has too, one family a file."""

from tests.differential.space import Space
from tests.differential.spaces import (
    activation,
    attention,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    recurrent,
    reshaping,
    wrappers,
)

FAMILIES = (
    activation,
    attention,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    recurrent,
    reshaping,
    wrappers,
)
SPACES: list[Space] = [space for family in FAMILIES for space in family.SPACES]
