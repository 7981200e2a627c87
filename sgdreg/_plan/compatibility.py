"""Errors for choices in two slots that do not go with each other."""

from sgdreg.losses import is_squared, made_of_hinges

LOSSES = {
    "squared": "the squared error",
    "modelled": "smooth losses and the named ones",
    "any": "any loss",
}
# From the narrowest kind to the widest (`AppliedPenalty.kind`).
PENALTIES = {
    "l2": "an l2 penalty or none",
    "norms": "the penalties l1, l2, elasticnet and positive=True",
    "any": "any penalty",
}


def refuse_mismatch(optimizer, loss, penalty):
    """Raise where an optimizer does not serve this loss or penalty.

    Its class declares the losses and penalties that it serves (`optimizers._base.Serves`).
    """
    serves, lacking, kinds = optimizer.serves, None, list(PENALTIES)
    losses, penalties = LOSSES[serves.losses], serves.penalties
    if not _serves_loss(serves, loss):
        lacking = f"loss={loss!r}"
    elif kinds.index(penalty.kind) > kinds.index(penalties):
        lacking = f"penalty={penalty}" if penalty.is_custom else f"the penalty {penalty}"
        if penalty.positive and not (penalty.l1 or penalty.is_custom):
            lacking = "positive=True"
    if lacking:
        raise ValueError(
            f"{optimizer!r} serves {losses} with {PENALTIES[penalties]}, and not "
            f"{lacking}. Use optimizer='auto', or 'sgd', 'momentum' or 'svrg'."
        )
    if penalty.proximal:
        _refuse_proximal(optimizer, penalty)


def _serves_loss(serves, loss):
    """Whether an optimizer serves a loss, whatever the penalty."""
    if serves.losses == "squared":
        return is_squared(loss)
    modelled = loss.smoothness is not None or made_of_hinges(loss)
    return modelled or serves.losses == "any"


def _refuse_proximal(optimizer, penalty):
    """Raise where an update rule has no proximal step for a penalty."""
    if optimizer.nesterov and (penalty.positive or penalty.is_custom):
        name = f"penalty={penalty}" if penalty.is_custom else "positive=True"
        raise ValueError(
            f"{name} does not go with {optimizer!r}, whose weights are a look ahead, "
            "beyond the proximal step: use Momentum."
        )
    if not penalty.separable and optimizer.kind not in ("plain", "custom"):
        raise ValueError(
            f"{optimizer!r} steps by a different length along each coefficient, for which "
            f"penalty={penalty} has no proximal step: use 'sgd', 'momentum' or 'svrg'. "
            "(If the penalty is a sum over the coefficients, set separable = True in its "
            "class.)"
        )
    if optimizer.metric == "sketch" and not optimizer.finds_steps:
        raise ValueError(
            "metric='sketch' mixes the coefficients, so that l1, positive=True and "
            "custom penalties cannot act on each of them alone: use metric='diagonal' or "
            "None."
        )


def refuse_stream(penalty):
    """Raise for a custom penalty where the steps of a stream are automatic.

    Such steps go to the optimum for the rows so far, or near it, for which there is no
    method with a custom penalty; and few rows do not show which gradient step is stable.
    """
    if penalty.is_custom:
        raise ValueError(
            f"partial_fit chooses no steps for penalty={penalty}: pass a "
            "learning_rate (a number or a schedule) for proximal steps, or use fit."
        )


def refuse_idle_settings(settings, optimizer, automatic):
    """Raise for settings that have no meaning for solvers which find steps on all rows.

    Streams ("auto") may be cut into batches.
    """
    for name, idle in (("learning_rate", "auto"), ("batch_size", "auto")):
        value = getattr(settings, name)
        if value not in (idle, "full") and not automatic:
            raise ValueError(
                f"{name}={value!r} does not go with {optimizer!r}, which uses all rows for "
                f"each step and finds its size itself: leave it at {idle!r}."
            )
    if settings.average not in ("auto", False):
        raise ValueError(
            f"average={settings.average!r} does not go with {optimizer!r}, whose last "
            "weights are its best: leave it at 'auto'."
        )
