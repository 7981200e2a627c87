"""The slow, obvious twin of the compiled pass: one textbook line a line.

`mutation` changes one line into a plausible mistake; the suite must tell every mutant
from the original (test_mutants.py). What steps are made of is in twin_rules.py.
"""

import numpy as np
from twin_rules import Average, Steps, loss_functions, penalty_weights

MUTATIONS = {
    "sum for mean": "the batch gradient is a sum",
    "penalised intercept": "the intercept decays too",
    "dropped last batch": "the last short batch is left out",
    "t off by one": "the schedule starts at t = 2",
    "unshuffled": "every epoch in the given order",
    "same order every epoch": "the first epoch's order again and again",
    "weights ignored": "every row counts the same",
    "weights normalised by batch": "a batch's weights are divided by their own sum",
    "late residual": "rows of a batch see the steps of rows before them",
    "decay after step": "the penalty's gradient is taken after the data's step",
    "no factor": "the gradient of (y - p)² without ½: twice as large",
    "no penalty": "alpha is ignored",
    "velocity with step": "v <- momentum v + eta g; w <- w - v",
    "nesterov as momentum": "no look-ahead",
    "momentum as nesterov": "look-ahead where none was asked for",
    "average before step": "the weights before each step are averaged",
    "average one late": "averaging begins one step late",
    "intercept shared": "all outputs move with the first one's residual",
    "intercept fixed": "the intercept is never learned",
    "intercept learned": "the intercept is learned though fit_intercept=False",
    "wrong sign": "up the hill",
    "zero weight steps": "a row of weight zero takes part in the count",
    "no bias correction": "Adam's means are biased to the zeros that they start from",
    "adam epsilon inside root": "√(s + epsilon)",
    "rmsprop sum for mean": "s <- rho s + g²",
    "adagrad without root": "divided by the sum of squares itself",
    "coupled weight decay": "AdamW's weight decay goes through the gradient",
    "prox before step": "the proximal step comes before the gradient's",
    "prox on intercept": "the intercept is drawn to zero too",
    "prox without step size": "every step takes off all of alpha",
    "prox without scale": "adaptive rules take off eta alpha of every coefficient",
    "l1_ratio inverted": "the share of l2 for that of l1",
    "huber slope": "the gradient of outliers is not clipped",
    "quantile mirrored": "1 - quantile for quantile",
    "dead zone ignored": "errors below epsilon cost something",
    "drawn with weights": "rows drawn in proportion to their weights are weighted too",
    "drawn evenly": "rows are drawn with replacement, whatever their weights",
}


