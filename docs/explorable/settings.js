"use strict";
/* The settings: their allowed values, and their form as text (controls, URL).
 *
 * A field is { start, read, write, words }: its first value, text -> value (undefined for
 * other text), value -> text, the allowed numbers in words.
 */
const settings = (() => {
  const choice = (...options) => ({
    start: options[0],
    read: (text) => (options.includes(text) ? text : undefined),
    write: (value) => value,
  });

  /** 0,5 is 0.5. */
  const toNumber = (text) => (text.trim() === "" ? NaN : Number(text.replace(",", ".")));

  const number = (start, good, words) => ({
    start,
    words,
    read: (text) => {
      const value = toNumber(text);
      return Number.isFinite(value) && good(value) ? value : undefined;
    },
    write: String,
  });

  const whole = (start, least, most) =>
    number(
      start, (v) => Number.isInteger(v) && v >= least && v <= most,
      `a whole number from ${least} to ${most}`,
    );

  const MOST = 1e6; // of start and points: squares of squares must not overflow

  const list = (start, size, good) => ({
    start,
    words: "a number from −1e6 to 1e6",
    read: (text) => {
      const values = text === "" ? [] : text.split(",").map(toNumber);
      const fits = values.every((v) => Math.abs(v) <= MOST) && good(values.length);
      return fits ? size(values) : undefined;
    },
    write: (value) => value.flat().join(","),
  });

  const pairs = (values) =>
    Array.from({ length: values.length / 2 }, (_, i) => values.slice(2 * i, 2 * i + 2));

  const size = whole(1, 1, 200);

  const FIELDS = {
    data: choice(...Object.keys(data.SETS)),
    rows: whole(30, 1, 200),
    points: list([], pairs, (n) => n % 2 === 0 && n <= 120),
    scaling: choice("raw", "standardised"),
    batch: {
      start: 1,
      read: (text) => (text === "all" ? Infinity : size.read(text)),
      write: (value) => (value === Infinity ? "all" : String(value)),
    },
    shuffle: choice("rows", "blocks", "off"),
    seed: whole(0, 0, 9999),
    optimizer: choice("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "auto"),
    momentum: number(0.9, (v) => v >= 0 && v < 1, "a number from 0 to below 1"),
    eta: number(0.05, (v) => v > 0 && v <= 1000, "a number above 0, up to 1000"),
    schedule: choice("constant", "invscaling", "stepdecay", "cosine", "linear"),
    power: number(0.5, (v) => v >= 0 && v <= 2, "a number from 0 to 2"),
    every: whole(5, 1, 1000),
    start: list([0, 0, 0], (v) => v, (n) => n === 3),
    epochs: whole(20, 1, 2000),
    // The view: these do not change the run.
    axes: choice("12", "1b", "2b"),
    log: choice("on", "off"),
  };
  const VIEW = new Set(["axes", "log"]);

  /** All settings; `some` are given as values or text, the others have their first values. */
  function complete(some) {
    const out = {};
    for (const [name, field] of Object.entries(FIELDS)) {
      const given = some[name];
      const value = typeof given === "string" ? field.read(given) : given;
      out[name] = value === undefined ? field.start : value;
    }
    const set = data.SETS[out.data];
    if (some.rows === undefined && set.count) out.rows = set.count;
    if (some.start === undefined && set.start) out.start = set.start;
    if (out.data === "own" && out.points.length === 0) out.points = [[1, 1], [2, 3], [3, 2]];
    return out;
  }

  /** The settings, and the number of steps taken, as a URL's fragment. */
  function toHash(values, t) {
    const plain = complete({ data: values.data });
    const words = Object.entries(FIELDS)
      .map(([name, field]) => [name, field.write(values[name])])
      .filter(([name, text]) => name === "data" || text !== FIELDS[name].write(plain[name]))
      .filter(([name]) => name !== "points" || values.data === "own");
    if (t) words.push(["t", String(t)]);
    return `#${words.map(([name, text]) => `${name}=${text}`).join("&")}`;
  }

  /** { settings, t } of a fragment; values that cannot be read keep their first value. */
  function fromHash(hash) {
    const some = Object.fromEntries(
      hash.replace(/^#/, "").split("&").filter((word) => word.includes("="))
        .map((word) => word.split("=", 2)),
    );
    const t = whole(0, 0, 100000).read(some.t || "0") || 0;
    return { settings: complete(some), t };
  }

  return { FIELDS, VIEW, complete, fromHash, toHash };
})();
