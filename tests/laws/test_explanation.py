"""Which output steps read which input steps: what is declared is what explanations say."""

import numpy as np

import everystep as es
from tests.catalogue import Entry
from tests.laws.selection import about
from tests.laws.test_stepwise import PICTURES


@about(lambda entry: entry.reads is not None)
def test_what_is_declared_may_be_read_and_is_seen_to_be(entry: Entry) -> None:
    layer = entry.make()
    explanation = es.explain(layer, entry.inputs())
    assert not explanation.unknown
    assert explanation.stepwise == layer.stepwise
    declared = PICTURES[str(entry.reads)]
    np.testing.assert_array_equal(explanation.depends, declared, strict=True)
    if not entry.variant:
        np.testing.assert_array_equal(explanation.witnessed, declared, strict=True)
