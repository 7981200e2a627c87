"""Checks of what a method of a custom class returns."""

import numpy as np


def returned(answer, shape, method, owner, rule):
    """The return value of a custom function, checked, as a new array of float64.

    Parameters
    ----------
    answer : object
        The return value.
    shape : tuple
        The shape that it must have.
    method, rule : str
        The function, and what it must return, for messages.
    owner : object
        The object that the method belongs to. Its repr is made only for an error: it
        takes longer than most calls.
    """
    try:
        if np.iscomplexobj(answer):
            raise TypeError("complex numbers")
        numbers = np.array(answer, dtype=np.float64)  # a copy: the user may reuse it
    except Exception as error:
        raise TypeError(
            f"{method} {owner!r} must return {rule}, shape {shape}, got an object of type "
            f"{type(answer).__name__} that is no array of numbers."
        ) from error
    if numbers.shape != shape:
        raise ValueError(
            f"{method} {owner!r} must return {rule}, shape {shape}, got {numbers.shape}."
        )
    return numbers
