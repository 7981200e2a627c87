"use strict";
/* The picture of the bowl: contours of the objective over two parameters, and the path.
 *
 * Least squares is a quadratic, so the contours are ellipses, drawn exactly and not from a
 * grid. Of three parameters, the one not shown has its least-squares value.
 */
const bowlPicture = (() => {
  const RATIO = 3; // each ring is three times as high as the next
  const MOST_RINGS = 22;
  const MOST_DOTS = 150;
  const RAY = 46;
  // Axes whose ranges differ by more than this factor have different units.
  const MOST_UNEQUAL = 5;

  /** Which parameters are shown: positions in theta, and their names. */
  function shown(r) {
    const { d } = r.problem;
    const { features } = data.labelsOf(r.settings.data);
    const names = d === 1 ? ["w", "b"] : ["w₁", "w₂", "b"];
    const places = d === 1 ? [0, 1] : { 12: [0, 1], "1b": [0, 2], "2b": [1, 2] }[r.settings.axes];
    const meaning = [...features.map((f) => (d === 1 ? `slope, of ${f}` : `of ${f}`)), "intercept"];
    return { places, names: places.map((j) => `${names[j]} (${meaning[j]})`), rest: d === 2 };
  }

  /** Half the ranges of both axes around the optimum: they hold the start and its contour. */
  function reach(r, places) {
    const { H, optimum, least } = r.bowl;
    const start = r.states[0];
    const height = Math.sqrt(2 * Math.max(start.objective - least, 0));
    return places.map((j) => {
      const own = height / Math.sqrt(H[j][j] || 1);
      return 1.25 * Math.max(Math.abs(start.theta[j] - optimum[j]), 0.5 * own) || 1;
    });
  }

  /** How often the ranges must be doubled to hold the whole path; at most six times. */
  function doublings(r, places, half) {
    let far = 1;
    for (const { theta } of r.states) {
      places.forEach((j, k) => {
        const away = Math.abs(theta[j] - r.bowl.optimum[j]) / half[k];
        if (away > far) far = away;
      });
    }
    return Math.min(6, Math.ceil(Math.log2(far) - 1e-9));
  }

  /** The frame around the optimum, with the same units on both axes unless they differ too much. */
  function frameOf(element, r, places) {
    const half = reach(r, places);
    const ratio = half[0] / half[1];
    const equal = Math.max(ratio, 1 / ratio) <= MOST_UNEQUAL;
    const around = (by, sizes) => sizes.map((h, k) => {
      const c = r.bowl.optimum[places[k]];
      return [c - h * by, c + h * by];
    });
    const framed = ([x, y]) => svg.frame(element, { x, y, equal, left: 52 });
    const close = framed(around(1, half));
    const whole = [close.x, close.y].map((s) => (s.domain[1] - s.domain[0]) / 2);
    return { frame: framed(around(2 ** doublings(r, places, whole), whole)), equal };
  }

  /** Ellipses ½ uᵀ H u = level in pixels, the outermost first. */
  function rings(frame, centre, pairs) {
    const [flat, steep] = [Math.max(pairs[1].value, 1e-12 * pairs[0].value), pairs[0].value];
    const corner = [0, 1].map((k) => {
      const [a, b] = (k ? frame.y : frame.x).domain;
      return Math.max(b - centre[k], centre[k] - a);
    });
    const top = 0.5 * steep * (corner[0] ** 2 + corner[1] ** 2);
    const count = Math.min(MOST_RINGS, Math.ceil(8 + Math.log(steep / flat) / Math.log(RATIO)));
    // The rings stay the same when the view is doubled.
    const first = RATIO ** Math.ceil(Math.log(top) / Math.log(RATIO));
    return Array.from({ length: count }, (_, k) => {
      const level = first / RATIO ** k;
      const [a, b] = [steep, flat].map((value) => Math.sqrt((2 * level) / value));
      const points = Array.from({ length: 120 }, (_, i) => {
        const [c, s] = [Math.cos((Math.PI * i) / 60), Math.sin((Math.PI * i) / 60)];
        return [0, 1].map((j) => centre[j] + a * c * pairs[0].vector[j] + b * s * pairs[1].vector[j]);
      });
      return svg.path(points.map(([x, y]) => [frame.x(x), frame.y(y)]), "ring", "Z");
    }).join("");
  }

  /** The principal axes of the bowl, through the optimum. */
  function principal(frame, centre, pairs) {
    const far = 4 * Math.max(...[frame.x, frame.y].map((s) => s.domain[1] - s.domain[0]));
    return pairs
      .map(({ vector }) => {
        const end = (side) => [0, 1].map((j) => centre[j] + side * far * vector[j]);
        const [[x1, y1], [x2, y2]] = [end(-1), end(1)];
        return svg.line(frame.x(x1), frame.y(y1), frame.x(x2), frame.y(y2), "principal");
      })
      .join("");
  }

  /** The path, with fewer points where there are very many steps. */
  function trace(frame, thetas, places, kind) {
    const every = Math.ceil(thetas.length / 3000);
    const points = thetas
      .filter((_, i) => i % every === 0 || i === thetas.length - 1)
      .map((theta) => [frame.x(theta[places[0]]), frame.y(theta[places[1]])]);
    const dots = kind === "trail" && points.length <= MOST_DOTS
      ? points.map(([x, y]) => svg.dot(x, y, 2.2, "trail-dot")).join("")
      : "";
    return svg.path(points, kind) + dots;
  }

  /** The direction downhill of a gradient, with a given length in pixels. */
  function downhill(frame, [x, y], g, reach, kind) {
    const [u, v] = [frame.x(-g[0]) - frame.x(0), frame.y(-g[1]) - frame.y(0)];
    const length = Math.hypot(u, v);
    return length > 0 ? svg.line(x, y, x + (reach * u) / length, y + (reach * v) / length, kind) : "";
  }

  /** The sentence on the units of the axes, where they differ. */
  function unequal(frame, names) {
    const ratio = Math.abs((frame.y(1) - frame.y(0)) / (frame.x(1) - frame.x(0)));
    const [x, y] = names.map((name) => name.split(" ")[0]);
    return ratio < 1
      ? `One of ${x} is drawn as long as ${svg.num(1 / ratio, 2)} of ${y}.`
      : `One of ${y} is drawn as long as ${svg.num(ratio, 2)} of ${x}.`;
  }

  function draw(element, r, ghost) {
    const { places, names } = shown(r);
    const centre = places.map((j) => r.bowl.optimum[j]);
    const { frame, equal } = frameOf(element, r, places);
    const part = places.map((i) => places.map((j) => r.bowl.H[i][j]));
    const pairs = curvature.eigen(part);
    const at = (theta) => [frame.x(theta[places[0]]), frame.y(theta[places[1]])];
    const now = run.state(r);
    const step = run.upcoming(r);
    const whole = sgd.evaluate(r.problem, sgd.everyRow(r.problem), now.theta);
    const of = (g) => places.map((j) => g[j]);
    const from = at(now.theta);
    const [cx, cy] = at(r.bowl.optimum);
    element.querySelector(".plot").innerHTML =
      svg.axes(frame, names) +
      svg.inside(
        frame,
        "bowl-clip",
        rings(frame, centre, pairs) +
          (pairs[0].value > 1.01 * pairs[1].value ? principal(frame, centre, pairs) : "") +
          (ghost ? trace(frame, ghost, places, "ghost") : "") +
          trace(frame, r.states.map((s) => s.theta), places, "trail") +
          downhill(frame, from, of(whole.g), Math.min(RAY, Math.hypot(cx - from[0], cy - from[1])), "all-rows") +
          (r.perEpoch > 1 ? downhill(frame, from, of(step.g), RAY, "this-batch") : "") +
          svg.arrow(from, at(step.next), "next-step") +
          svg.dot(...at(r.states[0].theta), 4, "start") +
          `<path class="optimum" d="M${svg.px(cx - 8)} ${svg.px(cy)}h16M${svg.px(cx)} ${svg.px(cy - 8)}v16"/>` +
          svg.dot(...from, 5.5, "here"),
      );
    return equal ? "" : unequal(frame, names);
  }

  return { draw, shown };
})();
