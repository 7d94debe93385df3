"""Compares with Keras for as long as one likes: `python -m tests.differential --cases 20000`."""

import argparse
import secrets
import sys

from rich.progress import track

from tests.differential.comparing import compare
from tests.differential.spaces import SPACES


def main() -> int:
    """Runs cases in turns over all layers, and prints how to see each again that differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--cases", type=int, default=20000, help="how many cases to run")
    parser.add_argument("--seed", type=int, default=None, help="the seed; a new one by default")
    parser.add_argument("--only", default=None, help="the name of one layer")
    asked = parser.parse_args()
    seed = secrets.randbits(31) if asked.seed is None else asked.seed
    spaces = [space for space in SPACES if asked.only in (None, space.layer)]
    if not spaces:
        parser.error(f"there is no layer {asked.only!r} to compare")
    print(f"seed {seed}")
    failed = 0
    for number in track(range(asked.cases), description="cases", disable=not sys.stdout.isatty()):
        case = spaces[number % len(spaces)].case(seed, number // len(spaces))
        try:
            compare(case)
        except Exception as error:
            failed += 1
            print(f"{case}\n    {type(error).__name__}: {error}")
    print(f"{asked.cases} cases, {failed} differ")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
