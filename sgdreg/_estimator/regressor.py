"""The estimator: its documentation, and its methods as scikit-learn asks for them."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sgdreg._data.chunks import Chunks
from sgdreg._data.threads import within_floats
from sgdreg._estimator.attributes import OF_SCALE
from sgdreg._estimator.chunked import predictions_of, score_of
from sgdreg._estimator.fit import fit, partial_fit
from sgdreg._estimator.html import html_repr
from sgdreg._estimator.inputs import check_rows, check_scored
from sgdreg._estimator.parameters import CONSTRAINTS
from sgdreg._estimator.predictions import predictions, r_squared
from sgdreg._estimator.saved import restored, saved
from sgdreg._estimator.transaction import all_or_nothing
from sgdreg._persistence.files import read
from sgdreg._persistence.format import contents, recalled, settled
from sgdreg._sources.partitions import is_dask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

    from sgdreg._typing import ArrayLike, MatrixLike, Path, Schedule
    from sgdreg.losses import Loss
    from sgdreg.optimizers import Optimizer
    from sgdreg.penalties import Penalty
# Stack level of the user's call, seen from `_fit`.
DEPTH = 5


class SGDLinearRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Linear regression by mini-batch stochastic gradient descent.

    Minimises

        F(w, b) = 1/S · Σ s_i L(y_i, x_i·w + b) + alpha · R(w),    S = Σ s_i

    (the intercept b is never penalised). A textbook step follows the gradient of a
    mini-batch B of rows, with proximal steps for l1 and bounds,

        w <- w - eta(t) · (1/|B| · Σ_{i in B} n s_i/S · L'(y_i, x_i·w + b) x_i + l2 w).

    With the defaults nothing needs tuning: on raw, unscaled data the fit returns the
    least-squares solution, or the optimum of another loss and penalty. (Where there are
    several solutions, as with copies of a column, it is the one of least norm in the
    scaled features.) ``plan_``, ``stop_reason_`` and ``history_`` say how. With an
    explicit `optimizer` or `learning_rate` the steps are those of the textbook, on raw
    features (unless the optimizer has a metric), and each can be reproduced by hand.

    Parameters
    ----------
    loss : {'squared_error', 'huber', 'absolute_error', 'quantile', \
            'epsilon_insensitive', 'squared_epsilon_insensitive'} or object, \
            default='squared_error'
        L(y, p); see :mod:`sgdreg.losses`. An object of a class derived from
        :class:`sgdreg.losses.Loss` is a custom loss.
    penalty : {None, 'l2', 'l1', 'elasticnet'} or object, default=None
        R(w): nothing, ½‖w‖², ‖w‖₁, or l1_ratio ‖w‖₁ + (1 - l1_ratio) ½‖w‖².
        Coefficients that l1 makes zero are exactly zero. An object of
        :mod:`sgdreg.penalties` has its own alpha; an object of a class derived from
        :class:`sgdreg.penalties.Penalty` is a custom penalty.
    alpha : float >= 0, default=1e-4
        Weight of a named penalty, per row: ``Ridge(alpha * S)`` and ``Lasso(alpha)`` have
        the same optimum. Also the alpha of ``learning_rate="optimal"``.
    l1_ratio : float in [0, 1], default=0.15
        Share of l1 in penalty='elasticnet'.
    fit_intercept : bool, default=True
        Whether to learn b; otherwise it stays 0 (or what it was initialised to).
    epsilon : float >= 0 or 'auto', default=0.1
        For the losses huber, epsilon_insensitive and squared_epsilon_insensitive, in
        the units of y. 'auto', for huber: 1.35 times a scale of the residuals, which
        `fit` estimates together with the model (`scale_`), as HuberRegressor does.
    quantile : float in (0, 1), default=0.5
        For the quantile loss.
    optimizer : {'auto', 'sgd', 'momentum', 'nesterov', 'adagrad', 'rmsprop', 'adam', \
            'svrg', 'cg', 'interior_point', 'newton'} or object, default='auto'
        The update rule; see :mod:`sgdreg.optimizers`. 'auto' chooses it, and every other
        parameter that is 'auto', from the data: conjugate gradients in the best metric
        that is affordable for least squares, Newton steps for squares with l1 or bounds
        and for other losses, and gradient steps in a metric with more features than
        these can take (2,000; squares with l1: any), or an explicit `batch_size` or
        `average`. With an explicit `learning_rate` 'auto' means plain 'sgd' on raw
        features. An object of a class derived from
        :class:`sgdreg.optimizers.Optimizer` is a custom update rule.
    learning_rate : float, str, object or callable, default='auto'
        The step size eta(t), t counting steps from 1: a number; 'constant' (eta0),
        'invscaling' (eta0 / t^power_t), 'optimal' (1 / (alpha (t0 + t - 1))),
        'adaptive' (eta0, divided by 5 when progress stalls); an object of
        :mod:`sgdreg.schedules` (`Cosine`, `OneCycle`, `WarmUp`, …); any callable
        t -> eta; or 'auto', a constant from the smoothness of the objective (halved
        where epochs stall, unless the optimality gap is known or the objective is that of
        least squares; for an adaptive rule it is the usual step of that rule).
    eta0 : float > 0, default=0.01
        For learning_rate 'constant', 'invscaling' and 'adaptive'.
    power_t : float >= 0, default=0.25
        For learning_rate='invscaling'.
    batch_size : int >= 1, 'full' or 'auto', default='auto'
        Rows per step; the last, shorter batch of an epoch is used too. 'auto' is 'full'
        with optimizer='auto', 'cg', 'newton' and 'interior_point'; 1 for other
        textbook settings (four rows per feature for SVRG in a full curvature); 32 or more
        for mini-batches of a loss with kinks with optimizer='auto'.
    max_iter : int >= 1, default=1000
        Most epochs (passes over the data) of a call of `fit`.
    tol : float >= 0 or None, default=1e-8
        With optimizer='auto', 'cg', 'newton', 'interior_point' and, for least squares,
        'svrg' (and wherever the curvature is known): the training R² that the model may
        lack, compared with the exact optimum. The fit stops when its estimate of this loss,
        the optimality gap, is at most `tol`. (For float32, the last entry of `history_` is
        of the rounded coefficients, and the optimum leaves out directions that are rounding
        errors of X.) Otherwise: stop when the epoch's objective has not improved by more
        than `tol` relative to itself for `n_iter_no_change` epochs. None: run `max_iter`
        epochs. Scaling X or y never changes the number of epochs.
    shuffle : bool, 'rows', 'blocks' or 'replacement', default=True
        True, 'rows': a new permutation of the rows each epoch. 'blocks': contiguous
        batches in a new random order each epoch (reads memory several times faster, for
        rows that are not sorted). 'replacement': rows drawn one by one in proportion to
        their weights, each then counting the same (for weights that are very unequal).
        False: the given order. Where a step takes all rows, the order has no effect.
    average : bool, int, float, 'tail' or 'auto', default='auto'
        Which weights to return: the last (False); their mean over all steps (True), or
        from step `average` on [1]_; their mean over the latest half of the steps or more
        ('tail'); or an exponential average, with a factor in (0, 1) per step.
    early_stopping : bool, default=False
        Hold out `validation_fraction` of the rows and stop when R² on them no longer
        improves by more than `tol` for `n_iter_no_change` epochs; the model of the best
        epoch is returned. A validation set given to `fit` is used the same way. (The
        intermediate iterates of an interior point are not usable models: there R² is only
        recorded.)
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows (those of positive weight) held out by `early_stopping`.
    n_iter_no_change : int >= 1, default=5
        Epochs without improvement after which a fit stops.
    warm_start : bool, default=False
        Whether `fit` continues the state of the last call (weights, step counter,
        momentum, random numbers) instead of starting anew. (To continue an unfinished
        call, see :meth:`resume`.)
    positive : bool, default=False
        Coefficients >= 0.
    n_jobs : int or None, default=None
        Threads for full passes over the data and for its curvature (mini-batch steps run
        on one thread). None: as many as BLAS would use. -1: all cores. The result is the
        same, bit for bit, with any number of threads.
    verbose : int, default=0
        1: a progress bar where one can be drawn (with `rich
        <https://rich.readthedocs.io>`_, on a terminal or in a notebook), else one printed
        line per epoch; nothing where a ProgressBar is drawn already. 2: always lines.
        `partial_fit` prints one line per call.
    random_state : int, RandomState instance or None, default=None
        Seed of the generators that order rows, sample them and hold some out.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients, in the units of raw X and y; float32 if X was.
    intercept_ : NumPy scalar or ndarray of shape (n_outputs,)
        Of the dtype of `coef_`.
    n_iter_ : int
        Epochs run since the call of `fit` or `partial_fit` that began the state.
    t_ : int
        Steps (mini-batches) taken since then.
    converged_ : bool
        Whether the stopping rule was satisfied. False where the fit ended because steps
        of an automatic size made no more progress, without a certificate:
        `stop_reason_` says so.
    stop_reason_ : str
        Why the fit ended, as a sentence.
    plan_ : Plan
        The choice in each slot; print it.
    history_ : list of dict
        One entry per epoch: epoch; passes over the rows so far (including passes for the
        plan, and parts of a pass); seconds since the call began; objective (of the
        epoch's model where a pass has computed it, else the mean over the epoch's steps
        of the loss before each step, plus the penalty at the start of the epoch);
        learning_rate of its last step; and, where known, optimality_gap and
        validation_score. ``pandas.DataFrame(model.history_)`` works. After `partial_fit`
        it holds the latest 1,000 epochs; `n_iter_` and `t_` count all.
    loss_curve_ : list of float
        The objectives of `history_`.
    validation_scores_ : list of float or None
        R² on the validation rows after each epoch; None without any.
    best_iteration_ : int or None
        The epoch whose model was returned, where epochs were compared (by validation
        score, by optimality gap, or by objective where steps along kinks are halved);
        None where the last epoch's model was returned without a comparison.
    checkpoint_ : dict
        Everything that :meth:`resume` needs to continue this fit. It does not exist
        after `partial_fit`.
    scale_ : float
        With epsilon='auto': the standard deviation of the residuals, if these are normal
        but for outliers.
    outliers_ : ndarray of bool, shape (n_samples,)
        With epsilon='auto': whether a row's residual is beyond epsilon.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Where X has string column names.

    See Also
    --------
    sklearn.linear_model.SGDRegressor : A call written for it works here.
    sklearn.linear_model.Ridge : The same objective, by exact solvers.

    References
    ----------
    .. [1] B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by
       averaging", SIAM Journal on Control and Optimization 30 (1992).

    Examples
    --------
    >>> from sgdreg import SGDLinearRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = SGDLinearRegressor().fit(X, y)
    >>> round(model.score(X, y), 6), model.converged_
    (0.517748, True)

    SGDRegressor's steps, which can be reproduced by hand:

    >>> model = SGDLinearRegressor(learning_rate=0.1, shuffle=False)
    >>> model.partial_fit([[1.0], [2.0]], [1.0, 2.0]).coef_  # 0.1·1·1 + 0.1·1.7·2
    array([0.44])
    """

    _parameter_constraints: dict = CONSTRAINTS
    _html_repr = html_repr  # what notebooks show

    def __init__(
        self,
        loss: str | Loss = "squared_error",
        *,
        penalty: str | Penalty | None = None,
        alpha: float = 1e-4,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        epsilon: float | str = 0.1,
        quantile: float = 0.5,
        optimizer: str | Optimizer = "auto",
        learning_rate: str | float | Schedule = "auto",
        eta0: float = 0.01,
        power_t: float = 0.25,
        batch_size: int | str = "auto",
        max_iter: int = 1000,
        tol: float | None = 1e-8,
        shuffle: bool | str = True,
        average: bool | int | float | str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        positive: bool = False,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.epsilon = epsilon
        self.quantile = quantile
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.average = average
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.positive = positive
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    # ----------------------------------------------------------------- learning

    def fit(
        self,
        X: MatrixLike | Chunks,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        coef_init: ArrayLike | None = None,
        intercept_init: ArrayLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Chunks
            Never modified; not copied where it is a C-ordered array of float32 or
            float64 (read-only memory maps too) or CSR of those. For rows that memory does
            not hold: :func:`sgdreg.chunks`, which has the targets and weights.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights s_i >= 0; only their relative size matters, and a row of weight zero
            is left out.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation set: the model of the epoch with the best R² on it is returned, and
            the fit stops when that R² no longer improves.
        coef_init : array-like of the shape of `coef_`, default=None
            Coefficients to start from; None: zeros.
        intercept_init : float or array-like of shape (n_outputs,), default=None
            Intercept to start from.

        Returns
        -------
        self : SGDLinearRegressor

        Raises
        ------
        ValueError, TypeError
            For input that cannot be used, and for steps that diverge; the message says
            what is wrong, where, and what to do. After any exception (also of a callback
            or Ctrl-C) every attribute is as it was before the call, and so is a
            RandomState among the parameters.

        Warns
        -----
        UserWarning
            For a parameter that has no effect with the others. For columns whose variation
            is smaller than the rounding error of their mean in float64 (ids near 1e18):
            the warning names them, and they are taken as constant.
        ConvergenceWarning
            When `max_iter` ends the fit before `tol` is reached (it names the value
            reached); when the model of an output is worse than the best constant (without
            an intercept: than zero); and when X is float32 and rounding the model to
            float32 costs more than 1e-4 of R².
        """
        validation = {"X_val": X_val, "y_val": y_val}
        validation["sample_weight_val"] = sample_weight_val
        start = {"coef_init": coef_init, "intercept_init": intercept_init}
        return self._fit(X, y, sample_weight, validation, start)

    @classmethod
    def resume(
        cls,
        path: Path | dict[str, Any],
        X: MatrixLike | Chunks,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        callbacks: Sequence[Any] = (),
        **parameters: Any,
    ) -> Self:
        """Continue a fit from a file that a :class:`Checkpoint` has written.

        The model is the same as without the interruption, bit for bit (with the same
        versions of NumPy and its linear algebra, on the same kind of processor). A fit that
        had already ended is returned as it ended; with a larger `max_iter` it continues.

        Parameters
        ----------
        path : str, path-like or dict
            The file, or a fitted model's `checkpoint_`.
        X, y, sample_weight, X_val, y_val, sample_weight_val
            The same data as were passed to `fit`. Other data are refused: shapes, all of
            y and the weights are compared, and some numbers of X (not of rows in chunks,
            which hold their own targets: y is then left out).
        callbacks : sequence of callbacks, default=()
            For ``set_callbacks``: again a `Checkpoint`, if checkpoints are to be written.
        **parameters
            New values of `max_iter`, `n_jobs` and `verbose`. Parameters that were functions
            or custom objects must be given again, because the file does not hold them.

        Returns
        -------
        SGDLinearRegressor
            A new one, fitted.

        Raises
        ------
        FileNotFoundError, ValueError, TypeError
            Where there is no checkpoint, or data or parameters differ from its own.

        Examples
        --------
        >>> from sgdreg import SGDLinearRegressor
        >>> X, y = [[1.0], [2.0], [4.0]], [2.0, 3.0, 4.0]
        >>> model = SGDLinearRegressor(optimizer="sgd", eta0=0.1, tol=None, max_iter=2)
        >>> model.set_params(learning_rate="constant", random_state=0).fit(X, y).n_iter_
        2
        >>> SGDLinearRegressor.resume(model.checkpoint_, X, y, max_iter=5).n_iter_
        5
        """
        if isinstance(path, dict):
            known, own, *checkpoint = recalled(path)
        else:
            known, own, *checkpoint = recalled(read(path), path)
        self = cls(**settled(known, own, parameters, cls._get_param_names()))
        self.set_callbacks(*callbacks)
        validation = {"X_val": X_val, "y_val": y_val}
        validation["sample_weight_val"] = sample_weight_val
        return self._fit(X, y, sample_weight, validation, None, checkpoint)

    @classmethod
    @cache
    def _get_param_names(cls):
        return super()._get_param_names()  # reading the signature takes 60 µs, every fit

    # Without scikit-learn's `_fit_context`: it takes 25 µs, and checks parameters that have
    # passed before.
    @all_or_nothing
    @with_callbacks
    def _fit(self, *given):
        fitted, messages = fit(self, *given)
        self._set(fitted)
        for text in messages:
            warnings.warn(text, ConvergenceWarning, stacklevel=DEPTH)
        return self

    @all_or_nothing
    def partial_fit(
        self,
        X: MatrixLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Run one epoch on these rows, continuing the state of earlier calls.

        With textbook settings, k calls with all the data equal ``fit(max_iter=k,
        tol=None)`` bit for bit. With the defaults and up to 2,000 features the model is,
        after every call, the least-squares solution of all rows seen so far (recursive
        least squares, which needs no tuning and cannot diverge). With more features, with
        an explicit `batch_size` or (up to 2,000 features) `average`, and after a `fit`
        that sampled rows, the model is close to that solution. The same holds for l1 and
        `positive`. A call uses its rows only once, so it does not warn of a model that is
        worse than a constant (`fit` does); steps that make the loss of one call grow beyond
        1e10 times the loss of zero are refused.

        For other losses, rows are reweighted as the model changes (iteratively reweighted
        least squares, each output by itself), with a random sample of the rows seen
        before: at least 5,000 rows, and 200 per feature (fewer from 205 features on). The
        result is usually within 0.1 % of the optimum, and within 1 % for extreme
        quantiles, in any order of the rows. From 410 features on, and for rows of an
        earlier `fit`, a row keeps the weight of the call that brought it; then the result
        may be far from the optimum where the distribution of the rows changes. So it may
        with an explicit `batch_size` or `average`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Relative to the mean weight of the first call. If all are zero, the call
            changes nothing: a model that is not fitted yet stays unfitted.

        Returns
        -------
        self : SGDLinearRegressor

        Raises
        ------
        ValueError, TypeError
            As `fit` does; every attribute stays as it was.
        """
        if type(X) is not np.ndarray and (isinstance(X, Chunks) or is_dask(X)):
            raise TypeError(
                "partial_fit takes rows in memory, one chunk a call: fit(chunks) reads all "
                "of them, and again for each pass."
            )
        self._set(partial_fit(self, X, y, sample_weight))
        return self

    def _set(self, fitted):
        """Set the fitted attributes, and delete those of earlier calls only."""
        for name in OF_SCALE:
            vars(self).pop(name, None)
        vars(self).update(fitted)

    @property
    def loss_curve_(self) -> list[float]:
        """The objectives of `history_`."""
        if not hasattr(self, "history_"):
            raise AttributeError("There is no loss_curve_ before fit or partial_fit.")
        return [entry["objective"] for entry in self.history_]

    @property
    def checkpoint_(self) -> dict[str, Any]:
        """The checkpoint that `resume` continues: a dict of plain values, all copies."""
        check_is_fitted(self)
        if self._memory is None:
            raise AttributeError(
                "There is no checkpoint_ after partial_fit, whose rows are gone: keep the "
                "model itself, and call partial_fit again."
            )
        known, state = self._continuation.made_for.parameters, self._continuation.state
        parameters = {name: known[name] for name in self._get_param_names()}
        return contents(parameters, state.packed(), self._memory)

    def predict(self, X: MatrixLike) -> np.ndarray:
        """X·coef_ + intercept_.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Chunks

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            For chunks of rows an iterator of these, one for each chunk that is not empty.
        """
        check_is_fitted(self)
        if isinstance(X, Chunks) or is_dask(X):
            return predictions_of(self, X)
        return self._predicted(check_rows(self, X, finite=True, order=None))

    def _predicted(self, X):
        coef = self.coef_
        out = predictions(X, coef, self.intercept_)
        if sparse.issparse(coef) and self._continuation.state.flat:
            out = out.ravel()
        return out

    def score(
        self,
        X: MatrixLike | Chunks,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """R² = 1 - Σ s_i (y_i - p_i)² / Σ s_i (y_i - ȳ)², with p_i the predictions for X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Chunks
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Not beside chunks, which have their own targets and weights.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights s_i >= 0.

        Returns
        -------
        float
            The mean over the outputs, where there are several.
        """
        if isinstance(X, Chunks) or is_dask(X):
            check_is_fitted(self)
            return score_of(self, X, y, sample_weight)
        predicted = self.predict(X)
        with within_floats():
            y, weights = check_scored(y, sample_weight, predicted)
        return r_squared(y, predicted, weights)

    def sparsify(self) -> Self:
        """Store ``coef_`` as CSR: smaller where most coefficients are zero."""
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Store ``coef_`` as an array again."""
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            dense = self.coef_.toarray()
            self.coef_ = dense[0] if self._continuation.state.flat else dense
        return self

    def __getstate__(self):
        return saved(self)

    def __setstate__(self, document):
        vars(self).update(restored(document))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "coef_")  # scikit-learn's own search takes 10 µs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


# Files name the class by its public module, so that this module may move.
SGDLinearRegressor.__module__ = "sgdreg"
