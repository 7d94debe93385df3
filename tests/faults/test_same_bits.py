"""The same seed gives the same bits; `python -m tests.faults.same_bits` tries it at length."""

from tests.faults.same_bits import Fault, Surroundings


def test_another_process_on_other_cores_with_other_threads_elsewhere_gives_the_same_bits() -> None:
    other = Surroundings(threads=3, team=3, cores=1, elsewhere=True)
    tries, others = Fault(Surroundings(), [other], ("small",)).differences()
    assert tries == 2
    assert not others
