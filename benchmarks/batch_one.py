"""How fast is a recurrent layer over a single row, which is read step after step?"""

from benchmarks._layers.spec import Spec, cases
from benchmarks._peers import DOUBLE, of_layers
from benchmarks._question import Question

UNITS = (64, 128, 256, 512, 1024)

QUESTION = Question(
    name="batch_one",
    text=__doc__,
    peers=of_layers(),
    cases=cases(units=UNITS, tasks=("forward",), batch=1),
    flops=lambda sizes: Spec.of(sizes).flops,
    reference=DOUBLE,
    growth="units",
    quick={"steps": 3, "features": 4, "units": 8},
)
