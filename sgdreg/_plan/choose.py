"""Choice of a plan: every "auto" is replaced, from parameters and the sizes of the data."""

from copy import deepcopy
from numbers import Integral

import numpy as np

from sgdreg import optimizers
from sgdreg._curvature.costs import cost_of_density, single_pays
from sgdreg._plan.compatibility import (
    refuse_idle_settings,
    refuse_mismatch,
    refuse_stream,
)
from sgdreg._plan.plan import DIAGONAL, FULL, SINGLE, STRONGEST, Plan
from sgdreg._records import record
from sgdreg.losses import get_loss, is_squared, made_of_hinges
from sgdreg.penalties import get_penalty
from sgdreg.schedules import get_schedule

# The full curvature is used up to this rank (the smaller of rows and features) and this
# memory; beyond them its diagonal and the directions of largest curvature.
FULL_CURVATURE_RANK = 2000
FULL_CURVATURE_BYTES = 2**27
# The full curvature in single precision, for steps that correct it, up to this memory:
# 10,000 features.
SINGLE_CURVATURE_BYTES = 400_000_000
# From this number of features on it saves half of the time; and the tolerance that its
# sample of rows is chosen for.
SINGLE_FEATURES, TOL = 500, 1e-8
# If the curvature of sparse rows takes more passes than this, conjugate gradients with the
# diagonal are usually finished sooner (docs/design-notes.md).
MOST_DENSE_PASSES = 20
# Rows per feature of mini-batches whose time is not that of products with the inverse
# curvature (Jain et al., JMLR 2018: batches larger than d rows gain no more than they
# cost).
BATCH_ROWS_A_FEATURE = 4
# With this many features per row of a batch a product with the inverse curvature takes
# about as long as the passes over these rows (d² against b d, at the speed of products in a
# cache).
FEATURES_A_ROW = 64
# The smallest automatic batch, and the least number of batches in an epoch of them.
SMALLEST_BATCH = 32
# Squares with l1 of fewer rows a column, and of more work (n d²) than this, are fitted by
# a working set of columns: 300 x 200 in 3 to 5 ms for 6 to 7, 1,000 x 300 in 6 to 11 for 15
# to 18, 2,000 x 500 in 6 to 27 for 53 to 61. With fewer rows than columns the curvature of
# all takes a factorisation that is far slower (100 x 300: 17 to 33 ms for 4 to 27).
ROWS_A_COLUMN, ALL_COLUMNS_WORK, FEW_ROWS_WORK = 10, 5e6, 1e6
# Steps per epoch with a custom penalty, as each step calls its prox (docs/design-notes.md).
PROXIMAL_STEPS = 64
# The momentum of automatic steps by the diagonal of the curvature: the usual one.
USUAL_MOMENTUM = 0.9


@record
class Sizes:
    """The sizes and the kind of the data, on which choices depend."""

    n_rows: int
    n_features: int
    n_outputs: int = 1
    is_sparse: bool = False
    row_size: float = 1.0

    @classmethod
    def of(cls, data):
        """The sizes of a data set."""
        return cls(
            data.n_rows, data.n_features, data.n_outputs, data.is_sparse, data.row_size
        )


