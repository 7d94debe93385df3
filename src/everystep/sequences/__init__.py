"""Sequences of different lengths as arrays: segments, packing, batching, and the way back.

Everything here knows arrays only. `Steps` carries values with the segments that say which steps
belong together; `pack` makes it from a list of arrays; `boundaries` tells a recurrent loop where
one sequence ends and the next begins. `Ragged`, `plan_rows`, `packed_batches` and `padded_batches`
stream a list through a model in batches of one shape or of few, and `gather_back` and `gather_rows`
put the outputs back in the order of the list.
"""

from everystep.sequences.arraylike import Array, ReadsLikeArray, native, numbers, why_no_numbers
from everystep.sequences.batching import (
    Aligned,
    Batch,
    Batches,
    check_aligned,
    packed_batches,
    padded_batches,
)
from everystep.sequences.buckets import bucket_lengths
from everystep.sequences.finite import check_finite
from everystep.sequences.gathering import gather_back, gather_rows
from everystep.sequences.packing import pack
from everystep.sequences.planning import RowPlan, plan_rows, row_shape, rows_for
from everystep.sequences.ragged import Ragged
from everystep.sequences.reductions import first_steps, sequence_maxima, sequence_sums
from everystep.sequences.segments import boundaries, check_segments
from everystep.sequences.steps import Steps, from_mask

__all__ = [
    "Aligned",
    "Array",
    "Batch",
    "Batches",
    "Ragged",
    "ReadsLikeArray",
    "RowPlan",
    "Steps",
    "boundaries",
    "bucket_lengths",
    "check_aligned",
    "check_finite",
    "check_segments",
    "first_steps",
    "from_mask",
    "gather_back",
    "gather_rows",
    "native",
    "numbers",
    "pack",
    "packed_batches",
    "padded_batches",
    "plan_rows",
    "row_shape",
    "rows_for",
    "sequence_maxima",
    "sequence_sums",
    "why_no_numbers",
]
