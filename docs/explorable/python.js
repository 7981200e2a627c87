"use strict";
/* The same run as Python: code for sgdreg that ends with the page's numbers. */
const python = (() => {
  const OPTIMIZERS = { momentum: "Momentum", nesterov: "Nesterov" };

  const list = (values) => `[${values.join(", ")}]`;

  /** A list that is wrapped at some 88 characters. */
  function wrapped(name, items) {
    const lines = [];
    for (const item of items) {
      const last = lines.length - 1;
      const longer = last < 0 ? "" : `${lines[last]} ${item},`;
      if (longer && longer.length <= 84) lines[last] = longer;
      else lines.push(`${item},`);
    }
    const one = `${name} = np.array([${items.join(", ")}])`;
    return one.length <= 88 ? one : `${name} = np.array([\n    ${lines.join("\n    ")}\n])`;
  }

  /** The schedule as an object of sgdreg.schedules, and its name there. */
  function schedule({ eta, schedule: kind, power, every, epochs }, perEpoch) {
    const steps = epochs * perEpoch;
    return {
      constant: [null, `${eta}`],
      invscaling: ["InvScaling", `InvScaling(${eta}, power_t=${power})`],
      stepdecay: ["StepDecay", `StepDecay(${eta}, factor=0.5, every=${every * perEpoch})`],
      cosine: ["Cosine", `Cosine(${eta}, steps=${steps})`],
      linear: ["Polynomial", `Polynomial(${eta}, steps=${steps})`],
    }[kind];
  }

  const SHUFFLE = `

def shuffled(n, seed, epoch):  # the page's own generator, for the same order
    state = ((seed + 1) * 0x9E3779B1 ^ epoch * 0x85EBCA6B) % 2**32
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        state = (1664525 * state + 1013904223) % 2**32
        j = state * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return order

`;

  /** The calls that train: one of fit, or one of partial_fit an epoch (a block). */
  function training(r) {
    const { settings: s, problem, perEpoch } = r;
    const size = sgd.batchSize(problem.n, s);
    const start = sgd.startOf(s, problem.d).theta;
    const moved = start.some((v) => v !== 0);
    const init = moved
      ? `, coef_init=${list(start.slice(0, -1))}, intercept_init=${start[problem.d]}`
      : "";
    if (perEpoch === 1 || s.shuffle === "off") return { epochs: s.epochs, code: `model.fit(X, y${init})` };
    const parts =
      s.shuffle === "rows"
        ? [`orders = [shuffled(${problem.n}, ${s.seed}, epoch) for epoch in range(1, ${s.epochs + 1})]`]
        : [
            `blocks = np.split(np.arange(${problem.n}), range(${size}, ${problem.n}, ${size}))`,
            `orders = [
    blocks[k]
    for epoch in range(1, ${s.epochs + 1})
    for k in shuffled(${perEpoch}, ${s.seed}, epoch)
]`,
          ];
    if (moved) parts.push("first = orders.pop(0)", `model.fit(X[first], y[first]${init})`);
    parts.push("for rows in orders:", "    model.partial_fit(X[rows], y[rows])");
    return { epochs: 1, code: parts.join("\n"), define: SHUFFLE };
  }

  /** What `model` is made with. */
  function parameters(r, epochs) {
    const { settings: s, problem } = r;
    const size = sgd.batchSize(problem.n, s);
    const full = size === problem.n || s.shuffle === "blocks";
    const own = OPTIMIZERS[s.optimizer];
    return [
      own ? `optimizer=${own}(${s.momentum})` : `optimizer="${s.optimizer}"`,
      `learning_rate=${schedule(s, r.perEpoch)[1]}`,
      `batch_size=${full ? '"full"' : size}`,
      `max_iter=${epochs}`,
      "tol=None",
      "shuffle=False",
    ];
  }

  function code(r) {
    const { settings: s, problem } = r;
    const auto = s.optimizer === "auto";
    const own = OPTIMIZERS[s.optimizer];
    const [plan] = schedule(s, r.perEpoch);
    const { epochs, code: train, define } = auto
      ? { code: "model.fit(X, y)" }
      : training(r);
    const scaled = s.scaling === "standardised";
    const lines = [
      "import numpy as np",
      ...(scaled ? ["from sklearn.preprocessing import StandardScaler", ""] : [""]),
      "from sgdreg import SGDLinearRegressor",
      ...(!auto && own ? [`from sgdreg.optimizers import ${own}`] : []),
      ...(!auto && plan ? [`from sgdreg.schedules import ${plan}`] : []),
      ...(define ? [define] : [""]),
      wrapped("X", problem.raw.map(list)),
      wrapped("y", problem.y),
      ...(scaled ? ["X = StandardScaler().fit_transform(X)"] : []),
      ...(auto
        ? ["model = SGDLinearRegressor()  # no knobs"]
        : ["model = SGDLinearRegressor(", ...parameters(r, epochs).map((p) => `    ${p},`), ")"]),
      train,
      "print(model.coef_, model.intercept_)",
    ];
    return `${lines.join("\n")}\n`;
  }

  return { code };
})();
