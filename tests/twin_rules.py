"""What the twin's steps are made of: losses, penalties, update rules, averages.

A rule is a dict: its "kind", a name of `optimizer=`, and its parameters by their names.
"""

import numpy as np

# With r = p - y: name -> L and dL/dp of (r, epsilon, quantile), 0 at a kink.
LOSSES = {
    "squared_error": (
        lambda r, epsilon, quantile: 0.5 * r**2,
        lambda r, epsilon, quantile: r,
    ),
    "huber": (
        lambda r, epsilon, quantile: np.where(
            np.abs(r) <= epsilon, 0.5 * r**2, epsilon * np.abs(r) - 0.5 * epsilon**2
        ),
        lambda r, epsilon, quantile: np.clip(r, -epsilon, epsilon),
    ),
    "absolute_error": (
        lambda r, epsilon, quantile: np.abs(r),
        lambda r, epsilon, quantile: np.sign(r),
    ),
    "quantile": (
        lambda r, epsilon, quantile: np.where(r < 0, -quantile * r, (1 - quantile) * r),
        lambda r, epsilon, quantile: np.where(r < 0, -quantile, (1 - quantile) * (r > 0)),
    ),
    "epsilon_insensitive": (
        lambda r, epsilon, quantile: np.maximum(0, np.abs(r) - epsilon),
        lambda r, epsilon, quantile: np.sign(r) * (np.abs(r) > epsilon),
    ),
    "squared_epsilon_insensitive": (
        lambda r, epsilon, quantile: np.maximum(0, np.abs(r) - epsilon) ** 2,
        lambda r, epsilon, quantile: 2 * np.sign(r) * np.maximum(0, np.abs(r) - epsilon),
    ),
}


def loss_functions(loss, epsilon, quantile, mutation=None):
    """L(r) and dL/dr."""
    value, slope = LOSSES[loss]
    if mutation == "huber slope" and loss == "huber":
        slope = LOSSES["squared_error"][1]
    if mutation == "quantile mirrored":
        quantile = 1 - quantile
    if mutation == "dead zone ignored" and loss != "huber":
        epsilon = 0.0
    return (lambda r: value(r, epsilon, quantile)), (lambda r: slope(r, epsilon, quantile))


def penalty_weights(penalty, alpha, l1_ratio, mutation=None):
    """(a, b) of the penalty a ‖w‖₁ + b ½‖w‖²."""
    if mutation == "l1_ratio inverted":
        l1_ratio = 1 - l1_ratio
    share = {None: (0.0, 0.0), "l2": (0.0, 1.0), "l1": (1.0, 0.0)}
    share["elasticnet"] = (l1_ratio, 1 - l1_ratio)
    return alpha * share[penalty][0], alpha * share[penalty][1]


