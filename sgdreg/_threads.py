"""How many threads work at a fit."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController  # scikit-learn requires it


@cache
def _controller():
    return ThreadpoolController()  # looks through all loaded libraries: 3 ms, once


class _OneThread:
    """BLAS on one thread while anybody is inside; the last to leave sets it back.

    The number of BLAS threads belongs to the process: two fits in two threads that each
    restored what they had found would leave it at one for good.
    """

    def __init__(self):
        self.lock, self.inside, self.limits = Lock(), 0, None

    def __enter__(self):
        with self.lock:
            if self.inside == 0:
                self.limits = _controller().limit(limits=1, user_api="blas")
            self.inside += 1

    def __exit__(self, *error):
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limits.restore_original_limits()


_one_thread = _OneThread()


@contextmanager
def one_blas_thread(plan=None):
    """A context in which BLAS uses one thread (entering it takes 12 µs).

    The factorisations of a fit are small. Threads of BLAS make them no faster, change
    their last bits, and wait for each other where other processes have the cores: a fit
    of 250,000 × 100 took 22 s beside a busy neighbour, and 0.75 s with one thread.

    Parameters
    ----------
    plan : Plan or None
        A plan without a full curvature needs no BLAS, and is left alone.
    """
    if plan is not None and plan.metric.root is None:
        yield
        return
    with _one_thread:
        yield
