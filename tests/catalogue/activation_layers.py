"""The activations that are layers of their own."""

from everystep.layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from tests.catalogue.entry import Entry

ENTRIES = [
    Entry("ELU", lambda: ELU(0.5)),
    Entry("LeakyReLU", LeakyReLU),
    Entry("PReLU", lambda: PReLU("ones", shared_axes=[1])),
    Entry("PReLU of each step", PReLU, segments="rows", any_length=False, variant=True),
    Entry("ReLU", lambda: ReLU(2.0, 0.1, 0.3)),
    Entry("Softmax", Softmax),
    Entry("Softmax over steps", lambda: Softmax(1), reads="all", variant=True),
]
