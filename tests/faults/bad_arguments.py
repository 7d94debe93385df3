"""Every public entry point with bad values of every kind for every parameter, all of them.

python -m tests.faults.bad_arguments [--json]
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence

from tests.errors.bad import BAD
from tests.errors.walk import parameters_of, tries, walked


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return 1 if any bad value was answered badly."""
    parser = argparse.ArgumentParser("python -m tests.faults.bad_arguments", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print what came of each as JSON")
    given = parser.parse_args(arguments)
    # Text may be where to write a file.
    os.chdir(tempfile.mkdtemp(prefix="everystep-errors-"))
    tried, survived = Counter[str](), Counter[str]()
    with contextlib.redirect_stdout(io.StringIO()):  # what summaries and progress print
        results = [
            each
            for point in walked()
            for parameter in parameters_of(point)
            for each in tries(point, parameter, BAD)
        ]
    for each in results:
        tried[each.value] += 1
        survived[each.value] += each.wrong is None
        if each.wrong is not None:
            sys.stderr.write(f"{each.point} {each.parameter}, {each.value}: {each.wrong}\n")
    told = [
        {"fault": f"{value} as an argument", "tries": tried[value], "survived": survived[value]}
        for value in BAD
    ]
    lines = [f"{each['survived']} of {each['tries']}: {each['fault']}" for each in told]
    sys.stdout.write(json.dumps(told) if given.json else "\n".join(lines))
    sys.stdout.write("\n")
    return int(tried != survived)


if __name__ == "__main__":
    sys.exit(main())
