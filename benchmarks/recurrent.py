"""How fast are the recurrent layers alone, and how does their time grow with the units?"""

from benchmarks._layers.spec import Spec, cases
from benchmarks._peers import DOUBLE, of_layers
from benchmarks._question import Question

UNITS = (64, 128, 256, 512, 1024)

QUESTION = Question(
    name="recurrent",
    text=__doc__,
    peers=of_layers(),
    cases=cases(("LSTM", "GRU", "SimpleRNN"), UNITS),
    flops=lambda sizes: Spec.of(sizes).flops,
    reference=DOUBLE,
    growth="units",
    quick={"batch": 2, "steps": 3, "features": 4, "units": 8},
)
