"""What a fit ends with."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Outcome:
    """What a fit ends with.

    Attributes
    ----------
    start : Start
        As it was in the end.
    state : State
    weights : ndarray of shape (k, d + 1)
        The model to return, at the plan's centre.
    converged : bool
    reason : str
        Why it ended, a sentence.
    warnings : list of str
    best_epoch : int or None
        The epoch whose model it is, where epochs were compared on held-out rows.
    found : dict
        What the last entry of `history_` says of it, where rounding has changed that.
    """

    start: object
    state: object
    weights: np.ndarray
    converged: bool
    reason: str
    warnings: list = field(default_factory=list)
    best_epoch: int | None = None
    found: dict = field(default_factory=dict)
