"""The picture of a fit: its line, or its predictions and its convergence."""

from functools import partial
from pathlib import Path

from sgdreg import TrajectoryRecorder
from sgdreg._persistence.files import replaced
from sgdreg.cli._messages import Unusable
from sgdreg.cli._output import check_writable

ENDINGS = (".png", ".pdf", ".svg")
# Inches of a panel, and dots per inch: 900 × 675 pixels.
SIZE, DPI = (6.0, 4.5), 150


def check(path):
    """Raise before the fit where its picture could not be drawn."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise Unusable(f"--plot {path} must end with {', '.join(ENDINGS)}.")
    check_writable(path, "--plot")
    try:
        import matplotlib  # noqa: F401, PLC0415 (optional)
    except ImportError:
        raise Unusable(
            "--plot draws with matplotlib: pip install 'sgdreg[plot]'."
        ) from None


def recorders(wanted):
    """Callbacks that keep the lines of earlier epochs; none where they are not drawn."""
    return [TrajectoryRecorder()] if len(wanted.features) == 1 else []


def draw(path, model, wanted, rows, watchers):
    """Draw the picture.

    Parameters
    ----------
    rows : FileRows or None
        The rows of the fit; None where they were streamed.
    watchers : list
        The callbacks that `recorders` returned.
    """
    # Slow to import; without pyplot, which would need a display.
    from matplotlib.figure import Figure  # noqa: PLC0415

    panels = list(_panels(model, wanted, rows, watchers))
    width, height = SIZE
    figure = Figure(figsize=(width * len(panels), height), layout="constrained")
    axes = figure.subplots(ncols=len(panels), squeeze=False)[0]
    for panel, ax in zip(panels, axes, strict=True):
        panel(ax=ax)
    with replaced(path) as file:
        figure.savefig(file, format=Path(path).suffix[1:].lower(), dpi=DPI)


def _panels(model, wanted, rows, watchers):
    """Yield the function that draws each panel."""
    from sklearn.metrics import PredictionErrorDisplay  # noqa: PLC0415

    from sgdreg.display import ConvergenceDisplay, FitDisplay  # noqa: PLC0415

    if rows is not None and len(wanted.features) == 1:
        names = {"feature_name": wanted.names[0], "target_name": wanted.target}
        yield partial(
            FitDisplay.from_estimator,
            model,
            rows.X,
            rows.y,
            trajectory=watchers[0],
            **names,
        )
        return
    if rows is not None:
        yield partial(
            PredictionErrorDisplay.from_predictions,
            rows.y,
            model.predict(rows.X),
            kind="actual_vs_predicted",
            random_state=0,
        )
    if rows is None or len(model.history_) > 1:
        yield partial(ConvergenceDisplay.from_estimator, model)
