"""Choices in two slots that do not go with each other."""

from sgdreg import optimizers
from sgdreg.losses import is_squared


def refuse_mismatch(optimizer, loss, penalty):
    """Raise where an update rule cannot serve this loss or penalty."""
    squared = is_squared(loss)
    if type(optimizer) is optimizers.ConjugateGradient and (
        not squared or penalty.proximal
    ):
        what = f"loss={loss!r}" if not squared else f"penalty: {penalty}"
        raise ValueError(
            "Conjugate gradients minimise the squared error, with an l2 penalty or none, "
            f"not {what}. Use optimizer='auto'."
        )
    if penalty.custom is not None:
        _refuse_custom(optimizer, penalty.custom)
    if penalty.positive and optimizer.nesterov:
        raise ValueError(
            f"positive=True does not go with {optimizer!r}, whose weights are a look "
            "ahead, beyond the bound: use Momentum."
        )
    if penalty.proximal and optimizer.metric == "sketch":
        raise ValueError(
            "metric='sketch' mixes the coefficients, so that l1, positive=True and "
            "custom penalties cannot act on each by itself: use metric='diagonal' or None."
        )


def _refuse_custom(optimizer, penalty):
    """Raise where an update rule has no proximal step for a custom penalty."""
    if type(optimizer) is optimizers.InteriorPoint:
        raise ValueError(
            "The interior point knows the penalties l1, l2 and elasticnet, and not "
            f"penalty={penalty!r}. Use optimizer='auto', 'sgd', 'momentum' or 'svrg'."
        )
    if optimizer.nesterov:
        raise ValueError(
            f"penalty={penalty!r} does not go with {optimizer!r}, whose weights are a look "
            "ahead, beyond the proximal step: use Momentum."
        )
    if optimizer.kind not in ("plain", "own") and not penalty.separable:
        raise ValueError(
            f"{optimizer!r} steps by another length along each coefficient, for which "
            f"penalty={penalty!r} has no proximal step: use 'sgd', 'momentum' or 'svrg'. "
            "(If the penalty is a sum over the coefficients, let its class say separable = "
            "True.)"
        )


def refuse_stream(penalty):
    """Raise for a custom penalty where a stream's steps are to be chosen here.

    They are answers, of all rows so far or nearly so, which its prox does not lead to; and
    few rows do not tell how far a gradient step may go.
    """
    if penalty.custom is not None:
        raise ValueError(
            f"partial_fit chooses no steps for penalty={penalty.custom!r}: pass a "
            "learning_rate, a number or a schedule, whose proximal steps it then takes; or "
            "use fit."
        )


def refuse_idle_settings(settings, optimizer, automatic):
    """Raise for what rules that take all rows and find their steps have no use for.

    Streams ("auto") may be cut into batches.
    """
    for name, idle in (("learning_rate", "auto"), ("batch_size", "auto")):
        value = getattr(settings, name)
        if value not in (idle, "full") and not automatic:
            raise ValueError(
                f"{name}={value!r} does not go with {optimizer!r}, which steps on all rows "
                f"and finds each step's size itself: leave it at {idle!r}."
            )
    if settings.average not in ("auto", False):
        raise ValueError(
            f"average={settings.average!r} does not go with {optimizer!r}, whose last "
            "weights are its best: leave it at 'auto'."
        )