def twin(
    X,
    y,
    *,
    eta,
    epochs,
    batch_size,
    sample_weight=None,
    alpha=0.0,
    momentum=0.0,
    nesterov=False,
    rule=None,
    loss="squared_error",
    epsilon=0.1,
    quantile=0.5,
    penalty="l2",
    l1_ratio=0.15,
    positive=False,
    fit_intercept=True,
    average=None,
    shuffle=False,
    rng=None,
    start=None,
    mutation=None,
):
    """θ = [w, b] (k, d + 1) after each epoch, and each epoch's objective: the mean of
    the losses before its steps, and the penalty at its start.

    Parameters
    ----------
    eta : callable
        t -> step size; the first step has t = 1.
    rule : dict or None
        See twin_rules.py; None: what `momentum` and `nesterov` say.
    average : bool, int, float, 'tail' or None
    shuffle : bool, 'rows', 'blocks' or 'replacement'
    start : ndarray of shape (k, d + 1) or None
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float).reshape(len(y), -1)
    k, d = y.shape[1], X.shape[1]
    theta = np.zeros((k, d + 1)) if start is None else np.array(start, dtype=float)
    s = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    rows = np.arange(len(X))
    if mutation != "zero weight steps":
        rows = rows[s > 0]
    s = s / s[rows].mean()
    if mutation == "weights ignored":
        s = np.ones(len(X))
    if rule is None:
        kind = "nesterov" if nesterov else "momentum" if momentum else "sgd"
        rule = {"kind": kind, "momentum": momentum}
    value, slope = loss_functions(loss, epsilon, quantile, mutation)
    l1, l2 = penalty_weights(penalty, alpha, l1_ratio, mutation)
    step, mean = (
        Steps(rule, theta.shape, l1, positive, mutation),
        Average(average, mutation),
    )
    learn_b = fit_intercept and mutation != "intercept fixed"
    learn_b = learn_b or mutation == "intercept learned"
    t, thetas, losses, batches, counts = 0, [], [], None, s
    for epoch in range(epochs):
        if batches is None or mutation != "same order every epoch":
            kind = False if mutation == "unshuffled" else shuffle
            batches, counts = draw_epoch(rows, s, batch_size, kind, rng, mutation)
        w = theta[:, :-1]
        total, cost = 0.0, l1 * np.sum(np.abs(w)) + 0.5 * l2 * np.sum(w**2)
        mean.begin_epoch(epoch)
        for B in batches:
            if (
                len(B) < batch_size
                and len(batches) > 1
                and mutation == "dropped last batch"
            ):
                continue
            t += 1
            w, b, before = theta[:, :-1], theta[:, -1], theta
            length = eta(t + 1) if mutation == "t off by one" else eta(t)
            share = counts[B][:, None]
            if mutation == "weights normalised by batch":
                share = share * len(B) / share.sum()
            r = X[B] @ w.T + b - y[B]
            if mutation == "late residual":
                for i in range(1, len(B)):
                    past = length / len(B) * (r[:i] * share[:i])
                    r[i] -= X[B[i]] @ (past.T @ X[B[:i]]).T
            total += float((share * value(r)).sum())
            r = share * slope(r)
            many = 1 if mutation == "sum for mean" else len(B)
            gw, gb = r.T @ X[B] / many, r.sum(axis=0) / many
            if mutation == "no factor":
                gw, gb = 2 * gw, 2 * gb
            if mutation == "intercept shared":
                gb = np.full(k, gb[0])
            if mutation == "wrong sign":
                gw, gb = -gw, -gb
            if mutation == "decay after step":
                gw = gw + l2 * (w - length * gw)
            elif mutation != "no penalty":
                gw = gw + l2 * w
            if mutation == "penalised intercept":
                gb = gb + l2 * b
            if not learn_b:
                gb = np.zeros(k)
            theta = step(theta, np.column_stack([gw, gb]), length)
            mean.add(before if mutation == "average before step" else theta, t)
        thetas.append(mean.model(theta))
        losses.append(total / len(rows) + cost)
    return thetas, losses


def draw_epoch(rows, s, batch_size, shuffle, rng, mutation=None):
    """The mini-batches of an epoch, and what each row counts in them.

    A step that takes all rows takes them as they are, whatever `shuffle` says.
    """
    n, one_batch, counts = len(rows), len(rows) <= batch_size, s
    if shuffle == "replacement" and not one_batch:
        chance = np.ones(n) if mutation == "drawn evenly" else s[rows]
        drawn = np.searchsorted(np.cumsum(chance) / chance.sum(), rng.random(n), "right")
        rows = rows[np.minimum(drawn, n - 1)]
        counts = s if mutation == "drawn with weights" else np.ones(len(s))
    elif shuffle in (True, "rows") and not one_batch:
        rows = rng.permutation(rows)
    batches = [rows[first : first + batch_size] for first in range(0, n, batch_size)]
    if shuffle == "blocks" and not one_batch:
        batches = [batches[i] for i in rng.permutation(len(batches))]
    return batches, counts


def scaled(X, s, alpha=0.0, centred=True, kind="diagonal"):
    """(centre, P) of a metric: steps are P times the gradient of centred features."""
    s, none = s / s.sum(), np.zeros(X.shape[1])
    centre = s @ X if centred and kind else none
    if kind is None:
        return centre, np.eye(len(none))
    H = ((X - centre).T * s) @ (X - centre) + alpha * np.eye(len(none))
    scale = np.sqrt(np.diag(H))
    if kind == "diagonal":
        return centre, np.diag(scale**-2.0)
    return centre, np.linalg.pinv(H / np.outer(scale, scale)) / np.outer(scale, scale)


def svrg_twin(
    X,
    y,
    *,
    eta,
    epochs,
    batch_size,
    sample_weight=None,
    alpha=0.0,
    fit_intercept=True,
    average=True,
    inner=1.0,
    metric=None,
    P=None,
):
    """θ = [w, b] (k, d + 1) after each epoch of variance-reduced steps, in the given order.

    `metric`: as in the optimizer, or the centre, and `P` with it.
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float).reshape(len(y), -1)
    s = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    X, y, s = X[s > 0], y[s > 0], s[s > 0] / s[s > 0].mean()
    centre = metric
    if P is None:
        centre, P = scaled(X, s, alpha, fit_intercept, metric)
    Z, w, c = X - centre, np.zeros((y.shape[1], X.shape[1])), np.zeros(y.shape[1])

    def gradient(w, c, B):
        r = s[B, None] * (Z[B] @ w.T + c - y[B])
        return r.T @ Z[B] / len(r) + alpha * w, r.mean(axis=0) * fit_intercept

    starts = list(range(0, len(X), batch_size))
    count, thetas = max(1, round(inner * len(starts))), []
    for _ in range(epochs):
        anchor, path = (w, c), []
        full = gradient(*anchor, slice(None))
        for first in starts[:count]:
            B = slice(first, first + batch_size)
            new, old = gradient(w, c, B), gradient(*anchor, B)
            w = w - eta * (new[0] - old[0] + full[0]) @ P
            c = c - eta * (new[1] - old[1] + full[1])
            path.append((w, c))
        if average:
            later = path[count // 2 :]
            w, c = (sum(part) / len(later) for part in zip(*later, strict=True))
        thetas.append(np.column_stack([w, c - w @ centre]))
    return thetas


def cg_twin(problem, kind, epochs):
    """θ (k, d + 1) after each epoch of conjugate gradients, by the Hessian itself."""
    X, s = problem.X, problem.weights
    centre, P = scaled(X, s, problem.alpha, problem.fit_intercept, kind)
    Z = np.column_stack([X - centre, np.full(len(X), float(problem.fit_intercept))])
    H = (Z.T * s) @ Z / len(X) + np.diag(problem.penalty)
    aim = (Z.T * s) @ problem.targets / len(X)
    whole = np.eye(len(H))
    whole[:-1, :-1] = P
    theta, p, before = np.zeros_like(aim), None, None
    thetas = []
    for _ in range(epochs):
        for o in range(theta.shape[1]):
            g = H @ theta[:, o] - aim[:, o]
            if o == 0:
                ps, gs = [], []
            if np.linalg.norm(g) <= 1e-9 * np.linalg.norm(aim):  # arrived
                ps.append(0 * g)
                gs.append(g)
                continue
            if p is None:
                direction = -whole @ g
            else:
                beta = g @ whole @ g / (before[o] @ whole @ before[o])
                direction = beta * p[o] - whole @ g
            step = -(g @ direction) / (direction @ H @ direction)
            theta[:, o] += step * direction
            ps.append(direction)
            gs.append(g)
        p, before = ps, gs
        w, c = theta[:-1].T, theta[-1]
        thetas.append(np.column_stack([w, c - w @ centre]))
    return thetas


class StreamTwin:
    """`Stream` of dense rows of one output: every chunk solved as its docstring says."""

    def __init__(self, d, alpha=0.0, fit_intercept=True):
        self.alpha, self.fit_intercept, self.noise = alpha, fit_intercept, 1.0
        self.w, self.c, self.D = np.zeros(d), 0.0, np.zeros(d + 1)
        self.centre, self.squares, self.start = np.zeros(d), np.zeros(d), np.zeros(d)
        self.total, self.rows, self.sums = 0.0, 0, np.zeros(2)
        self.unit = None

    def partial_fit(self, X, y, weights=None):
        n, d = X.shape
        s = np.ones(n) if weights is None else weights
        self.unit = self.unit or s.mean()
        s = s / self.unit
        seen, total = self.total, self.total + s.sum()
        mean = s @ X / s.sum()
        old = self.centre
        if self.fit_intercept:
            self.centre = old + s.sum() / total * (mean - old)
        Z = X - self.centre
        added = s @ Z**2
        added[np.sqrt(added / s.sum()) <= 1e-13 * np.abs(self.centre)] = 0.0
        self.rows, self.total, self.squares = self.rows + n, total, self.squares + added
        start = d * self.squares / self.rows
        before, self.D[:-1] = self.D[:-1].copy(), self.D[:-1] + start - self.start
        self.start, known = start, self.D[:-1] > 0
        self.w[known] *= np.minimum(1.0, before[known] / self.D[:-1][known])
        self.c += self.w @ (self.centre - old)
        middle = s @ y / s.sum()
        step = middle - self.sums[0]
        self.sums[0] += s.sum() / total * step
        self.sums[1] += s @ (y - middle) ** 2 + seen * s.sum() / total * step**2
        if not seen:
            self.c = middle * self.fit_intercept
        variance = self.sums[1] / total + (not self.fit_intercept) * self.sums[0] ** 2
        variance = variance or self.sums[0] ** 2
        latest = (s @ (Z @ self.w + self.c - y) ** 2) / n / variance
        latest = latest if seen else 1.0
        past = min(total - n, 100)
        self.noise = (past * self.noise + n * latest) / (past + n)
        omega = 1.0 / max(self.noise, latest, 1e-12)
        A = np.column_stack([Z, np.full(n, float(self.fit_intercept))])
        theta = np.append(self.w, self.c)
        ridge = self.alpha * np.append(np.ones(d), 0.0)
        H = (A.T * s) @ A / n + np.diag(self.D / (omega * n) + ridge)
        g = A.T @ (s * (A @ theta - y)) / n + ridge * theta
        theta = theta - np.linalg.pinv(H, rcond=1e-13, hermitian=True) @ g
        self.w, self.c = theta[:-1], theta[-1]
        self.D += omega * np.append(added + self.alpha * n * (added > 0), n)
        return self

    def predict(self, X):
        return (X - self.centre) @ self.w + self.c
