"""Golden trajectories: PyTorch's optimisers, in float64, on a small problem.

Run by hand where PyTorch is installed, from the root of the repository:

    python tests/golden/make.py

It writes torch.json, next to it: the problem, the settings of each case, and [w, b] after
every epoch, every digit of it. test_golden.py compares our steps with these numbers.
PyTorch's own rules are used throughout, and its autograd for the gradients; what it does
not have (an unpenalised intercept, weights) is asked for in its own terms: by parameter
groups, and by the loss that is differentiated.
"""

import json
from pathlib import Path

import torch

FILE = Path(__file__).with_name("torch.json")
EPOCHS, BATCH_SIZE = 4, 5

# Names and parameters are those of sgdreg.optimizers; `torch_optimizer` translates.
RULES = {
    "sgd": {"kind": "sgd"},
    "momentum": {"kind": "momentum", "momentum": 0.9},
    "nesterov": {"kind": "nesterov", "momentum": 0.8},
    "adagrad": {"kind": "adagrad", "epsilon": 1e-10, "initial": 0.0},
    "adagrad, initial": {"kind": "adagrad", "epsilon": 1e-3, "initial": 0.5},
    "rmsprop": {"kind": "rmsprop", "rho": 0.99, "momentum": 0.0, "epsilon": 1e-8},
    "rmsprop, momentum": {"kind": "rmsprop", "rho": 0.9, "momentum": 0.7, "epsilon": 1e-2},
    "adam": {
        "kind": "adam",
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.0,
    },
    "adam, others": {
        "kind": "adam",
        "beta_1": 0.7,
        "beta_2": 0.8,
        "epsilon": 1e-2,
        "weight_decay": 0.0,
    },
    "adamw": {
        "kind": "adam",
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.5,
    },
}
FIRST_STEP = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.03, "adagrad": 0.3}

# What a case has where it says nothing else.
PLAIN = {
    "loss": "squared_error",
    "epsilon": 0.1,
    "alpha": 0.0,  # of penalty="l2"
    "power_t": 0.0,  # eta0 / t^power_t
    "fit_intercept": True,
    "weighted": False,
}
L2, DECREASING = {"alpha": 0.3}, {"power_t": 0.25}
HUBER = {"loss": "huber", "epsilon": 0.7}
L1_LOSS = {"loss": "absolute_error"}


def cases():
    """The settings of every case, by name."""
    variants = [("", {}), ("l2", L2), ("decreasing", DECREASING)]
    some = [
        ("huber", HUBER),
        ("huber, l2, decreasing", HUBER | L2 | DECREASING),
        ("l1 loss", L1_LOSS),
        ("l1 loss, l2, decreasing", L1_LOSS | L2 | DECREASING),
        ("no intercept", {"fit_intercept": False}),
        ("weighted", {"weighted": True}),
    ]
    found = {}
    for name, rule in RULES.items():
        for variant, settings in variants + (some if name in ("sgd", "adam") else []):
            case = {"rule": rule, "eta0": FIRST_STEP.get(rule["kind"], 0.05)}
            found[f"{name}; {variant}" if variant else name] = case | PLAIN | settings
    return found


def problem():
    """X, y and weights, in a few decimals."""
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(12, 3, generator=draw, dtype=torch.float64)
    X = (X * torch.tensor([1.0, 0.5, 2.0]) + torch.tensor([0.0, 1.0, 0.5])).round(
        decimals=2
    )
    y = X @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64) + 3.0
    y = (y + torch.randn(12, generator=draw, dtype=torch.float64)).round(decimals=2)
    weights = torch.arange(12) % 4 + 0.5
    return {"X": X.tolist(), "y": y.tolist(), "sample_weight": weights.tolist()}


def torch_optimizer(rule, parameters, eta0, alpha):
    """The optimiser of torch.optim, and the l2 penalty that is left for the loss."""
    w, b = parameters
    rule = dict(rule)
    kind, options = rule.pop("kind"), {"lr": eta0}
    decay, left = alpha, 0.0
    if kind in ("sgd", "momentum", "nesterov"):
        make = torch.optim.SGD
        options |= {"momentum": rule.pop("momentum", 0.0), "nesterov": kind == "nesterov"}
    elif kind == "adagrad":
        make = torch.optim.Adagrad
        options |= {"initial_accumulator_value": rule.pop("initial")}
    elif kind == "rmsprop":
        make = torch.optim.RMSprop
        options |= {"alpha": rule.pop("rho"), "momentum": rule.pop("momentum")}
    elif kind == "adam":
        make, decoupled = torch.optim.Adam, rule.pop("weight_decay")
        options |= {"betas": (rule.pop("beta_1"), rule.pop("beta_2"))}
        if decoupled:  # whose weight_decay is no l2 penalty
            make, decay, left = torch.optim.AdamW, decoupled, alpha
    if "epsilon" in rule:
        options |= {"eps": rule.pop("epsilon")}
    if rule:
        raise ValueError(f"PyTorch's {kind} has no {', '.join(rule)}.")
    groups = [{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0}]
    return make(groups, **options), left


def torch_trajectory(data, case, epochs=EPOCHS, batch_size=BATCH_SIZE):
    """[w, b] after every epoch, the mini-batches in the given order."""
    X, y, s = (
        torch.tensor(data[name], dtype=torch.float64)
        for name in ("X", "y", "sample_weight")
    )
    s = s / s.mean() if case["weighted"] else torch.ones_like(s)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=case["fit_intercept"])
    optimizer, alpha = torch_optimizer(case["rule"], (w, b), case["eta0"], case["alpha"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda before: 1.0 / (before + 1.0) ** case["power_t"]
    )
    loss = {
        "squared_error": lambda p, y: 0.5 * torch.nn.MSELoss(reduction="none")(p, y),
        "huber": torch.nn.HuberLoss(reduction="none", delta=case["epsilon"]),
        "absolute_error": torch.nn.L1Loss(reduction="none"),
    }[case["loss"]]
    path = []
    for _ in range(epochs):
        for first in range(0, len(X), batch_size):
            B = slice(first, first + batch_size)
            optimizer.zero_grad()
            cost = (s[B] * loss(X[B] @ w + b, y[B])).mean() + 0.5 * alpha * (w**2).sum()
            cost.backward()
            optimizer.step()
            schedule.step()
        path.append([*w.tolist(), b.item()])
    return path


def main():
    data = problem()
    lines = []
    for name, case in cases().items():
        solved = {**case, "path": torch_trajectory(data, case)}
        lines.append(f"{json.dumps(name)}: {json.dumps(solved)}")
    head = {"torch": torch.__version__.split("+")[0], "batch_size": BATCH_SIZE, **data}
    head = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()
    )
    text = "{\n" + head + ',\n"cases": {\n' + ",\n".join(lines) + "\n}\n}\n"
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
