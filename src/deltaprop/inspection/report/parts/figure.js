// The drawing: what is known at a step, and what the step is about. It depends on nothing but the step and the record.

const net = document.getElementById("net");
const unitPlaces = [...net.querySelectorAll(".unit")];
const placesOf = [...Array(depth + 1).keys()].map((layer) =>
  unitPlaces.filter((unit) => Number(unit.dataset.layer) === layer));
const edges = [...net.querySelectorAll("[data-edge]")];
const weightLabels = new Map([...net.querySelectorAll("[data-weight]")].map((text) => [text.dataset.weight, text]));

// Which unit a place shows: its own, or that of the step where it stands for units that are not drawn.
function unitAt(layer, p, step) {
  const own = placesOf[layer][p].dataset.j;
  if (own !== undefined) return Number(own);
  const drawn = placesOf[layer].some((unit) => Number(unit.dataset.j) === step.j);
  return layer === step.layer && step.j >= 0 && !drawn ? step.j : -1;
}

const subscript = (n) => String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

function put(text, before, key) {
  text.replaceChildren();
  if (key === null) return;
  const own = document.createElementNS("http://www.w3.org/2000/svg", "tspan");
  own.setAttribute("data-q", key);
  own.textContent = written(numberOf(key), 3);
  text.append(before, own);
}

function drawUnit(unit, index) {
  const layer = Number(unit.dataset.layer);
  const step = steps[index];
  const j = unitAt(layer, Number(unit.dataset.place), step);
  const spare = unit.dataset.j === undefined;
  unit.classList.toggle("absent", j < 0);
  const current = layer === step.layer && j === step.j && j >= 0;
  unit.classList.toggle("current", current);
  unit.dataset.kind = current ? phaseOf(step).kind : "";
  if (spare) {
    const letter = layer === 0 ? "x" : layer === depth ? "y" : "z";
    unit.querySelector(".of").textContent = j < 0 ? "⋮" : `${letter}${subscript(j + 1)}`;
    unit.setAttribute("tabindex", j < 0 ? "-1" : "0");
    unit.setAttribute("aria-hidden", j < 0 ? "true" : "false");
  }
  const value = unit.querySelector(".value");
  if (j < 0) {
    for (const name of ["aria-current", "aria-label"]) unit.removeAttribute(name);
    for (const text of unit.querySelectorAll(".value, .sum, .delta")) put(text, "", null);
    return;
  }
  unit.setAttribute("aria-current", current ? "step" : "false");
  const said = [nameOfUnit(layer, j)];
  const show = (text, letter, before, key) => {
    put(text, before, key);
    if (key !== null) said.push(`${letter} ${written(numberOf(key), 3)}`);
  };
  if (layer === 0) show(value, "x", "", `x:${j}`);
  else {
    const at = (what) => (known(what, layer, j, index) ? `${what}:${layer}:${j}` : null);
    show(unit.querySelector(".sum"), "a", "a ", at("a"));
    show(value, layer === depth ? "y" : "z", "", at("z"));
    show(unit.querySelector(".delta"), "δ", "δ ", at("delta"));
  }
  unit.setAttribute("aria-label", `unit ${said.join(", ")}`);
}

// How a step lights a line: what flows along it, and which way.
function lit(layer, i, j, step) {
  if (step.j < 0) return "";
  if (step.what === "delta") return layer === step.layer + 1 && i === step.j ? "backward" : "";
  if (layer !== step.layer || j !== step.j) return "";
  return { a: "forward", dW: "backward", W_after: "update" }[step.what] ?? "";
}

function drawEdge(edge, index) {
  const [layer, p, q] = edge.dataset.edge.split(":").map(Number);
  const step = steps[index];
  const i = unitAt(layer - 1, p, step);
  const j = unitAt(layer, q, step);
  const label = weightLabels.get(edge.dataset.edge);
  for (const name of ["marker-start", "marker-end", "stroke-width", "data-below"]) edge.removeAttribute(name);
  if (i < 0 || j < 0) {
    edge.setAttribute("class", "edge absent");
    return;
  }
  const after = known("W_after", layer, j, index);
  const key = `${after ? "W_after" : "W"}:${layer}:${i}:${j}`;
  const w = numberOf(key);
  const kind = lit(layer, i, j, step);
  const size = Math.min(Math.abs(w) / record.states[shownNow.state].largest[layer - 1], 1.2);
  edge.setAttribute("stroke-width", (0.7 + 2.8 * size + (kind ? 1 : 0)).toFixed(2));
  edge.setAttribute("class", `edge ${kind}`);
  edge.toggleAttribute("data-below", w < 0);
  const back = kind === "backward" && step.what === "delta";
  edge.setAttribute(back ? "marker-start" : "marker-end", `url(#tip-${kind || "edge"})`);
  if (!label) return;
  label.setAttribute("class", `weight ${kind}`);
  put(label, "", step.what === "dW" && kind ? `dW:${layer}:${i}:${j}` : key);
}

function drawFigure(index) {
  const step = steps[index];
  for (const unit of unitPlaces) drawUnit(unit, index);
  for (const edge of edges) drawEdge(edge, index);
  for (const text of net.querySelectorAll("[data-target]")) {
    const j = placesOf[depth][Number(text.dataset.target)].dataset.j;
    put(text, "r = ", `r:${j}`);
  }
  const loss = net.querySelector("[data-loss]");
  const there = known("E", depth, -1, index);
  loss.parentNode.classList.toggle("absent", !there);
  loss.parentNode.classList.toggle("current", step.what === "E");
  put(loss, "", there ? "E" : null);
}
