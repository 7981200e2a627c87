"""Memory maps: pages of a file that have been used are given back to the system."""

import mmap

import numpy as np


def mapping_of(X):
    """The memory map (numpy.memmap) that an array is a view of, or None."""
    while X is not None:
        if isinstance(X, np.memmap) and isinstance(X.base, mmap.mmap):
            return X
        X = getattr(X, "base", None)
    return None


def wanted(X):
    """Ask the system to read the pages of X ahead, if it is a view of a memory map."""
    _advise(X, mapping_of(X), "MADV_WILLNEED")


def release(X):
    """Give the pages of X back: they are read from the file when they are needed again.

    Without this they would count as memory of the process until others need it.
    """
    mapping = mapping_of(X)
    if mapping is not None and mapping.mode != "c":  # copy-on-write would lose its copies
        _advise(X, mapping, "MADV_DONTNEED")


def _advise(X, mapping, advice):
    if mapping is None or not hasattr(mmap, advice) or not X.flags.c_contiguous:
        return
    start = X.ctypes.data - mapping.ctypes.data
    start += mapping.offset % mmap.ALLOCATIONGRANULARITY
    page = mmap.PAGESIZE
    first = -(-start // page) * page
    last = (start + X.nbytes) // page * page
    if last > first:
        mapping.base.madvise(getattr(mmap, advice), first, last - first)
