"use strict";
/* The picture of the data: one feature with the line, two with predictions on targets. */
const linePicture = (() => {
  const MANY = 10; // residuals of a batch, beyond which they are drawn fainter

  /** [a, b] with a share of it more on both sides. */
  function padded(values, share) {
    const [a, b] = [Math.min(...values), Math.max(...values)];
    const pad = (b - a) * share || 1;
    return [a - pad, b + pad];
  }

  /** Steps 0, 1, 2, 4, 8, … before the present one: a set that does not change as t grows. */
  function earlier(t) {
    const kept = t > 0 ? [0] : [];
    for (let k = 1; k < t; k *= 2) kept.push(k);
    return kept;
  }

  /** The frame: kept while a point is dragged. */
  function frameOf(element, r, view) {
    const { problem } = r;
    if (problem.d === 1) {
      const share = r.settings.data === "own" ? 0.25 : 0.08;
      const x = padded(problem.raw.map(([v]) => v), share);
      const y = padded(problem.y, 0.15);
      return svg.frame(element, view.held || { x, y });
    }
    const range = padded(problem.y, 0.2);
    return svg.frame(element, { x: range, y: range });
  }

  /** Lines of a model over the width of the picture. */
  const over = ({ x, y }, [w, b], kind) => {
    const [from, to] = x.domain;
    return svg.line(x(from), y(w * from + b), x(to), y(w * to + b), kind);
  };

  function lines(frame, r) {
    const raw = (theta) => sgd.inRawUnits(r.problem, theta);
    const now = run.state(r);
    const old = earlier(now.t);
    const faded = old.map((k, i) => {
      const opacity = (0.12 + (0.4 * (i + 1)) / old.length).toFixed(2);
      return `<g opacity="${opacity}">${over(frame, raw(r.states[k].theta), "model old")}</g>`;
    });
    return (
      over(frame, raw(r.bowl.optimum), "optimum-line") +
      faded.join("") +
      over(frame, raw(now.theta), "model")
    );
  }

  const point = (i, x, y, kind, own, label) =>
    own
      ? `<g class="handle" tabindex="0" role="button" data-point="${i}" aria-label="${label}">` +
        `${svg.dot(x, y, 20, "touch")}${svg.dot(x, y, 7, kind)}</g>`
      : svg.dot(x, y, kind.includes("batch") ? 5.5 : 4, kind);

  /** Points and the batch's residuals, of places (x, y) and where y should be. */
  function points(frame, r, places) {
    const { rows } = run.upcoming(r);
    const among = new Set(rows);
    const own = r.settings.data === "own";
    const residuals = rows.map((i) => {
      const { x, y, aim } = places[i];
      return svg.line(frame.x(x), frame.y(y), frame.x(x), frame.y(aim), "residual");
    });
    const dots = places.map(({ x, y }, i) => {
      const label = `Point ${i + 1}: x ${svg.num(x)}, y ${svg.num(y)}. Arrow keys move it, Delete removes it.`;
      return point(i, frame.x(x), frame.y(y), among.has(i) ? "row batch" : "row", own, label);
    });
    // The batch is drawn last, over the others; own points keep their order for the keyboard.
    const order = own ? dots : [...dots.filter((_, i) => !among.has(i)), ...rows.map((i) => dots[i])];
    const many = rows.length > MANY ? ' class="many"' : "";
    return { residuals: `<g${many}>${residuals.join("")}</g>`, dots: order.join("") };
  }

  function draw(element, r, view) {
    const { problem } = r;
    const { theta } = run.state(r);
    const frame = frameOf(element, r, view);
    const labels = data.labelsOf(r.settings.data);
    const line = problem.d === 1;
    const places = problem.y.map((y, i) => {
      const p = sgd.predict(problem.X[i], theta);
      return line ? { x: problem.raw[i][0], y, aim: p } : { x: y, y: p, aim: y };
    });
    const drawn = points(frame, r, places);
    const [from, to] = frame.x.domain;
    const diagonal = svg.line(frame.x(from), frame.y(from), frame.x(to), frame.y(to), "optimum-line");
    const { point: focused } = document.activeElement.dataset;
    element.querySelector(".plot").innerHTML =
      svg.axes(frame, line ? [labels.features[0], labels.target] : ["target y", "prediction p"]) +
      svg.inside(frame, "line-clip", drawn.residuals + (line ? lines(frame, r) : diagonal) + drawn.dots);
    // A point drawn anew keeps the keyboard.
    if (focused) element.querySelector(`[data-point="${focused}"]`)?.focus({ preventScroll: true });
    return frame;
  }

  return { draw };
})();
