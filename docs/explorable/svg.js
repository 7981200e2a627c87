"use strict";
/* Numbers as text, scales and axes: what the pictures share. Text is the page's own. */
const svg = (() => {
  /** A number to read: four digits, a true minus, powers of ten where it is far from one. */
  function num(value, digits = 4) {
    if (value === 0) return "0";
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "−∞" : "∞";
    const size = Math.abs(value);
    const text =
      size >= 1e5 || size < 1e-3
        ? value.toExponential(Math.min(2, digits - 1)).replace(/\.?0+e/, "e").replace("e+", "e")
        : String(Number(value.toPrecision(digits)));
    return text.replaceAll("-", "−");
  }

  /** In brackets where it is negative, to be multiplied or added. */
  const signed = (value, digits) =>
    value < 0 ? `(${num(value, digits)})` : num(value, digits);

  /** From [a, b] to pixels [p, q], on a line or by logarithm. */
  function scale([a, b], [p, q], log = false) {
    const f = log ? Math.log10 : (v) => v;
    const slope = (q - p) / (f(b) - f(a) || 1);
    const to = (v) => p + (f(v) - f(a)) * slope;
    to.back = (pixel) => a + (pixel - p) / slope;
    to.domain = [a, b];
    to.log = log;
    return to;
  }

  /** Round numbers within [a, b], about `count` of them. */
  function ticks([a, b], count) {
    const raw = (b - a) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    const first = Math.ceil(a / step - 1e-9);
    const last = Math.floor(b / step + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
      Number(((first + i) * step).toPrecision(12)));
  }

  /** Powers of ten within [a, b], not more than about `count`; twos and fives where few. */
  function decades([a, b], count) {
    const first = Math.ceil(Math.log10(a) - 1e-9);
    const last = Math.floor(Math.log10(b) + 1e-9);
    const powers = [];
    for (let k = first - 1; k <= last; k++) powers.push(10 ** k);
    const every = Math.max(1, Math.ceil((last - first + 1) / count));
    const more = last - first < 2 ? [1, 2, 5] : [1];
    return powers
      .filter((_, i) => (i - 1) % every === 0 || more.length > 1)
      .flatMap((power) => more.map((m) => Number((m * power).toPrecision(3))))
      .filter((v) => v >= a && v <= b);
  }

  /** 10⁻⁵ for 1e-5, where a plain number would be long. */
  function power(value) {
    const k = Math.log10(value);
    if (!Number.isInteger(k) || Math.abs(k) < 3) return num(value, 2);
    return `10${[...String(k)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;
  }

  const px = (v) => Math.max(-1e5, Math.min(1e5, v)).toFixed(1);

  const line = (x1, y1, x2, y2, kind) =>
    `<line class="${kind}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;

  const dot = (x, y, radius, kind) =>
    `<circle class="${kind}" cx="${px(x)}" cy="${px(y)}" r="${radius}"/>`;

  const text = (x, y, words, kind) =>
    `<text class="${kind}" x="${px(x)}" y="${px(y)}">${words}</text>`;

  const path = (points, kind, closed = "") =>
    points.length < 2 && !closed
      ? ""
      : `<path class="${kind}" d="M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join("L")}${closed}"/>`;

  /** Many dots as one path. */
  const cloud = (points, kind) =>
    `<path class="${kind}" d="${points.map(([x, y]) => `M${px(x)} ${px(y)}h.01`).join("")}"/>`;

  /** A line with a head; nothing where it is too short to have a direction. */
  function arrow([x1, y1], [x2, y2], kind) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (!(length > 2)) return "";
    const head = Math.min(9, 0.6 * length);
    const [u, v] = [(x2 - x1) / length, (y2 - y1) / length];
    const corner = (side) => [
      x2 - head * u - side * head * 0.45 * v,
      y2 - head * v + side * head * 0.45 * u,
    ];
    return (
      line(x1, y1, x2 - head * 0.8 * u, y2 - head * 0.8 * v, kind) +
      path([[x2, y2], corner(1), corner(-1)], `${kind} head`, "Z")
    );
  }

  // Sizes are read when they change only: reading them after each change of a picture would
  // have the browser lay out the page several times a frame.
  const sizes = new WeakMap();

  function measure(element) {
    const { width, height } = element.getBoundingClientRect();
    sizes.set(element, [Math.round(width), Math.round(height)]);
  }

  /** The frame of a picture: its size, margins, and scales for the ranges of x and y. */
  function frame(element, { x, y, logY = false, left = 46, equal = false }) {
    const [width, height] = sizes.get(element);
    const edge = { left, right: width - 12, top: 10, bottom: height - 34 };
    if (equal) [x, y] = sameUnits(x, y, edge);
    element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return {
      edge,
      width,
      height,
      x: scale(x, [edge.left, edge.right]),
      y: scale(y, [edge.bottom, edge.top], logY),
    };
  }

  /** Ranges widened so that a unit is as long on both axes. */
  function sameUnits(x, y, edge) {
    const wide = (x[1] - x[0]) / (edge.right - edge.left);
    const high = (y[1] - y[0]) / (edge.bottom - edge.top);
    const unit = Math.max(wide, high);
    const widen = ([a, b], by) => [(a + b) / 2 - ((b - a) / 2) * by, (a + b) / 2 + ((b - a) / 2) * by];
    return [widen(x, unit / wide), widen(y, unit / high)];
  }

  /** Grid lines, their numbers, and the names of the axes. */
  function axes({ x, y, edge }, names) {
    const wide = Math.max(2, Math.floor((edge.right - edge.left) / 52));
    const high = Math.max(2, Math.floor((edge.bottom - edge.top) / 38));
    const across = ticks(x.domain, wide).map(
      (v) => line(x(v), edge.top, x(v), edge.bottom, "grid") + text(x(v), edge.bottom + 15, num(v, 3), "tick middle"),
    );
    const up = (y.log ? decades(y.domain, high) : ticks(y.domain, high)).map(
      (v) => line(edge.left, y(v), edge.right, y(v), "grid") + text(edge.left - 6, y(v) + 4, y.log ? power(v) : num(v, 3), "tick end"),
    );
    return (
      across.join("") + up.join("") +
      text((edge.left + edge.right) / 2, edge.bottom + 30, names[0], "axis middle") +
      `<text class="axis middle" transform="translate(11 ${px((edge.top + edge.bottom) / 2)}) rotate(-90)">${names[1]}</text>`
    );
  }

  /** What is drawn inside of the frame only. */
  const inside = ({ edge }, id, content) =>
    `<clipPath id="${id}"><rect x="${edge.left}" y="${edge.top}" width="${edge.right - edge.left}" ` +
    `height="${edge.bottom - edge.top}"/></clipPath><g clip-path="url(#${id})">${content}</g>`;

  return { arrow, axes, cloud, dot, frame, inside, line, measure, num, path, px, scale, signed, text };
})();
