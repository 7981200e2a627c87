"""The command of this folder: see `every_problem`."""

import sys
import time

from every_problem.draw import draw, simpler
from every_problem.verdict import SECONDS, judge


def shortest(problem, verdict, seconds=60):
    """A simpler problem that fails in the same way, and its verdict."""
    kinds, end = {f.split()[0] for f in verdict.failures}, time.monotonic() + seconds
    again = True
    while again:
        again = False
        for other in simpler(problem):
            if other == problem or time.monotonic() > end:
                continue
            seen = judge(other)
            if kinds & {f.split()[0] for f in seen.failures}:
                problem, verdict, again = other, seen, True
                break
    return problem, verdict


def main(first, last, *given):
    """Judge the problems of these seeds; a line for each that fails.

    Parameters
    ----------
    given : "name=values", ...
        `largest` and `path` of `draw`; else only problems are judged in which this part is
        one of the values, which commas separate.
    """
    given = dict(one.split("=") for one in given)
    largest, path = int(given.pop("largest", 20_000)), given.pop("path", None)
    counts = {"judged": 0, "failed": 0, "known": 0, "converged": 0}
    for seed in range(int(first), int(last) + 1):
        problem = draw(seed, largest, path)
        if any(
            str(getattr(problem, name)) not in v.split(",") for name, v in given.items()
        ):
            continue
        verdict = judge(problem)
        counts["judged"] += 1
        counts["known"] += verdict.known
        counts["converged"] += verdict.converged
        if verdict.failures:
            counts["failed"] += 1
            say(f"{problem}\n    {verdict}")
            say("    shrunk: {}\n    {}".format(*shortest(problem, verdict)))
        elif verdict.seconds > SECONDS / 6:
            say(f"{problem}\n    slow: {verdict}")
    say(", ".join(f"{name} {count}" for name, count in counts.items()))


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
