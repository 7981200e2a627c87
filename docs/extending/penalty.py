"""A custom penalty: the group lasso."""

# [class]
import numpy as np

from sgdreg.penalties import Penalty


class GroupLasso(Penalty):
    """alpha · Σ_G √|G| ‖w_G‖: the coefficients of a group G become zero together.

    M. Yuan, Y. Lin, "Model selection and estimation in regression with grouped
    variables", Journal of the Royal Statistical Society B 68 (2006).
    """

    def __init__(self, groups, alpha=1e-4):
        self.groups = groups  # for each feature the number of its group, from 0
        self.alpha = alpha

    def _sizes(self, coef):
        """√|G| and ‖w_G‖ of each group."""
        squares = np.bincount(self.groups, np.square(coef))
        return np.sqrt(np.bincount(self.groups)), np.sqrt(squares)

    # [value]
    def value(self, coef):
        roots, norms = self._sizes(coef)
        return self.alpha * np.sum(roots * norms)

    # [prox]
    def prox(self, coef, step):
        roots, norms = self._sizes(coef)
        shorter = np.maximum(norms - step * self.alpha * roots, 0.0)
        share = np.divide(shorter, norms, out=np.zeros_like(norms), where=norms > 0)
        return coef * share[self.groups]


# [end]
