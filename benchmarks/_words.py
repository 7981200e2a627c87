"""Words in the tables."""


def met(value, floor=None, limit=None):
    """Whether a number is at least `floor`, or at most `limit`, as a word."""
    good = value >= floor if floor is not None else value <= limit
    return "met" if good else "MISSED"


def notes(model, share=None):
    """Passes, epochs and curvature of a fit, as SGDLinearRegressor reports them."""
    history, plan = model.history_, model.plan_
    words = []
    if history and history[-1].get("passes") is not None:
        words.append(f"passes {history[-1]['passes']:.3g}")
    words.append(f"epochs {model.n_iter_}")
    if "curvature" in plan.slots["metric"]:
        words.append(f"curvature of {plan.rows if plan.sampled else 'all'} rows")
    if share is not None:
        words.append(f"{share:.0%} of memory bandwidth")
    if not model.converged_:
        words.append("NOT CONVERGED")
    return ", ".join(words)


def chosen(only, tables, parser):
    """The tables named in `only`, with commas; an error of the parser for others."""
    names = only.split(",")
    if unknown := set(names) - set(tables):
        parser.error(
            f"no table {', '.join(sorted(unknown))}: choose of {', '.join(tables)}"
        )
    return names
