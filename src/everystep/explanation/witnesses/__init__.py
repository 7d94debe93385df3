"""The lower bound: input steps are changed, and output steps are seen to change.

A program is evaluated in double precision (`widening`), so that little hides behind rounding.
"""

from everystep.explanation.witnesses.widening import widened

__all__ = ["widened"]
