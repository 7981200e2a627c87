"""Types of the compiled sweeps; see coordinates.pyx."""

from numpy import ndarray

def sweep(
    H: ndarray,
    q: ndarray,
    u: ndarray,
    l1: ndarray,
    l2: ndarray,
    bounded: ndarray,
    slack: float,
    enough: float,
    calm: int,
    most: int,
    active: ndarray,
    space: ndarray,
) -> int: ...
