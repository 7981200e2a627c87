"""The slow, obvious twin of the compiled pass: one textbook line a line.

`mutation` changes one line into a plausible mistake; the suite must tell every mutant
from the original (test_mutants.py).
"""

import numpy as np

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
    average : int or None
        The step from which on the weights are averaged.
    start : ndarray of shape (k, d + 1) or None
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float).reshape(len(y), -1)
    k, d = y.shape[1], X.shape[1]
    w, b = np.zeros((k, d)), np.zeros(k)
    if start is not None:
        w, b = start[:, :-1].copy(), start[:, -1].copy()
    vw, vb, aw, ab, count = np.zeros((k, d)), np.zeros(k), np.zeros((k, d)), np.zeros(k), 0
    s = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    rows = np.arange(len(X))
    if mutation != "zero weight steps":
        rows = rows[s > 0]
    s = s / s[rows].mean()
    if mutation == "weights ignored":
        s = np.ones(len(X))
    if nesterov and mutation == "nesterov as momentum":
        nesterov = False
    if momentum and mutation == "momentum as nesterov":
        nesterov = True
    learn_b = fit_intercept and mutation != "intercept fixed"
    learn_b = learn_b or mutation == "intercept learned"
    t, thetas, losses, order = 0, [], [], None
    for _ in range(epochs):
        if order is None or mutation != "same order every epoch":
            many = len(rows) > batch_size and shuffle and mutation != "unshuffled"
            order = rng.permutation(rows) if many else rows
        total, decay = 0.0, 0.5 * alpha * np.sum(w**2)
        for first in range(0, len(order), batch_size):
            B = order[first : first + batch_size]
            if len(B) < batch_size and first and mutation == "dropped last batch":
                continue
            t += 1
            step = eta(t + 1) if mutation == "t off by one" else eta(t)
            share = s[B]
            if mutation == "weights normalised by batch":
                share = share * len(B) / share.sum()
            r = X[B] @ w.T + b - y[B]
            if mutation == "late residual":
                for i in range(1, len(B)):
                    past = step / len(B) * (r[:i] * share[:i, None])
                    r[i] -= X[B[i]] @ (past.T @ X[B[:i]]).T
            total += 0.5 * float((share[:, None] * r**2).sum())
            r = share[:, None] * r
            mean = 1.0 if mutation == "sum for mean" else 1.0 / len(B)
            gw, gb = mean * (r.T @ X[B]), mean * r.sum(axis=0)
            if mutation == "no factor":
                gw, gb = 2 * gw, 2 * gb
            if mutation == "intercept shared":
                gb = np.full(k, gb[0])
            if mutation == "wrong sign":
                gw, gb = -gw, -gb
            if mutation == "decay after step":
                gw = gw + alpha * (w - step * gw)
            elif mutation != "no penalty":
                gw = gw + alpha * w
            if mutation == "penalised intercept":
                gb = gb + alpha * b
            if not learn_b:
                gb = np.zeros(k)
            before = w.copy(), b.copy()
            if momentum and mutation == "velocity with step":
                vw, vb = momentum * vw + step * gw, momentum * vb + step * gb
                ahead = momentum if nesterov else 0.0
                own = step if nesterov else 0.0
                keep = ahead if nesterov else 1.0
                w, b = w - own * gw - keep * vw, b - own * gb - keep * vb
            elif momentum:
                vw, vb = momentum * vw + gw, momentum * vb + gb
                if nesterov:
                    w, b = w - step * (gw + momentum * vw), b - step * (gb + momentum * vb)
                else:
                    w, b = w - step * vw, b - step * vb
            else:
                w, b = w - step * gw, b - step * gb
            late = 1 if mutation == "average one late" else 0
            if average is not None and t >= average + late:
                seen = before if mutation == "average before step" else (w, b)
                aw, ab, count = aw + seen[0], ab + seen[1], count + 1
        mw, mb = (aw / count, ab / count) if count else (w, b)
        thetas.append(np.column_stack([mw, mb]))
        losses.append(total / len(rows) + decay)
    return thetas, losses
