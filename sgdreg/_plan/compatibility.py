"""Choices in two slots that do not go with each other."""

from sgdreg.losses import is_squared

LOSSES = {"squared": "the squared error", "any": "any loss"}
PENALTIES = {
    "l2": "an l2 penalty or none",
    "norms": "the penalties l1, l2, elasticnet and positive=True",
    "any": "any penalty",
}


def refuse_mismatch(optimizer, loss, penalty):
    """Raise where an optimizer does not serve this loss or penalty.

    What it serves its class declares (`optimizers._base.Serves`).
    """
    serves, lacking = optimizer.serves, None
    if serves.losses == "squared" and not is_squared(loss):
        lacking = f"loss={loss!r}"
    elif serves.penalties != "any" and penalty.custom is not None:
        lacking = f"penalty={penalty.custom!r}"
    elif serves.penalties == "l2" and penalty.proximal:
        lacking = f"the penalty {penalty}"
    if lacking:
        raise ValueError(
            f"{optimizer!r} serves {LOSSES[serves.losses]} with "
            f"{PENALTIES[serves.penalties]}, and not {lacking}. Use optimizer='auto', or "
            "'sgd', 'momentum' or 'svrg'."
        )
    if penalty.proximal:
        _refuse_proximal(optimizer, penalty)


def _refuse_proximal(optimizer, penalty):
    """Raise where an update rule has no proximal step for a penalty."""
    custom = penalty.custom
    if optimizer.nesterov and (penalty.positive or custom is not None):
        name = "positive=True" if custom is None else f"penalty={custom!r}"
        raise ValueError(
            f"{name} does not go with {optimizer!r}, whose weights are a look ahead, "
            "beyond the proximal step: use Momentum."
        )
    if custom and not custom.separable and optimizer.kind not in ("plain", "custom"):
        raise ValueError(
            f"{optimizer!r} steps by another length along each coefficient, for which "
            f"penalty={custom!r} has no proximal step: use 'sgd', 'momentum' or 'svrg'. "
            "(If the penalty is a sum over the coefficients, let its class say separable = "
            "True.)"
        )
    if optimizer.metric == "sketch" and not optimizer.finds_steps:
        raise ValueError(
            "metric='sketch' mixes the coefficients, so that l1, positive=True and "
            "custom penalties cannot act on each by itself: use metric='diagonal' or None."
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
