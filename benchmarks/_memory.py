"""Memory that a fit takes, measured in a separate process."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

STATUS = Path("/proc/self/status")
PIECE = 1000  # rows


def fit_growth(make, n, d):
    """Bytes by which a fit of n × d standard normal numbers raises the peak memory.

    None where the system does not provide it.
    """
    if not STATUS.exists():
        return None
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_growth, make, n, d).result()


def peak():
    """The peak memory of this process, in bytes.

    ``getrusage`` would not do: it starts with the peak of the parent process.
    """
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


def _growth(make, n, d):
    rng = np.random.default_rng(0)
    make().fit(rng.standard_normal((50, 2)), rng.standard_normal(50))  # for its imports
    y = rng.standard_normal(n)
    X = rng.standard_normal((n, d))
    for start in range(0, n, PIECE):  # in pieces, so that the fit sets the peak
        y[start : start + PIECE] += X[start : start + PIECE].sum(axis=1)
    before = peak()
    make().fit(X, y)
    return peak() - before
