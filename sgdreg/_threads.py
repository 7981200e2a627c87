"""How many threads work at a fit."""

from functools import cache

from threadpoolctl import ThreadpoolController  # scikit-learn requires it


@cache
def _controller():
    return ThreadpoolController()  # looks through all loaded libraries: 3 ms, once


def one_blas_thread():
    """A context in which BLAS uses one thread (entering it takes 12 µs).

    The factorisations of a fit are small. Threads of BLAS make them no faster, change
    their last bits, and wait for each other where other processes have the cores: a fit
    of 250,000 × 100 took 22 s beside a busy neighbour, and 0.75 s with one thread.
    """
    return _controller().limit(limits=1, user_api="blas")
