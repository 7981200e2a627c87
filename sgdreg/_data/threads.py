"""How many threads work at a fit, and what they do side by side."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock

import numpy as np
from joblib import effective_n_jobs  # scikit-learn requires both
from threadpoolctl import ThreadpoolController

QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore"}


@cache
def _blas():
    """What sets the threads of each BLAS that is loaded (the search takes 3 ms)."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def thread_count(n_jobs):
    """How many threads passes over the data may use.

    Parameters
    ----------
    n_jobs : int or None
        As scikit-learn has it; None: as many as BLAS would use here, which knows of the
        limits that the user, joblib's workers or a container have set.
    """
    if n_jobs is not None:
        return effective_n_jobs(n_jobs)
    return max((lib.num_threads or 1 for lib in _blas()), default=1)


def quiet_numbers():
    """NumPy is silent in this thread where numbers overflow or are undefined.

    Nothing is hidden by it: every loss, gradient and model is looked at, and those that
    are not finite are stepped back from or refused, in words.
    """
    return np.seterr(**QUIET)


def within_floats():
    """A context like `quiet_numbers`, for a while and in this thread."""
    return np.errstate(**QUIET)


class Team:
    """Threads that work at the pieces of a pass; they begin with the first large one.

    Parameters
    ----------
    n_jobs : int or None
        See `thread_count`.
    """

    def __init__(self, n_jobs=1):
        self.size, self._pool = thread_count(n_jobs), None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def in_order(self, function, pieces):
        """function(piece) of each piece, in the order of the pieces.

        What the pieces are must not depend on the team: then neither do the results.
        """
        if self.size == 1 or len(pieces) == 1:
            return map(function, pieces)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.size, initializer=quiet_numbers)
        return self._shared(function, pieces)

    def _shared(self, function, pieces):
        """... by the pool, as far as threads can be started: the caller does the rest.

        The system refuses them where a user or a container may have no more.
        """
        begun = []
        try:
            for piece in pieces:
                begun.append(self._pool.submit(function, piece))
        except RuntimeError:
            self.size = 1  # it is not asked again
        yield from (future.result() for future in begun)
        yield from map(function, pieces[len(begun) :])


ALONE = Team()


class _OneThread:
    """BLAS on one thread while anybody is inside; the last to leave sets it back.

    The number of BLAS threads belongs to the process: two fits in two threads that each
    restored what they had found would leave it at one for good.
    """

    def __init__(self):
        self.lock, self.inside, self.limits = Lock(), 0, []

    def __enter__(self):
        with self.lock:
            if self.inside == 0:
                self.limits = [(lib, lib.num_threads) for lib in _blas()]
                self._set(lambda found: 1)
            self.inside += 1

    def __exit__(self, *error):
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self._set(lambda found: found)

    def _set(self, number):
        for lib, found in self.limits:
            if (found or 1) != 1:
                lib.set_num_threads(number(found))


_one_thread = _OneThread()


def _renew():
    """In a forked child, the fits of other threads of the parent do not go on."""
    if _one_thread.inside:
        _one_thread._set(lambda found: found)
    _one_thread.__init__()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def one_blas_thread():
    """A context in which BLAS uses one thread (entering it takes 12 µs).

    Its own threads change the last bits of a product with their number, and wait for
    each other where other processes have the cores: a fit of 250,000 × 100 took 22 s
    beside a busy neighbour, and 0.75 s with one thread. So the threads are ours, one
    piece of the rows each (`Team`).
    """
    return _one_thread
