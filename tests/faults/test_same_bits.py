"""The same seed gives the same bits; `python -m tests.faults.same_bits` tries it at length."""

import sys

import pytest

from tests.faults.same_bits import Surroundings, cores, do


@pytest.mark.skipif(sys.platform != "linux", reason="takes cores away as Linux does")
@pytest.mark.skipif(cores() == 1, reason="XLA compiles other code for one thread")
def test_a_process_elsewhere_on_one_core_with_other_threads_gives_the_same_bits() -> None:
    other = Surroundings(threads=3, team=3, cores=1, elsewhere=True)
    here = do(["small"])
    assert len(here) == 2
    assert other.digests(["small"]) == here


@pytest.mark.skipif(sys.platform != "linux", reason="takes cores away as Linux does")
@pytest.mark.skipif(cores() == 1, reason="there are no cores to take away")
def test_with_one_thread_of_xla_all_layers_give_the_same_bits_on_any_cores() -> None:
    parts = "catalogue", "large"
    everywhere = Surroundings(threads=1).digests(parts)
    assert len(everywhere) > 80
    assert Surroundings(threads=1, team=3, cores=1).digests(parts) == everywhere
