"use strict";
/* The page: one run, shown in all pictures at once, and controlled by the buttons. */
(() => {
  const at = (id) => document.getElementById(id);

  let current = run.begin(settings.complete({}));
  let ghost = null; // { path, curve } of the run before, for comparison
  let stop = 0;
  let frame = null;
  let held = null;

  // ------------------------------------------------------------------ showing

  const named = (r, theta) =>
    numbers.parametersOf(r.problem.d).map((name, j) => `${name} = ${svg.num(theta[j])}`).join(", ");

  function words(r) {
    const { t, theta, objective } = run.state(r);
    const epoch = t ? run.epochOf(r, t) : 0;
    return `Epoch ${epoch}, step ${t}: ${named(r, theta)}; objective ${svg.num(objective)}.`;
  }

  function draw() {
    const r = current;
    const { t, theta, objective } = run.state(r);
    const { d } = r.problem;
    frame = linePicture.draw(at("line-picture"), r, { held });
    const stretched = bowlPicture.draw(at("bowl-picture"), r, ghost && ghost.path);
    lossPicture.draw(at("loss-picture"), r, ghost && ghost.curve);
    numbers.draw(at("numbers"), r);
    stability.draw(at("why"), r);
    const text = {
      "now-epoch": `${t ? run.epochOf(r, t) : 0} of ${r.settings.epochs}`,
      "now-step": String(t),
      "weights-name": d === 1 ? "w" : "w₁, w₂",
      "now-w": theta.slice(0, d).map((w) => svg.num(w)).join(", "),
      "now-b": svg.num(theta[d]),
      "now-objective": svg.num(objective),
      least: svg.num(r.bowl.least < 1e-20 ? 0 : r.bowl.least),
      "bowl-hint": (d === 2 ? "The third parameter is held at its optimum. " : "") + stretched,
    };
    for (const [id, value] of Object.entries(text)) at(id).textContent = value;
    at("play").textContent = playback.playing ? "Pause" : "Play";
    at("back").setAttribute("aria-disabled", String(t === 0));
    const verdict = run.verdict(r);
    if (at("verdict").textContent !== verdict) at("verdict").textContent = verdict;
    at("verdict").hidden = verdict === "";
  }

  /** Show everything, also the parts that depend on the settings only. */
  function show() {
    controls.show(current);
    const { d } = current.problem;
    at("data-title").textContent = d === 1 ? "The rows and the line" : "Predictions on targets";
    at("data-keys").innerHTML =
      '<span><i class="key dots"></i>batch</span> <span><i class="key whole"></i>others</span> ' +
      (d === 1
        ? '<span><i class="key trail"></i>line</span> <span><i class="key least"></i>least squares</span>'
        : '<span><i class="key least"></i>p = y</span>');
    at("code").textContent = python.code(current);
    draw();
    describe();
  }

  /** Update the view in words and in the address; not while playing. */
  function describe(aloud = false) {
    const said = words(current);
    at("line-words").textContent = said;
    at("bowl-words").textContent = `${said} The optimum is at ${named(current, current.bowl.optimum)}.`;
    at("loss-words").textContent = `${said} The minimum is ${at("least").textContent}.`;
    if (aloud) at("live").textContent = said;
    share.write(hash());
  }

  const hash = () => settings.toHash(current.settings, run.state(current).t);

  // ------------------------------------------------------------------ moving

  const sameRows = (a, b) =>
    String(a.problem.raw) === String(b.problem.raw) && String(a.problem.y) === String(b.problem.y);

  /** Start a new run with these settings, and keep the run before in grey. */
  function restart(values, t = 0) {
    playback.pause();
    const next = run.begin(values);
    if (!sameRows(current, next)) ghost = null;
    else if (current.steps.length) {
      ghost = {
        path: current.states.map((s) => s.theta),
        curve: current.states.map((s) => [s.t / current.perEpoch, s.objective]),
        scaling: current.settings.scaling,
      };
    }
    if (ghost && ghost.scaling !== values.scaling) ghost.path = null;
    current = next;
    while (run.state(current).t < t && run.advance(current));
    show();
  }

  /** Show the same run in another view. */
  function view(changes) {
    Object.assign(current.settings, changes);
    show();
  }

  /** A round step well below the largest stable one, for rows of any scale. */
  function suitable(values) {
    const { stable } = run.begin(values);
    return stable ? { ...values, eta: Number((stable.value / 2).toPrecision(1)) } : values;
  }

  function change(name, value) {
    if (!settings.VIEW.has(name)) mark(null);
    const old = current.settings;
    const next = { ...old, [name]: value };
    if (settings.VIEW.has(name)) return view({ [name]: value });
    if (name === "rows" && old.data === "own") {
      next.points = points.resized(old.points, Math.min(value, data.SETS.own.most));
    }
    if (name === "data") {
      const { raw, y, d } = current.problem;
      const own = value === "own" && d === 1 ? raw.slice(0, data.SETS.own.most).map(([x], i) => [x, y[i]]) : next.points;
      const { rows, start, ...kept } = next;
      return restart(suitable(settings.complete({ ...kept, points: own })));
    }
    return restart(next);
  }

  const playback = player.create({
    advance: () => run.advance(current) && run.state(current).t < current.last && !run.diverged(current),
    draw,
    ended: () => { draw(); describe(true); },
  });

  function toggle() {
    if (playback.playing) {
      playback.pause();
      draw();
      return describe(true);
    }
    const over = run.state(current).t >= current.last || run.diverged(current);
    if (over) restart(current.settings);
    playback.play();
    return draw();
  }

  /** Move by hand: pause, move, show, say. */
  function by(move) {
    playback.pause();
    move();
    draw();
    describe(true);
  }

  const MOVES = {
    reset: () => { restart(current.settings); },
    back: () => { run.back(current); },
    step: () => { run.advance(current); },
    epoch: () => { while (run.advance(current) && run.state(current).t % current.perEpoch); },
  };
  const KEYS = {
    ArrowLeft: "back", ArrowRight: "step", "Shift+ArrowLeft": "reset", "Shift+ArrowRight": "epoch",
  };

  function showSpeed() {
    at("speed").value = playback.speed;
    at("speed-text").textContent = playback.words;
    at("speed").setAttribute("aria-valuetext", playback.words);
  }

  // ------------------------------------------------------------------ the guide

  function visit(k, changes = null) {
    stop = k;
    restart(guide.settingsOf(k, changes || {}));
    const { text, tries } = guide.STOPS[k];
    at("stop-text").textContent = text;
    at("tries").innerHTML = tries.map(([label], i) => `<button type="button" data-try="${i}">${label}</button>`).join("");
    at("stops").querySelectorAll("button").forEach((button, i) => {
      button.setAttribute("aria-current", i === k ? "step" : "false");
      if (i === k) at("stops").scrollLeft = button.offsetLeft - at("stops").offsetLeft - 40;
    });
  }

  /** The try that the settings belong to; none after they are changed. */
  function mark(i) {
    at("tries").querySelectorAll("button").forEach((button, k) => {
      button.setAttribute("aria-pressed", String(k === i));
    });
  }

  function attempt(i) {
    const [, changes, play] = guide.STOPS[stop].tries[i];
    restart(guide.settingsOf(stop, changes));
    mark(i);
    playback.suit(current.last);
    showSpeed();
    if (play) toggle();
  }

  // ------------------------------------------------------------------ connecting

  function load(hash) {
    const { settings: values, t } = settings.fromHash(hash);
    restart(values, t);
  }

  function connect() {
    controls.connect(change, () => controls.show(current));
    points.connect(at("line-picture"), {
      frame: () => frame,
      own: () => (current.settings.data === "own" ? current.settings.points : null),
      hold: (domains) => { held = domains; },
      set: (own, focus) => {
        restart({ ...current.settings, points: own });
        at("line-picture").querySelector(`[data-point="${focus}"]`).focus();
      },
    });
    at("add").addEventListener("click", () => {
      const own = current.settings.points;
      if (own.length < data.SETS.own.most) change("points", [...own, points.another(own)]);
    });
    for (const [id, move] of Object.entries(MOVES)) at(id).addEventListener("click", () => by(move));
    at("play").addEventListener("click", toggle);
    at("speed").addEventListener("input", () => {
      playback.speed = Number(at("speed").value);
      showSpeed();
    });
    showSpeed();
    at("stops").innerHTML = guide.STOPS.map(({ title }, k) =>
      `<li><button type="button" data-stop="${k}"><b>${k + 1}</b> ${title}</button></li>`).join("");
    at("stops").addEventListener("click", (event) => {
      const button = event.target.closest("[data-stop]");
      if (button) visit(Number(button.dataset.stop));
    });
    at("tries").addEventListener("click", (event) => {
      const button = event.target.closest("[data-try]");
      if (button) attempt(Number(button.dataset.try));
    });
    theme.connect(at("theme"));
    const say = (words) => { at("copied").textContent = words; };
    at("copy-code").addEventListener("click", () => share.copy(at("code").textContent, at("code")).then(say));
    at("copy-link").addEventListener("click", () => share.copy(share.link(hash())).then(say));
    document.addEventListener("keydown", (event) => {
      const inControl = event.target.closest("input, select, button, summary, a, pre, [data-point]");
      if (inControl || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = `${event.shiftKey ? "Shift+" : ""}${event.key}`;
      if (key === " ") toggle();
      else if (key in KEYS) by(MOVES[KEYS[key]]);
      else return;
      event.preventDefault();
    });
    addEventListener("hashchange", () => load(location.hash));
    const sizes = new ResizeObserver((changed) => {
      changed.forEach(({ target }) => svg.measure(target));
      draw();
    });
    for (const picture of document.querySelectorAll("figure svg")) {
      svg.measure(picture);
      sizes.observe(picture);
    }
    const narrow = matchMedia("(max-width: 800px)");
    const fold = () => { at("settings").open = !narrow.matches; };
    narrow.addEventListener("change", fold);
    fold();
  }

  // ------------------------------------------------------------------ for tests and the curious

  /** The numbers of a run with these settings: batches, step sizes, every theta. */
  function trajectory(some, steps) {
    const r = run.begin(settings.complete(some));
    while (r.steps.length < steps && run.advance(r));
    const { problem, bowl, stable } = r;
    return {
      X: problem.X, raw: problem.raw, y: problem.y, optimum: bowl.optimum, least: bowl.least, stable,
      perEpoch: r.perEpoch,
      batches: r.steps.map((s) => s.rows),
      eta: r.steps.map((s) => s.eta),
      loss: r.steps.map((s) => s.loss),
      theta: r.states.map((s) => s.theta),
      objective: r.states.map((s) => s.objective),
      verdict: run.verdict(r),
    };
  }

  /** The page as numbers: settings(), state(), set(some, t), run(some, steps), python(some). */
  window.explorable = {
    settings: () => structuredClone(current.settings),
    state: () => ({ ...run.state(current), upcoming: undefined, playing: playback.playing }),
    set: (some, t) => restart(settings.complete(some), t),
    run: trajectory,
    python: (some) => python.code(run.begin(settings.complete(some))),
  };

  connect();
  visit(0);
  if (location.hash) load(location.hash);
})();
