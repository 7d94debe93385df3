"""The lower bound: input steps are changed, and output steps are seen to change.

A program is evaluated in double precision (`widening`, `convolving`, `compiling`) at weights and
inputs of several kinds (`draws`); one compiled program changes many steps, one at a time
(`trials`), until all that the upper bound allows has been seen (`searching`).
"""

from everystep.explanation.witnesses.compiling import compiled, double_precision
from everystep.explanation.witnesses.searching import Witness, find_witnesses, witness_of
from everystep.explanation.witnesses.widening import widened

__all__ = [
    "Witness",
    "compiled",
    "double_precision",
    "find_witnesses",
    "widened",
    "witness_of",
]
