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
        loss: object,
    ) -> None: ...

class Rule:
    keep: float
    lazy_way: str
    def __init__(
        self,
        optimizer: object,
        l1: float = 0.0,
        l2: float = 0.0,
        positive: bool = False,
        fit_intercept: bool = True,
        lazy: str = "dense",
        keep: float = 1.0,
        centre: ndarray | None = None,
        scale: ndarray | None = None,
        root: ndarray | None = None,
        low_rank: bool = False,
        anchor: ndarray | None = None,
        drift: ndarray | None = None,
        penalty: object | None = None,
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
    age: int,
    limit: float,
) -> int: ...
def evaluate(
    problem: Problem,
    weights: ndarray,
    centre: ndarray | None,
    rows: ndarray,
    start: int,
    stop: int,
    predictions: ndarray | None = None,
) -> tuple[ndarray, ndarray]: ...
def centred_products(
    problem: Problem, centre: ndarray, rows: ndarray, start: int, stop: int
) -> ndarray: ...
def rough_centre(problem: Problem, rows: ndarray) -> ndarray: ...
def move_to_mean(products: ndarray, centre: ndarray, constant: float) -> float: ...
def moments_about(
    problem: Problem, centre: ndarray, rows: ndarray, start: int, stop: int
) -> ndarray: ...
def scaled_columns(
    problem: Problem,
    centre: ndarray,
    factors: ndarray,
    columns: ndarray,
    rows: ndarray,
    start: int,
    out: ndarray,
) -> None: ...
def sums_about(y: ndarray, weights: ndarray | None, shift: ndarray) -> ndarray: ...
