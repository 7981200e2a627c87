"""The outcome of a fit: its model, and whether and why it has ended."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False, repr=False)
class Outcome:
    """The outcome of a fit.

    Attributes
    ----------
    start : Start
        The last one, if solvers have replaced it.
    state : State
    weights : ndarray of shape (k, d + 1)
        The model to return, at the plan's centre.
    converged : bool
    reason : str
        Why the fit has ended, as a sentence.
    warnings : list of str
    best_epoch : int or None
        The epoch of the model, where epochs were compared.
    found : dict
        Entries of `history_` for the model, where rounding to the dtype has changed them.
    """

    start: object
    state: object
    weights: np.ndarray
    converged: bool
    reason: str
    warnings: list = field(default_factory=list)
    best_epoch: int | None = None
    found: dict = field(default_factory=dict)
