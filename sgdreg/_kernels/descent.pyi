"""Types of the compiled passes; see descent.pyx."""

from numpy import ndarray

class Problem:
    n_rows: int
    n_features: int
    n_outputs: int
    sparse: bool
    def __init__(
        self,
        values: ndarray,
        indices: ndarray | None,
        indptr: ndarray | None,
        y: ndarray,
        weights: ndarray | None,
        n_features: int,
    ) -> None: ...

class Rule:
    alpha: float
    momentum: float
    nesterov: bool
    fit_intercept: bool
    lazy: bool
    low_rank: bool
    def __init__(
        self,
        alpha: float = 0.0,
        momentum: float = 0.0,
        nesterov: bool = False,
        fit_intercept: bool = True,
        lazy: bool = False,
        centre: ndarray | None = None,
        scale: ndarray | None = None,
        root: ndarray | None = None,
        low_rank: bool = False,
        anchor: ndarray | None = None,
        drift: ndarray | None = None,
    ) -> None: ...

def descend(
    problem: Problem,
    rule: Rule,
    rows: ndarray,
    batches: ndarray,
    steps: ndarray,
    state: tuple[ndarray, ndarray | None, ndarray | None],
    log: ndarray,
    average_from: int,
    limit: float,
) -> int: ...
def evaluate(
    problem: Problem,
    weights: ndarray,
    centre: ndarray | None,
    rows: ndarray,
    start: int,
    stop: int,
) -> tuple[ndarray, ndarray]: ...
