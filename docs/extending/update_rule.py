"""A custom update rule: quasi-hyperbolic momentum."""

# [class]
from sgdreg.optimizers import Optimizer


class QHM(Optimizer):
    """m <- beta m + (1 - beta) g;  w <- w - eta ((1 - share) g + share m).

    J. Ma, D. Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", ICLR 2019.
    share=0 is sgd; share=1 is momentum and share=beta is Nesterov's momentum, both with
    steps of eta (1 - beta).
    """

    slots = 1

    def __init__(self, beta=0.9, share=0.7):
        self.beta = beta
        self.share = share

    # [step]
    def direction(self, gradient, memory, t):
        memory[0] = self.beta * memory[0] + (1 - self.beta) * gradient
        return (1 - self.share) * gradient + self.share * memory[0]


# [end]
