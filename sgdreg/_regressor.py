"""The estimator, on scikit-learn's machinery."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from sgdreg._data import Data
from sgdreg._hooks import Hooks
from sgdreg._inputs import (
    FLOATS,
    check_init,
    check_validation,
    check_weights,
    check_X_y,
    hold_out,
    names_restored_on_failure,
)
from sgdreg._parameters import CONSTRAINTS, check_parameters, snapshot
from sgdreg._planning import make_plan, sampling_rng
from sgdreg._sklearn import _fit_context
from sgdreg._state import State
from sgdreg._threads import Team, one_blas_thread
from sgdreg._training import Training


class SGDLinearRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Linear regression by mini-batch stochastic gradient descent.

    Minimises

        F(w, b) = 1/S · Σ s_i ½ (y_i - x_i·w - b)² + alpha · ½‖w‖²,    S = Σ s_i

    (the second term only with ``penalty="l2"``; the intercept b is never penalised). The
    textbook's steps are along the gradient of mini-batches B of rows,

        w <- w - eta(t) · (1/|B| · Σ_{i in B} n s_i/S · (x_i·w + b - y_i) x_i + alpha w).

    With the defaults no knob needs turning: raw, unscaled data give the least-squares
    answer (of several, as with copies of a column, the one with the least norm in the
    scaled features), and ``plan_``, ``stop_reason_`` and ``history_`` say how. With an
    explicit `optimizer` or `learning_rate` the steps are the textbook's, on raw
    features (unless the optimizer is given a metric), each reproducible by hand.

    Parameters
    ----------
    loss : {'squared_error'} or object, default='squared_error'
        L(y, p). The other losses that the signature provides for (huber,
        absolute_error, quantile, epsilon_insensitive, squared_epsilon_insensitive)
        raise NotImplementedError in this version.
    penalty : {None, 'l2'}, default=None
        R(w) = ½‖w‖² or nothing. 'l1' and 'elasticnet' raise NotImplementedError in this
        version.
    alpha : float >= 0, default=1e-4
        Weight of the penalty, per row: ``Ridge(alpha * S)`` has the same optimum. Also
        the alpha of ``learning_rate="optimal"``.
    l1_ratio : float in [0, 1], default=0.15
        Share of l1 in penalty='elasticnet'.
    fit_intercept : bool, default=True
        Whether to learn b; otherwise it stays 0 (or what it was initialised to).
    epsilon : float >= 0, default=0.1
        For the losses huber, epsilon_insensitive and squared_epsilon_insensitive.
    quantile : float in (0, 1), default=0.5
        For the quantile loss.
    optimizer : {'auto', 'sgd', 'momentum', 'nesterov', 'svrg', 'cg'} or object, \
            default='auto'
        The update rule; see :mod:`sgdreg.optimizers`. 'auto' chooses it, and everything
        else that is left open, from the data: conjugate gradients in the best metric
        that they afford; with an explicit `batch_size` or `average`, mini-batches in
        it. With an explicit `learning_rate` 'auto' means plain 'sgd' on raw features.
        'adagrad', 'rmsprop' and 'adam' raise NotImplementedError in this version.
    learning_rate : float, str, object or callable, default='auto'
        The step size eta(t), t counting steps from 1: a number; 'constant' (eta0),
        'invscaling' (eta0 / t^power_t), 'optimal' (1 / (alpha (t0 + t - 1))),
        'adaptive' (eta0, divided by 5 when progress stalls); an object of
        :mod:`sgdreg.schedules`; any callable t -> eta; or 'auto', a constant from the
        smoothness of the objective (conjugate gradients find each step's).
    eta0 : float > 0, default=0.01
        For learning_rate 'constant', 'invscaling' and 'adaptive'.
    power_t : float >= 0, default=0.25
        For learning_rate='invscaling'.
    batch_size : int >= 1, 'full' or 'auto', default='auto'
        Rows a step; the last, short batch of an epoch is kept. 'auto' is 1 for textbook
        settings (four rows a feature with SVRG in a full curvature, 'full' with
        conjugate gradients).
    max_iter : int >= 1, default=1000
        Epochs (passes over the data) that a call of `fit` may take.
    tol : float >= 0 or None, default=1e-8
        With optimizer='auto' (and wherever the curvature is known, or steps have met
        it): the training R² that may be given up against the exact optimum; the fit
        stops when its estimate of that, the optimality gap, is at most `tol`. (Of
        float32 it is that before the coefficients are rounded.) Otherwise: stop when
        the epoch's objective has not improved by more than `tol` relative to itself for
        `n_iter_no_change` epochs. None: run `max_iter` epochs. Scaling X or y never
        changes the number of epochs.
    shuffle : bool, 'rows' or 'blocks', default=True
        True, 'rows': a new permutation of the rows each epoch. 'blocks': contiguous
        batches in a new random order each epoch (reads memory several times faster, for
        rows that are not sorted). False: the given order. All the same where a step
        takes all rows.
    average : bool, int, 'tail' or 'auto', default='auto'
        Which weights to return: the last (False), their mean over all steps (True) or
        from step `average` on [1]_, or over the latest half at least ('tail').
    early_stopping : bool, default=False
        Hold out `validation_fraction` of the rows and stop when R² on them no longer
        improves by more than `tol` for `n_iter_no_change` epochs; the best epoch is the
        one returned. A validation set given to `fit` is used the same way.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows (those of positive weight) held out by `early_stopping`.
    n_iter_no_change : int >= 1, default=5
        Epochs without improvement after which a fit stops.
    warm_start : bool, default=False
        Whether `fit` continues the state of the last call (weights, step counter,
        momentum, random numbers) instead of starting anew.
    positive : bool, default=False
        Coefficients >= 0. True raises NotImplementedError in this version.
    n_jobs : int or None, default=None
        Threads for full passes over the data and for its curvature (mini-batch steps
        follow one another). None: as many as BLAS would use. -1: all cores. No effect
        on results: the same bits with any number.
    verbose : int, default=0
        1: one printed line an epoch. For a progress bar,
        ``set_callbacks(sklearn.callback.ProgressBar())``.
    random_state : int, RandomState instance or None, default=None
        Seed of the generators that order rows, sample them and hold some out.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients, in the units of raw X and y; float32 if X was.
    intercept_ : float or ndarray of shape (n_outputs,)
    n_iter_ : int
        Epochs run since the first `fit` or `partial_fit` that the state goes back to.
    t_ : int
        Steps (mini-batches) taken since then.
    converged_ : bool
        Whether the stopping rule was met.
    stop_reason_ : str
        Why the fit ended, as a sentence.
    plan_ : Plan
        What was chosen in each slot; print it.
    history_ : list of dict
        One entry an epoch: epoch, passes over the rows so far (those for the plan and
        parts of one included), seconds (since the call began), objective (that of the
        epoch's model where a pass has found it, else the mean over the epoch's steps of
        the loss before each, plus the penalty at its start), learning_rate of its last
        step, and, where known, optimality_gap and validation_score.
        ``pandas.DataFrame(model.history_)`` works.
    loss_curve_ : list of float
        The objectives of `history_`.
    validation_scores_ : list of float or None
        R² on the validation rows after each epoch; None without any.
    best_iteration_ : int or None
        The epoch whose model was returned, where epochs were compared (by validation
        score or optimality gap); None where it is simply the last.
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

    SGDRegressor's own steps, of a size that is reproducible by hand:

    >>> model = SGDLinearRegressor(learning_rate=0.1, shuffle=False)
    >>> model.partial_fit([[1.0], [2.0]], [1.0, 2.0]).coef_  # 0.1·1·1 + 0.1·1.7·2
    array([0.44])
    """

    _parameter_constraints: dict = CONSTRAINTS

    def __init__(
        self,
        loss="squared_error",
        *,
        penalty=None,
        alpha=1e-4,
        l1_ratio=0.15,
        fit_intercept=True,
        epsilon=0.1,
        quantile=0.5,
        optimizer="auto",
        learning_rate="auto",
        eta0=0.01,
        power_t=0.25,
        batch_size="auto",
        max_iter=1000,
        tol=1e-8,
        shuffle=True,
        average="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        warm_start=False,
        positive=False,
        n_jobs=None,
        verbose=0,
        random_state=None,
    ):
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

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        coef_init=None,
        intercept_init=None,
    ):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Never modified; not copied where it is a C-ordered array of float32 or
            float64 (read-only memory maps too) or CSR of those.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights s_i >= 0; only their relative size matters, and a weight of zero is
            the row left out.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation set: the epoch with the best R² on it is the one returned, and
            the fit stops when that no longer improves.
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
            what, where and what to do. What had been fitted before stays as it was.

        Warns
        -----
        ConvergenceWarning
            When `max_iter` ends the fit before `tol` is reached, with the value reached.
        """
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        check_parameters(self, **given)
        fresh = not (self.warm_start and hasattr(self, "_continuation"))
        fresh = fresh or coef_init is not None or intercept_init is not None
        with names_restored_on_failure(self), Team(self.n_jobs) as team:
            seen = {"X": X, "y": y}  # what callbacks see: names and all
            X, y = check_X_y(self, X, y, reset=True)
            weights = check_weights(sample_weight, X, "sample_weight")
            seeds, validation = self._seeds(), None
            data = Data.build(X, y.reshape(len(y), -1), weights, team=team)
            if X_val is not None:
                validation = check_validation(self, X_val, y_val, sample_weight_val, y)
            elif self.early_stopping:
                draw = np.random.default_rng(seeds.spawn(1)[0])
                data, validation = hold_out(data, self.validation_fraction, weights, draw)
            plan = make_plan(self, data, rng=sampling_rng(seeds))
            if fresh:
                state = State.start(
                    plan,
                    data,
                    np.random.default_rng(seeds),
                    flat=y.ndim == 1,
                    coef_init=check_init(coef_init, data, "coef_init"),
                    intercept_init=check_init(intercept_init, data, "intercept_init"),
                )
            else:
                old_plan, state, _ = self._continuation
                state = state.continued(old_plan, plan, data)
                state.best, state.stale, state.reference = np.inf, 0, 0.0
            state.flat = y.ndim == 1
            hooks = self._hooks(seen, sample_weight, X.dtype)
            with one_blas_thread(plan):
                outcome = Training(data, plan, state, validation, hooks).fit(self.max_iter)
            if hooks is not None:
                hooks.finish(outcome.plan, outcome.state, outcome.weights)
        for text in outcome.warnings:
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        return self._finish(outcome, X.dtype, online=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """One epoch on these rows, continuing the state of earlier calls.

        k calls with all the data equal ``fit(max_iter=k, tol=None)`` bit for bit (with
        textbook settings). With the defaults and up to 2,000 features the model is,
        after every call, the least-squares fit of all rows seen so far (recursive least
        squares, which needs no knob either and cannot diverge). It comes near to it
        with more features, with an explicit `batch_size` or (up to 2,000 features)
        `average`, and after a `fit` that sampled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Relative to the mean weight of the first call.

        Returns
        -------
        self : SGDLinearRegressor
        """
        check_parameters(self, online=True)
        first = not hasattr(self, "_continuation")
        with names_restored_on_failure(self), Team(self.n_jobs) as team:
            X, y = check_X_y(self, X, y, reset=first)
            if not first and y.shape[1:] != self._target_shape():
                raise ValueError(
                    f"y has shape {y.shape}, but the model was fitted to targets of shape "
                    f"{('n_samples', *self._target_shape())}."
                )
            weights = check_weights(sample_weight, X, "sample_weight")
            unit = None if first else self._continuation[1].weight_unit
            data = Data.build(
                X,
                y.reshape(len(y), -1),
                weights,
                weight_unit=unit,
                team=team,
            )
            if first:
                plan = make_plan(self, data, online=True)
                rng = np.random.default_rng(self._seeds())
                state = State.start(plan, data, rng, flat=y.ndim == 1)
            else:
                old_plan, state, _ = self._continuation
                plan = self._online_plan(data)
                state = state.continued(old_plan, plan, data)
            with one_blas_thread(plan):
                outcome = Training(data, plan, state).one_epoch()
        return self._finish(outcome, X.dtype, online=True)

    def predict(self, X):
        """X·coef_ + intercept_.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        coef = self.coef_
        out = safe_sparse_dot(X, coef.T, dense_output=True)
        if sparse.issparse(coef) and self._continuation[1].flat:
            out = out.ravel()
        return out + self.intercept_

    def sparsify(self):
        """Store ``coef_`` as CSR: smaller where most coefficients are zero."""
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self):
        """Store ``coef_`` as an array again."""
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            dense = self.coef_.toarray()
            self.coef_ = dense[0] if self._continuation[1].flat else dense
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags

    # ------------------------------------------------------------- plan, state, result

    def _seeds(self):
        """What the generator of a new state, and that of held-out rows, grow from."""
        seed = self.random_state
        if isinstance(seed, np.random.RandomState):
            seed = seed.randint(0, 2**32, size=4, dtype=np.uint32).tolist()
        return np.random.SeedSequence(seed)

    def _target_shape(self):
        """Shape of y beyond its rows, as fitted."""
        state = self._continuation[1]
        return () if state.flat else (len(state.weights),)

    def _online_plan(self, data):
        """The plan for the next rows of a stream.

        Where nothing in it comes from the rows, the last one serves again. The curvature
        of the rows seen so far grows by the new ones.
        """
        plan, _, made_for = self._continuation
        if made_for[1] != snapshot(self):
            self._validate_params()  # which scikit-learn skips once a model is fitted
        elif plan.online and not plan.automatic:
            return plan
        return make_plan(self, data, online=True, seen=plan)

    def _hooks(self, seen, sample_weight, dtype):
        """What looks at every epoch; None where nothing does, which saves its time."""
        if not getattr(self, "_skl_callbacks", None) and not self.verbose:
            return None
        if sample_weight is not None:
            seen["metadata"] = {"sample_weight": sample_weight}
        return Hooks(
            self,
            seen,
            self.max_iter,
            lambda plan, state, weights: _attributes(plan, state, weights, dtype),
        )

    def _finish(self, outcome, dtype, online):
        """Set every fitted attribute, together."""
        plan, state = outcome.plan.released(), outcome.state
        scores = [entry.get("validation_score") for entry in state.history]
        vars(self).update(
            _attributes(plan, state, outcome.weights, dtype),
            converged_=outcome.converged,
            stop_reason_=outcome.reason,
            validation_scores_=None if None in scores else scores,
            best_iteration_=outcome.best_epoch,
            _continuation=(plan, state, (online, snapshot(self))),
        )
        return self


def _attributes(plan, state, weights, dtype):
    """The fitted attributes of weights (k, d + 1) at the plan's centre; all are copies."""
    coef, intercept = weights[:, :-1], weights[:, -1]
    if plan.metric.centre is not None:
        intercept = intercept - coef @ plan.metric.centre
    with np.errstate(over="ignore"):
        coef, intercept = coef.astype(dtype, order="C"), intercept.astype(dtype)
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            f"The fitted coefficients cannot be held in {np.dtype(dtype)}: they overflow. "
            "Pass X as float64, or rescale X or y."
        )
    history = list(state.history)
    return {
        "coef_": coef[0] if state.flat else coef,
        "intercept_": float(intercept[0]) if state.flat else intercept,
        "n_iter_": state.epochs,
        "t_": state.steps,
        "plan_": plan.released(),
        "history_": history,
        "loss_curve_": [entry["objective"] for entry in history],
    }
