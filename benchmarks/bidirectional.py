"""How fast are two layers that read rows both ways?"""

from benchmarks._layers.spec import Spec, cases
from benchmarks._peers import DOUBLE, of_layers
from benchmarks._question import Question

QUESTION = Question(
    name="bidirectional",
    text=__doc__,
    peers=of_layers(),
    cases=cases(layers=2, directions=2),
    flops=lambda sizes: Spec.of(sizes).flops,
    reference=DOUBLE,
    quick={"batch": 2, "steps": 3, "features": 4, "units": 8},
)
