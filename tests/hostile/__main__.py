"""Attacks every format by every case, and counts.

python -m tests.hostile [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from tests.hostile.attack import CASES
from tests.hostile.matrix import attacks
from tests.hostile.running import problems_of, results_of

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    warnings.simplefilter("ignore")  # Of archives that are made with a member twice.
    with tempfile.TemporaryDirectory() as folder:
        found = results_of(attacks(), Path(folder))
    survived = [each for each in attacks() if not problems_of(each, found[each.id])]
    tried, kept = (Counter(each.case for each in some) for some in (attacks(), survived))
    rows = [
        {"fault": what, "tries": tried[case], "survived": kept[case]}
        for case, what in CASES.items()
    ]
    for row in [] if as_json else rows:
        sys.stdout.write("{fault}: {survived} of {tries}\n".format(**row))
    if as_json:
        sys.stdout.write(json.dumps(rows) + "\n")
    sys.exit(tried != kept)
