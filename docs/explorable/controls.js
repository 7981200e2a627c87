"use strict";
/* The form of the settings: shows them, and reports each change as (name, value). */
const controls = (() => {
  const at = (id) => document.getElementById(id);
  const PLAIN = [
    "data", "rows", "scaling", "shuffle", "seed", "optimizer", "momentum", "eta", "schedule",
    "power", "every", "epochs", "axes",
  ];
  // Settings without effect on Newton's step.
  const CHOSEN_BY_AUTO = ["batch", "shuffle", "seed", "eta", "eta-slider", "schedule"];
  const THUMB = 20; // width of a slider's thumb, as style.css has it

  /** Connect every control; `change` is called with a setting's name and its new value. */
  function connect(change, showAgain) {
    /** Write below a field which values it takes, and show its old value. */
    const refuse = (name, field) => {
      showAgain();
      const { words } = settings.FIELDS[name];
      at("refused").textContent = `${field.labels[0].textContent}: ${words}. Left at ${field.value}.`;
      field.closest("fieldset").append(at("refused"));
    };
    at("data").innerHTML = Object.entries(data.SETS)
      .map(([name, set]) => `<option value="${name}">${set.name}</option>`)
      .join("");
    for (const name of PLAIN) {
      at(name).addEventListener("change", () => {
        const value = settings.FIELDS[name].read(at(name).value);
        if (value === undefined) refuse(name, at(name));
        else change(name, value);
      });
    }
    at("batch").addEventListener("input", () => {
      const { value, max } = at("batch");
      change("batch", value === max ? Infinity : Number(value));
    });
    at("eta-slider").addEventListener("input", () => {
      change("eta", Number((10 ** at("eta-slider").value).toPrecision(2)));
    });
    at("log").addEventListener("change", () => change("log", at("log").checked ? "on" : "off"));
    for (const k of [0, 1, 2]) {
      at(`start-${k}`).addEventListener("change", () => {
        const typed = [0, 1, 2].map((j) => at(`start-${j}`).value.replace(",", ".") || "0");
        const value = settings.FIELDS.start.read(typed.join(","));
        if (value === undefined) refuse("start", at(`start-${k}`));
        else change("start", value);
      });
    }
    at("form").addEventListener("submit", (event) => event.preventDefault());
  }

  /** Show the controls with a `data-for` that apply to the settings. */
  function needed(r) {
    const s = r.settings;
    const auto = s.optimizer === "auto";
    const set = data.SETS[s.data];
    return {
      rows: set.most !== undefined,
      points: s.data === "own",
      seed: s.shuffle !== "off" && !auto,
      momentum: s.optimizer === "momentum" || s.optimizer === "nesterov",
      power: s.schedule === "invscaling" && !auto,
      every: s.schedule === "stepdecay" && !auto,
      "start-1": r.problem.d === 2,
      axes: r.problem.d === 2,
    };
  }

  /** The mark at the longest stable step. */
  function showBound(r) {
    const slider = at("eta-slider");
    const mark = at("stable-mark");
    const log = r.stable ? Math.log10(r.stable.value) : NaN;
    const share = (log - slider.min) / (slider.max - slider.min);
    mark.hidden = !(share >= 0 && share <= 1);
    if (!mark.hidden) mark.style.left = `calc(${THUMB / 2}px + ${share} * (100% - ${THUMB}px))`;
    at("stable-text").innerHTML = stability.bound(r);
    const beyond = r.stable && r.settings.eta > r.stable.value;
    at("stable-text").classList.toggle("beyond", Boolean(beyond));
  }

  function show(r) {
    const s = r.settings;
    at("refused").textContent = "";
    for (const name of PLAIN) at(name).value = settings.FIELDS[name].write(s[name]);
    if (s.data === "own") at("rows").value = s.points.length;
    const { least = 1, most = 200 } = data.SETS[s.data];
    Object.assign(at("rows"), { min: least, max: most });
    const { n, d } = r.problem;
    const size = sgd.batchSize(n, s);
    at("batch").max = n;
    at("batch").value = size;
    at("batch-text").textContent = size === n ? `all ${n}` : `${size} of ${n}`;
    at("batch").setAttribute("aria-valuetext", at("batch-text").textContent);
    at("eta-slider").value = Math.log10(s.eta);
    at("eta-slider").setAttribute("aria-valuetext", svg.num(s.eta));
    at("log").checked = s.log === "on";
    s.start.forEach((v, k) => { at(`start-${k}`).value = v; });
    at("start-0-label").textContent = d === 1 ? "w" : "w₁";
    const there = needed(r);
    for (const element of document.querySelectorAll("[data-for]")) {
      element.hidden = !there[element.dataset.for];
    }
    for (const id of CHOSEN_BY_AUTO) at(id).disabled = s.optimizer === "auto";
    const rule = s.optimizer === "auto" ? "auto" : `${s.optimizer}, eta ${svg.num(s.eta)}, ${s.schedule}`;
    at("summary").textContent = `${data.SETS[s.data].name} · ${at("batch-text").textContent} a step · ${rule}`;
    showBound(r);
  }

  return { connect, show };
})();
