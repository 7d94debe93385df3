"""Which output steps read which input steps: what is declared is what explanations say."""

import numpy as np

import everystep as es
from tests.catalogue import Entry
from tests.laws.selection import about
from tests.laws.test_stepwise import PICTURES


@about(lambda entry: entry.reads is not None)
def test_what_may_be_read_is_what_is_declared(entry: Entry) -> None:
    layer = entry.make()
    explanation = es.explain(layer, entry.inputs())
    np.testing.assert_array_equal(explanation.depends, PICTURES[str(entry.reads)], strict=True)
    assert explanation.stepwise == layer.stepwise
    assert not explanation.unknown


@about(lambda entry: entry.reads is not None and not entry.variant)
def test_all_that_is_declared_is_seen_to_be_read(entry: Entry) -> None:
    explanation = es.explain(entry.make(), entry.inputs())
    np.testing.assert_array_equal(explanation.witnessed, PICTURES[str(entry.reads)], strict=True)