def choose(settings, sizes, loss=None, online=False, exponent=0):
    """Fill every slot from the estimator's parameters and the sizes of the data.

    No row is read: the same parameters and sizes give the same plan.

    Parameters
    ----------
    settings : object
        With the estimator's parameters as attributes.
    sizes : Sizes
    loss : Loss or None
        The loss in the unit of the targets; None: the one of the parameters.
    online : bool
        Whether more rows may follow (`partial_fit`).
    exponent : int
        The targets of the data have been divided by 2^exponent.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If choices of the user do not go with each other.
    """
    shown = None
    given_loss = loss if is_squared(loss) else loss_of(settings)  # squares have no unit
    loss = given_loss if loss is None else loss
    penalty = get_penalty(
        settings.penalty,
        alpha=settings.alpha,
        l1_ratio=settings.l1_ratio,
        positive=settings.positive,
    )
    if (
        loss is not given_loss
        and made_of_hinges(given_loss)
        and given_loss.below != loss.below
    ):
        shown = given_loss, penalty
    if exponent:
        shown = given_loss, penalty
        penalty = penalty.in_unit(exponent)
    affordable = Affordable.of(sizes, penalty.l2, online)
    given = settings.learning_rate != "auto"
    hands_free = is_hands_free(settings)
    problem = Problem(sizes, loss, penalty, affordable, online)
    if hands_free:
        optimizer = _automatic_optimizer(settings, problem)
    elif settings.optimizer == "auto":
        optimizer = optimizers.SGD()  # SGDRegressor's own steps
    else:
        # A copy, since the user may change the object later.
        optimizer = deepcopy(optimizers.get_optimizer(settings.optimizer))
    by_line_search = optimizer.finds_steps
    if by_line_search:
        refuse_idle_settings(settings, optimizer, hands_free)
    if not (hands_free and online):
        refuse_mismatch(optimizer, loss, penalty)
    batch_size = _batch_size(settings, problem, optimizer, hands_free)
    # With kinks only averages converge, except where a stream's curvature has the optimum;
    # with other losses they average the noise of mini-batches, whose gap is not known.
    kinks = loss.smoothness is None and not (online and optimizer.metric == "sketch")
    textbook = optimizer.kind == "plain" and not hands_free and batch_size != "full"
    noisy = kinks or (textbook and not penalty.proximal and not is_squared(loss))
    tail = (hands_free and batch_size != "full") or (not given and noisy)
    return Plan(
        loss=loss,
        penalty=penalty,
        fit_intercept=settings.fit_intercept,
        optimizer=optimizer,
        schedule=_schedule(settings) if given else None,
        batch_size=batch_size,
        shuffle=_shuffle(settings.shuffle),
        average=_average(settings.average, optimizer, tail and not by_line_search),
        curvature=_curvature(optimizer, problem),
        tol=settings.tol,
        n_iter_no_change=settings.n_iter_no_change,
        automatic=not given,
        hands_free=hands_free,
        step_parameter=_step_parameter(settings.learning_rate),
        online=online,
        wide=not affordable.kept,
        provable=_provable(optimizer, affordable),
        shown=shown,
        too_large=hands_free and _too_large(settings, problem, optimizer),
    )


# ---------------------------------------------------------------------- slots


def is_hands_free(settings):
    """Whether both optimizer and step are "auto"."""
    return settings.optimizer == "auto" and settings.learning_rate == "auto"


def loss_of(settings):
    """The loss of the parameters, in the units of y."""
    loss = get_loss(settings.loss, epsilon=settings.epsilon, quantile=settings.quantile)
    return loss if isinstance(settings.loss, str) else deepcopy(loss)


@record
class Affordable:
    """Whether the curvature of all directions is worth its memory and time.

    Attributes
    ----------
    kept : bool
        Whether a stream can keep it, however few its rows are.
    at_once : bool
        Whether it is worth its time on these rows.
    online : bool
        Whether more rows may follow.
    """

    kept: bool
    at_once: bool
    online: bool

    @classmethod
    def of(cls, sizes, alpha, online):
        """The answer for data of these sizes, with an l2 penalty of strength `alpha`."""
        d = sizes.n_features
        kept = d <= FULL_CURVATURE_RANK and 8 * d * d <= FULL_CURVATURE_BYTES
        # Without a penalty the rank is at most the number of rows.
        rank = d if alpha else min(d, sizes.n_rows)
        at_once = rank <= FULL_CURVATURE_RANK and 8 * rank * d <= FULL_CURVATURE_BYTES
        slow = sizes.is_sparse and cost_of_density(sizes) > MOST_DENSE_PASSES
        return cls(kept, at_once and not slow, online)

    @property
    def full(self):
        """Whether steps may use it."""
        return self.kept if self.online else self.at_once


@record
class Problem:
    """The problem that an optimizer is chosen for."""

    sizes: Sizes
    loss: object
    penalty: object
    affordable: Affordable
    online: bool


def _automatic_optimizer(settings, problem):
    """Conjugate gradients in the best affordable metric, unless there are mini-batches.

    Mini-batches and averages need given steps: plain ones where the full curvature is
    known, and momentum with its diagonal only. In a stream the choice must be the same for
    every chunk, however few rows it has.
    """
    full = problem.affordable.full
    if problem.penalty.proximal or not is_squared(problem.loss):
        return _for_bounds(settings, problem)
    if not _steps_chosen(settings) and not problem.online:
        low_rank = not problem.sizes.is_sparse
        return optimizers.ConjugateGradient(
            metric="sketch" if full or low_rank else "diagonal"
        )
    if full:
        return optimizers.SGD(metric="sketch")
    if problem.online:
        return optimizers.ConjugateGradient(metric="diagonal")
    return optimizers.Nesterov(momentum=USUAL_MOMENTUM, metric="diagonal")