class Steps:
    """θ <- step(θ, g, eta), the coefficients' proximal step for `l1` and `positive` in it.

    θ is (k, d + 1), the intercept last; everything kept between steps starts at zero.
    """

    def __init__(self, rule, shape, l1=0.0, positive=False, mutation=None):
        self.rule = {"momentum": 0.0, **rule}
        self.l1, self.positive, self.mutation = l1, positive, mutation
        self.coefficients = np.arange(shape[1]) < shape[1] - 1  # not the intercept
        self.t, self.v, self.m = 0, np.zeros(shape), np.zeros(shape)
        self.s = np.full(shape, self.rule.get("initial", 0.0))

    def __call__(self, theta, g, eta):
        self.t += 1
        decay = self.rule.get("weight_decay", 0.0) * self.coefficients
        if self.mutation == "coupled weight decay":
            g, decay = g + decay * theta, 0.0
        scale = 1.0 / self.root(g)
        if self.rule["kind"] == "adam":
            m, _ = self.moments()
            return self.proximal(theta - eta * decay * theta, m * scale, eta, scale)
        if self.rule["momentum"]:
            return self.moving_on(theta, g * scale, eta, scale)
        return self.proximal(theta, g * scale, eta, scale)

    def root(self, g):
        """What the rule divides g by, g being the newest."""
        rule, kind, square = self.rule, self.rule["kind"], g**2
        if kind == "adagrad":
            self.s = self.s + square
            if self.mutation == "adagrad without root":
                return self.s + rule["epsilon"]
            return np.sqrt(self.s) + rule["epsilon"]
        if kind == "rmsprop":
            new = 1.0 if self.mutation == "rmsprop sum for mean" else 1 - rule["rho"]
            self.s = rule["rho"] * self.s + new * square
            return np.sqrt(self.s) + rule["epsilon"]
        if kind == "adam":
            self.m = rule["beta_1"] * self.m + (1 - rule["beta_1"]) * g
            self.s = rule["beta_2"] * self.s + (1 - rule["beta_2"]) * square
            _, s = self.moments()
            if self.mutation == "adam epsilon inside root":
                return np.sqrt(s + rule["epsilon"])
            return np.sqrt(s) + rule["epsilon"]
        return np.ones(g.shape)

    def moments(self):
        """Adam's m and s without the bias of having started at zero."""
        if self.mutation == "no bias correction":
            return self.m, self.s
        return (
            self.m / (1 - self.rule["beta_1"] ** self.t),
            self.s / (1 - self.rule["beta_2"] ** self.t),
        )

    def shrunk(self, z, eta, scale):
        """The proximal step alone."""
        if self.mutation == "prox without step size":
            eta = 1.0
        if self.mutation == "prox without scale":
            scale = 1.0
        shrunk = np.sign(z) * np.maximum(0, np.abs(z) - eta * self.l1 * scale)
        if self.positive:
            shrunk = np.maximum(0, shrunk)
        if self.mutation == "prox on intercept":
            return shrunk
        return np.where(self.coefficients, shrunk, z)

    def proximal(self, theta, direction, eta, scale):
        if self.mutation == "prox before step":
            return self.shrunk(theta, eta, scale) - eta * direction
        return self.shrunk(theta - eta * direction, eta, scale)

    def moving_on(self, theta, direction, eta, scale):
        """Momentum: the heavy ball, or Nesterov's, whose θ is the point ahead."""
        mu, nesterov = self.rule["momentum"], self.rule["kind"] == "nesterov"
        if self.mutation == "nesterov as momentum":
            nesterov = False
        if self.mutation == "momentum as nesterov":
            nesterov = True
        if self.mutation == "velocity with step":
            self.v = mu * self.v + eta * direction
            return theta - (eta * direction + mu * self.v if nesterov else self.v)
        if not (self.l1 or self.positive):
            self.v = mu * self.v + direction
            return theta - eta * (direction + mu * self.v if nesterov else self.v)
        # The velocity is what the proximal step has left of the move: with the one before
        # it, the fixed point would not be the optimum.
        if nesterov:
            x = theta + eta * mu * self.v
            stepped = self.proximal(theta, direction, eta, scale)
            self.v = (x - stepped) / eta
            return stepped - eta * mu * self.v
        stepped = self.proximal(theta, mu * self.v + direction, eta, scale)
        self.v = (theta - stepped) / eta
        return stepped


class Average:
    """The model: the last θ, or a mean of them.

    `average` as of the estimator: False (None), True, the first step, "tail", or the
    factor by which older steps fade.
    """

    def __init__(self, average, mutation=None):
        self.average, self.total, self.count = average, 0.0, 0.0
        self.first, self.window = 1, (0.0, 0.0)
        if isinstance(average, int) and not isinstance(average, bool):
            self.first = average
        if mutation == "average one late":
            self.first += 1

    def begin_epoch(self, epochs):
        """`epochs`: how many are over. "tail" forgets all but the latest window of epochs
        after 0, 1, 2, 4, 8, …: it holds the latest half of them at least.
        """
        if self.average == "tail" and epochs in (0, 1, 2, 4, 8, 16):
            self.window = self.total, self.count
            self.total, self.count = 0.0, 0.0

    def add(self, theta, t):
        if self.average in (None, False) or t < self.first:
            return
        fade = self.average if isinstance(self.average, float) else 1.0
        self.total, self.count = fade * self.total + theta, fade * self.count + 1

    def model(self, theta):
        total, count = self.total + self.window[0], self.count + self.window[1]
        return total / count if self.count else theta
