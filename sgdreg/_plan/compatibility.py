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
    if penalty.positive and optimizer.nesterov:
        raise ValueError(
            f"positive=True does not go with {optimizer!r}, whose weights are a look "
            "ahead, beyond the bound: use Momentum."
        )
    if penalty.proximal and optimizer.metric == "sketch":
        raise ValueError(
            "metric='sketch' mixes the coefficients, so that l1 and positive=True cannot "
            "act on each by itself: use metric='diagonal' or None."
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