def _for_bounds(settings, problem):
    """The optimizer for problems other than least squares: Newton's, if possible.

    With too many features for it, a custom penalty or mini-batches: steps in the scale of
    the features, variance reduced for smooth losses, else plain and shrinking.
    """
    sizes, loss, penalty = problem.sizes, problem.loss, problem.penalty
    smooth, chosen = loss.smoothness is not None, _steps_chosen(settings)
    few = sizes.n_features <= FULL_CURVATURE_RANK and not penalty.is_custom
    at_once = problem.affordable.at_once
    if problem.online:
        refuse_stream(penalty)
        by_rows = few and not chosen and at_once
        return optimizers.SGD(metric="sketch" if by_rows else "diagonal")
    modelled = (smooth or made_of_hinges(loss)) and not penalty.is_custom
    quick = few and (at_once or not is_squared(loss))
    if modelled and not chosen and (quick or _by_columns(problem)):
        return optimizers.Newton()
    smooth_alone = smooth and not is_squared(loss) and not penalty.proximal
    if smooth_alone and not chosen:  # of any number of features
        return optimizers.Newton()
    if _by_multipliers(problem) and not chosen:
        return optimizers.Newton()
    if modelled and not chosen and few:  # bounds alone, and sparse rows of many columns
        return optimizers.InteriorPoint()
    if smooth and settings.average in ("auto", "tail", False):
        return optimizers.SVRG(metric="diagonal")
    narrow = sizes.n_features <= FEATURES_A_ROW * _kinked_batch(settings, sizes)
    whole = narrow and not penalty.proximal and at_once
    return optimizers.SGD(metric="sketch" if whole and not smooth else "diagonal")


def _too_large(settings, problem, optimizer):
    """Whether fewer features would have had a solver with a certificate."""
    loss = problem.loss
    modelled = loss.smoothness is not None or made_of_hinges(loss)
    chosen = problem.penalty.is_custom or problem.online or _steps_chosen(settings)
    return modelled and not chosen and not optimizer.finds_steps


def _by_columns(problem):
    """Whether few of the columns are looked at closely: those that l1 lets go from zero.

    Where rows are so few beside them that the curvature of all of them is what takes the
    time, or where that is not affordable.
    """
    sizes, penalty = problem.sizes, problem.penalty
    if problem.online or not is_squared(problem.loss) or not penalty.l1:
        return False
    n, d = sizes.n_rows, sizes.n_features
    most = FEW_ROWS_WORK if n < d else ALL_COLUMNS_WORK
    dear = n < ROWS_A_COLUMN * d and n * d**2 > most
    return dear or d > FULL_CURVATURE_RANK or not problem.affordable.at_once


