"""Upper bound: which inputs cannot reach an output, found by following data through a program.

`reads_of` runs a traced program on `Facts` instead of arrays. The facts of an array are, for each
of its elements: which bits it may depend on (`reads`; an input's index of a step is a bit), whether
it is a known constant and which (`known`, `values`), whether it lies far below ordinary numbers
whatever the data (`low`, as masked scores do), and whether data may put it there (`extreme`, as a
mask that is made of data does). It follows data, not derivatives: comparisons, indices and
conditions count.

An answer is a superset of the truth, for numbers that are finite: 0 times anything counts as 0. A
primitive without a rule gets the safe answer, that all it makes reads all it is given, and
`Reading.unknown` names it. What an answer rests on besides the program stands in
`Reading.assumptions`.

`interpreter` follows a program, `facts` and `bits` are what it follows, `folding` makes constants,
`rules` say what primitives do. A loop over steps is read once for each different set of constants
(`rules/scans`), and what its steps read is found by unions of sets along it (`transfer`). How a
version of JAX lays out loops is known in `layouts` alone.

How to write rules: one file a family in `rules/`, with a table `RULES` from primitives to rules,
and the file's name in `rules.FAMILIES`. A rule is `(equation, operands, context) -> results`:

* `Facts.of(shape, dtype, reads, *constants)` makes results, in one form; `facts.constants` are all
  that is known of elements besides what they read. Arrays may have size 1 on any axis along which
  all is alike, and operands' arrays do have.
* `facts.moved(operands, move, dtype)` where elements only change places: `move` is run on numbers
  of elements.
* `bits.union`, `bits.over`, `bits.where` combine sets; `bits.planes` and `bits.packed` change them
  into zeros and ones, one array a bit, and back, to run a monotone function on them.
* `results.doubting(rule)` wraps a rule that does not follow which elements are low or extreme; a
  family of such rules stands in `rules.DOUBTING`.
* `results.reading_together` is the rule by which each result reads all operands, and that is
  right, so that nothing is reported as unknown; `context.everything` is the safe answer, which is.
* `folding.constants_first(rule)` wraps a rule that need not see to operands that are wholly known;
  `folding.EVALUATED` says how NumPy evaluates a primitive, otherwise JAX does.
* `context.read(program, arguments)` reads a program inside; `context.assume(words)` notes what the
  answer rests on, `context.loosen(words)` where it is wider than it might be.
* The very same `Facts` stand for the very same array, so a rule makes its own for another array.
"""

from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.interpreter import Reading, reads_of

__all__ = ["Facts", "Reading", "reads_of"]
