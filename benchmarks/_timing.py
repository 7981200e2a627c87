"""Timing that other processes of the machine disturb as little as possible."""

from time import perf_counter

import numpy as np


def best_of(function, repeats, clock=perf_counter):
    """The shortest time of `repeats` runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = clock()
        function()
        times.append(clock() - start)
    return min(times)


def side_by_side(functions, repeats, clock=perf_counter):
    """The shortest time of each function; they take turns, so that noise hits all alike."""
    times = np.full((repeats, len(functions)), np.inf)
    for row in times:
        for j, function in enumerate(functions):
            row[j] = best_of(function, 1, clock)
    return times.min(axis=0)


def memory_bandwidth(array, repeats=5):
    """Bytes per second at which one thread reads a large array."""
    flat = array.reshape(-1)
    return array.nbytes / best_of(flat.sum, repeats)
