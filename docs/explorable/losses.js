"use strict";
/* The picture of the losses: the objective and each batch's loss, against epochs. */
const lossPicture = (() => {
  const MOST_POINTS = 1200;
  // Values below this share of the largest are only rounding errors: the logarithmic axis ends.
  const LOWEST = 1e-16;
  // If the least-squares loss is below this share of the largest, it is only rounding errors.
  const ROUNDING = 1e-12;
  // The axis ends at this multiple of the objective: higher batch losses leave the picture.
  const SPIKE = 3;
  // Losses of the run before that are this many times as high do not extend the axis.
  const FAR = 10;

  /** At most MOST_POINTS points, evenly spaced, and the last one. */
  function thinned(points) {
    const every = Math.ceil(points.length / MOST_POINTS);
    return points.filter((_, i) => i % every === 0 || i === points.length - 1);
  }

  const largest = (values) => values.reduce((a, b) => (b > a && b < Infinity ? b : a), 0);
  const smallest = (values) => values.reduce((a, b) => (b > 0 && b < a ? b : a), Infinity);

  /** The range of losses: from zero, or (logarithms) from the least above zero. */
  function rangeOf(values, log) {
    const top = largest(values) || 1;
    if (!log) return [0, top * 1.05];
    const low = Math.max(Math.min(smallest(values), top / 10), top * LOWEST);
    return [low / 1.5, top * 1.5];
  }

  function draw(element, r, ghost) {
    const log = r.settings.log === "on";
    const { least } = r.bowl;
    const objective = r.states.map((s) => [s.t / r.perEpoch, s.objective]);
    const noisy = r.perEpoch > 1 ? r.steps.map((s) => [(s.t - 1) / r.perEpoch, s.loss]) : [];
    const before = ghost || [];
    const end = Math.max(1, (r.steps.length / r.perEpoch) * 1.03);
    const own = objective.map(([, v]) => v);
    const all = [...own, ...before.map(([, v]) => v).filter((v) => v <= FAR * largest(own))];
    if (least > ROUNDING * largest(all)) all.push(least);
    const y = rangeOf([...all, Math.min(largest(noisy.map(([, v]) => v)), SPIKE * largest(all))], log);
    const frame = svg.frame(element, { x: [0, end], y, logY: log, left: 58 });
    const place = ([x, v]) => [frame.x(x), frame.y(log ? Math.max(v, y[0]) : v)];
    const curve = (points, kind) => svg.path(thinned(points).map(place), kind);
    const bottom = frame.y(Math.max(least, y[0]));
    element.querySelector(".plot").innerHTML =
      svg.axes(frame, ["epochs", log ? "loss, by powers of ten" : "loss"]) +
      svg.inside(
        frame,
        "loss-clip",
        svg.line(frame.edge.left, bottom, frame.edge.right, bottom, "optimum-line") +
          curve(before, "ghost") +
          svg.cloud(thinned(noisy).filter(([, v]) => v >= y[0]).map(place), "batch-loss") +
          curve(objective, "objective") +
          svg.dot(...place(objective[objective.length - 1]), 4.5, "here"),
      );
  }

  return { draw };
})();
