"""A recurrent layer is one function, whichever twin of the loop runs it."""

from typing import Any

import jax
import pytest

from everystep.kernels import only
from everystep.kernels.extension import extension
from everystep.sequences import pack
from tests.catalogue import Entry
from tests.catalogue.recurrent import ENTRIES as RECURRENT
from tests.laws.selection import about
from tests.laws.test_masks import LENGTHS, MASK, differentiated, fill, takes_mask
from tests.tolerances import GRADIENTS
from tests.trees import assert_trees_close

# Equations that the native twin does not know.
NOT_NATIVE = ["RNN", "RNN of a normalized LSTM", "RNN of a normalized GRU"]
NAMES = {entry.name for entry in RECURRENT}
needs_native = pytest.mark.skipif(
    bool(extension().why_not), reason=f"no native twin: {extension().why_not}"
)


def is_recurrent(entry: Entry) -> bool:
    return takes_mask(entry) and not entry.variant and entry.name in NAMES


def everything(entry: Entry) -> Any:
    """Outputs and gradients at real steps, of padded and, where they are taken, packed rows."""
    found = [differentiated(entry, mask=MASK)(fill(entry.inputs(), 7.0, entry))]
    if entry.segments == "packed":
        sequences = [entry.inputs((length, *entry.shape[2:]), seed=length) for length in LENGTHS]
        found.append(differentiated(entry)(pack(sequences, length=5)))
    return found


@needs_native
@about(lambda entry: is_recurrent(entry) and entry.name not in NOT_NATIVE)
def test_values_and_gradients_are_the_same_by_every_twin(entry: Entry) -> None:
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        with only("xla"):
            wanted = everything(entry)
        with only("native"):
            assert "everystep_forward" in str(jax.make_jaxpr(entry.built())(entry.inputs()))
            found = everything(entry)
    assert_trees_close(found, wanted, GRADIENTS)
