"""The threads of a fit: their number, and the work that they share."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock

import numpy as np
from joblib import effective_n_jobs  # scikit-learn requires both
from threadpoolctl import ThreadpoolController

# Settings of np.errstate under which NumPy gives no warnings.
QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore"}


@cache
def _blas():
    """The controllers of each BLAS that is loaded (finding them takes 3 ms)."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def quiet_numbers():
    """Switch off NumPy's warnings of overflow and invalid numbers in this thread.

    No fault is hidden by this: every loss, gradient and model is checked, and a step to
    numbers that are not finite is undone, or an error in words is raised.
    """
    return np.seterr(**QUIET)


def within_floats():
    """A context with the settings of `quiet_numbers`, in this thread."""
    return np.errstate(**QUIET)


class Team:
    """Threads that share the pieces of a pass; they start with the first large pass.

    Parameters
    ----------
    n_jobs : int or None
        As in scikit-learn; None: as many as BLAS uses, which respects the limits set by
        the user, joblib's workers or a container.
    of_blas : int
        How many that are: what `one_blas_thread` returns.
    """

    def __init__(self, n_jobs=1, of_blas=1):
        self.size = of_blas if n_jobs is None else effective_n_jobs(n_jobs)
        self._pool = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def in_order(self, function, pieces):
        """function(piece) for each piece, in the order of the pieces.

        The pieces must not depend on the number of threads; results then do not either.
        """
        if self.size == 1 or len(pieces) == 1:
            return map(function, pieces)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.size, initializer=quiet_numbers)
        return self._shared(function, pieces)

    def _shared(self, function, pieces):
        """The same by the pool; if no thread can be started, the caller does the rest.

        The system refuses new threads at the limit of a user or a container.
        """
        begun = []
        try:
            for piece in pieces:
                begun.append(self._pool.submit(function, piece))
        except RuntimeError:
            self.size = 1  # do not try again
        yield from (future.result() for future in begun)
        yield from map(function, pieces[len(begun) :])


ALONE = Team()


class _OneThread:
    """Re-entrant context: limits BLAS to one thread while any fit runs.

    The number of BLAS threads is one setting for the process. If each of two fits in two
    threads restored the number that it had found, it could stay at one for ever.
    """

    def __init__(self):
        self.lock, self.inside, self.limits = Lock(), 0, []

    def __enter__(self):
        with self.lock:
            found = 1
            if self.inside == 0:
                self.limits = [(lib, lib.num_threads or 1) for lib in _blas()]
                self._set(lambda found: 1)
                found = max((found for _, found in self.limits), default=1)
            self.inside += 1
        return found

    def __exit__(self, *error):
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self._set(lambda found: found)

    def after_fork(self):
        """In a forked child: the parent's other threads, and their fits, are not there."""
        if self.inside:
            self._set(lambda found: found)
        self.lock, self.inside, self.limits = Lock(), 0, []

    def _set(self, number):
        for lib, found in self.limits:
            if found != 1:
                lib.set_num_threads(number(found))


_one_thread = _OneThread()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread.after_fork)


def one_blas_thread():
    """A context in which BLAS uses one thread; it returns how many BLAS used before.

    With more BLAS threads the last bits of a product depend on their number, and the
    threads wait for each other when other processes use the cores: a fit of 250,000 × 100
    took 22 s beside a busy process, and 0.75 s with one thread. So `Team` has its threads,
    each of which works on a piece of the rows.
    """
    return _one_thread
