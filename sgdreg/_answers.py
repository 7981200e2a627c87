"""What a custom class answers, checked."""

import numpy as np


def returned(answer, shape, method, owner, rule):
    """What a function of the user's own has returned, as a new array of float64.

    Parameters
    ----------
    shape : tuple
        What it must have.
    method, rule : str
        The function, and what it must return, for messages.
    owner : object
        Whose it is; its repr takes longer than many a call.
    """
    try:
        if np.iscomplexobj(answer):
            raise TypeError("complex numbers")
        numbers = np.array(answer, dtype=np.float64)  # a new one: it may be used again
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
