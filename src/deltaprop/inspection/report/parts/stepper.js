// The screen as a function of (update, sample, step), and what moves it: buttons, keys, slider, choices, the drawing.

const at = (id) => document.getElementById(id);
const now = { state: 0, sample: 0, step: 0 };
let playing = null;

function render() {
  choose(now.state, now.sample);
  const step = steps[now.step];
  drawFigure(now.step);
  const heading = html("h3", { class: phaseOf(step).kind }, titleOf(step));
  at("step").className = `step ${heading.className}`;
  at("step").replaceChildren(heading, ...panelOf(step));
  for (const button of at("phases").children) {
    if (button.dataset.phase === step.phase) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  at("slider").value = now.step;
  at("slider").setAttribute("aria-valuetext", wordsOf(now.step));
  at("count").textContent = `${now.step + 1} / ${steps.length}`;
  at("sample").value = now.sample;
  at("state").value = now.state;
  at("said").textContent = wordsOf(now.step);
  for (const id of ["first", "back"]) at(id).setAttribute("aria-disabled", String(now.step === 0));
  for (const id of ["next", "last"]) at(id).setAttribute("aria-disabled", String(now.step === steps.length - 1));
  markScrollers();
  bringIntoView();
}

function renderSample() {
  choose(now.state, now.sample);
  at("row-tables").replaceChildren(...sampleTables(now.sample));
  render();
}

function go(step) {
  now.step = Math.max(0, Math.min(steps.length - 1, step));
  render();
}

function stop() {
  clearInterval(playing);
  playing = null;
  at("play").classList.remove("playing");
  at("play").setAttribute("aria-label", "play");
}

function play() {
  if (playing !== null) return stop();
  if (now.step === steps.length - 1) go(0);
  at("play").classList.add("playing");
  at("play").setAttribute("aria-label", "pause");
  playing = setInterval(() => {
    go(now.step + 1);
    if (now.step === steps.length - 1) stop();
  }, 1100);
}

const scrolls = (box) => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;

// What scrolls can be reached by keyboard.
function markScrollers() {
  for (const box of document.querySelectorAll("[data-scroll], .derivation p, .derivation div")) {
    if (scrolls(box)) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
  }
}

// Where the drawing is wider than the page, the unit of the step is moved into sight; the page itself stays.
function bringIntoView() {
  const box = at("net-box");
  const current = net.querySelector(".unit.current") ?? (now.step ? placesOf[depth].at(-1) : placesOf[0][0]);
  const unit = current.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  box.scrollLeft += unit.left + unit.width / 2 - frame.left - frame.width / 2;
  box.scrollTop += unit.top + unit.height / 2 - frame.top - frame.height / 2;
}

function options(select, texts) {
  select.replaceChildren(...texts.map((text, k) => html("option", { value: k }, text)));
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const target = event.target;
  if (target !== document.body && !at("stepper").contains(target)) return;
  if (target.matches("select, input") || (target.matches("[data-scroll]") && scrolls(target))) return;
  const moves = { ArrowRight: now.step + 1, ArrowLeft: now.step - 1, Home: 0, End: steps.length - 1 };
  if (!(event.key in moves)) return;
  event.preventDefault();
  stop();
  go(moves[event.key]);
}

function activate(unit) {
  const layer = Number(unit.dataset.layer);
  const j = unitAt(layer, Number(unit.dataset.place), steps[now.step]);
  if (j < 0) return;
  stop();
  go(stepOfUnit(layer, j, now.step));
}

// The drawing fills its room, but its letters stay neither too small to read nor larger than those around.
function sizeFigure() {
  const wide = net.viewBox.baseVal.width;
  net.setAttribute("width", "100%");
  net.removeAttribute("height");
  net.style.minWidth = `${Math.round(0.78 * wide)}px`;
  net.style.maxWidth = `${Math.round(1.3 * wide)}px`;
}

function start() {
  sizeFigure();
  options(at("sample"), record.samples);
  options(at("state"), record.states.map((state) => state.label));
  at("updates").hidden = record.states.length < 2;
  at("slider").max = steps.length - 1;
  for (const { phase, name, kind } of PHASES) {
    const button = html("button", { type: "button", class: kind, "data-phase": phase }, name);
    button.addEventListener("click", () => { stop(); go(firstOf(phase)); });
    at("phases").append(button);
  }
  const moves = { first: () => 0, back: () => now.step - 1, next: () => now.step + 1, last: () => steps.length - 1 };
  for (const [id, move] of Object.entries(moves)) at(id).addEventListener("click", () => { stop(); go(move()); });
  at("play").addEventListener("click", play);
  at("slider").addEventListener("input", () => { stop(); go(Number(at("slider").value)); });
  at("sample").addEventListener("change", () => { now.sample = Number(at("sample").value); renderSample(); });
  at("state").addEventListener("change", () => { now.state = Number(at("state").value); renderSample(); });
  at("rewind").addEventListener("click", () => { stop(); Object.assign(now, { state: 0, step: 0 }); renderSample(); });
  document.addEventListener("keydown", onKey);
  for (const unit of unitPlaces) {
    unit.addEventListener("click", () => activate(unit));
    unit.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      activate(unit);
    });
  }
  addEventListener("resize", markScrollers);
  document.querySelector("#derivation details").addEventListener("toggle", markScrollers);
  renderSample();
}

start();