def _kinked_batch(settings, sizes):
    """Rows per step along kinks: so many that most of the time is for reading rows.

    But at least SMALLEST_BATCH steps per epoch, as only steps make progress.
    """
    size = settings.batch_size
    if size == "auto":
        least = max(SMALLEST_BATCH, int(sizes.n_features / sizes.row_size))
        size = max(1, min(least, sizes.n_rows // SMALLEST_BATCH))
    return sizes.n_rows if size == "full" else size


def _steps_chosen(settings):
    """Whether the user has asked for mini-batches or an average, which need given steps."""
    return settings.batch_size not in ("auto", "full") or settings.average not in (
        "auto",
        False,
    )


def _curvature(optimizer, problem):
    """The part of the rows' curvature that the metric of an optimizer uses."""
    kind, sizes = optimizer.metric, problem.sizes
    if kind is None:
        return None
    by_model = optimizer.serves.by_model
    if kind == "diagonal" or (by_model and _by_columns(problem)):
        return DIAGONAL
    if by_model and _by_multipliers(problem):
        return DIAGONAL
    if by_model and _by_products(problem):
        tall = sizes.n_rows > sizes.n_features and _single_fits(sizes)
        return SINGLE if tall else DIAGONAL
    if _single(optimizer, problem):
        return SINGLE
    few = sizes.n_features <= FULL_CURVATURE_RANK
    if problem.affordable.full or (few and by_model):
        return FULL
    if sizes.is_sparse:
        if by_model:  # the metric is no choice of the user
            raise ValueError(
                f"{optimizer!r} needs a dense X or at most {FULL_CURVATURE_RANK} features, "
                f"got {sizes.n_features}. Use optimizer='auto'."
            )
        raise ValueError(
            f"metric='sketch' needs a dense X or at most {FULL_CURVATURE_RANK} features, "
            f"got {sizes.n_features}. Use metric='diagonal'."
        )
    return STRONGEST


def _by_products(problem):
    """Whether a smooth loss is solved by products with its curvature, without a matrix."""
    smooth = problem.loss.smoothness is not None and not is_squared(problem.loss)
    return smooth and not problem.penalty.proximal and not problem.affordable.at_once


def _by_multipliers(problem):
    """Whether a loss with kinks and l2 is solved by multipliers, without a matrix."""
    loss, penalty = problem.loss, problem.penalty
    kinks = loss.smoothness is None and made_of_hinges(loss)
    many = problem.sizes.n_features > FULL_CURVATURE_RANK
    return kinks and many and penalty.l2 > 0 and not penalty.proximal


def _single_fits(sizes):
    """Whether a curvature in single precision is possible, and fits into memory."""
    return not sizes.is_sparse and 4 * sizes.n_features**2 <= SINGLE_CURVATURE_BYTES


def _single(optimizer, problem):
    """Whether the curvature is best taken in single precision.

    Where double precision costs too much, or, of many columns, more time than a step or
    two that correct it; but a sample of few columns can grow in double precision only.
    """
    sizes, corrects = problem.sizes, optimizer.serves.by_rough_curvature
    n, d = sizes.n_rows, sizes.n_features
    if problem.online or not corrects or not _single_fits(sizes):
        return False
    if not problem.affordable.full:
        return True
    return d >= SINGLE_FEATURES and n > d and single_pays(n, d, TOL)


def _provable(optimizer, affordable):
    """Whether the curvature of all rows may be computed for the certificate alone.

    Without a metric nothing else is reliable: steps on raw features may have explored only
    their offsets, or the largest of their scales.
    """
    return affordable.at_once or (optimizer.metric is None and affordable.kept)


def _batch_size(settings, problem, optimizer, hands_free):
    sizes, kinks = problem.sizes, problem.loss.smoothness is None
    if optimizer.finds_steps and not hands_free:
        return "full"
    if settings.batch_size != "auto":
        return settings.batch_size
    if hands_free and problem.penalty.is_custom and not kinks:
        return -(-sizes.n_rows // PROXIMAL_STEPS)
    chosen = kinks or (optimizer.kind == "plain" and not _reduces_variance(optimizer))
    other = problem.penalty.proximal or not is_squared(problem.loss)
    if hands_free and chosen and other and not optimizer.finds_steps:
        return "full" if problem.online else _kinked_batch(settings, sizes)
    if hands_free:
        return "full"
    if _reduces_variance(optimizer) and optimizer.metric == "sketch":
        return min(sizes.n_rows, BATCH_ROWS_A_FEATURE * (sizes.n_features + 1))
    return 1


def _reduces_variance(optimizer):
    """Whether it is SVRG, or derived from it without a direction of its own."""
    return isinstance(optimizer, optimizers.SVRG) and optimizer.kind != "custom"


def _shuffle(shuffle):
    if shuffle in ("rows", "blocks", "replacement"):
        return shuffle
    return "rows" if shuffle else "sequential"


def _average(average, optimizer, tail):
    """None, the first averaged step, "tail", or the factor of an exponential average."""
    reduced = _reduces_variance(optimizer)
    if average == "auto":
        return "tail" if tail or reduced else None
    if average == "tail":
        return "tail"
    if reduced and average:
        raise ValueError(
            f"average={average!r} does not go with SVRG, which averages over the later "
            "half of each epoch's steps: use 'tail' or False."
        )
    if not isinstance(average, Integral | np.bool_):
        return float(average)
    return int(average) or None  # True: from the first step; False and 0: never


def _schedule(settings):
    """A copy of the given schedule, since the user may change it later."""
    given = get_schedule(
        settings.learning_rate,
        eta0=settings.eta0,
        power_t=settings.power_t,
        alpha=settings.alpha,
    )
    return deepcopy(given)


def _step_parameter(learning_rate):
    named = isinstance(learning_rate, str) and learning_rate not in ("auto", "optimal")
    return "eta0" if named or hasattr(learning_rate, "eta0") else "learning_rate"
