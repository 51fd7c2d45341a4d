// The panel of a step: the rule, the unit's own formula, the numbers put in, the value.

const MOST_TERMS = 8; // of a sum; of a longer one the first and the last
const MOST_BELOW = 4; // of one that stands below a line, which no narrow page can break

function few(n, most = MOST_TERMS) {
  const all = [...Array(n).keys()];
  return n <= most ? all : [...all.slice(0, most - 2), -1, n - 1];
}

// A sum in pieces that a narrow page may put below each other; -1 stands for the terms that are not written.
function sum(n, term) {
  return few(n).map((k, at) => {
    const own = k < 0 ? [mo("…")] : term(k);
    return math(...(at ? [mo("+")] : []), ...own);
  });
}

const product = (...factors) => factors.flatMap((factor, k) => (k ? [mo("·"), factor] : [factor]));
const beside = (...factors) => factors.flatMap((factor, k) => (k ? [thin(), factor] : [factor]));

function thin() {
  const space = m("mspace");
  space.setAttribute("width", "0.17em");
  return space;
}

function line(kind, left, sign, parts) {
  const right = html("span", { class: "right" }, ...parts.map((part) => html("span", { class: "piece" }, part)));
  return html(
    "div",
    { class: `line ${kind}` },
    html("span", { class: "left" }, left === null ? "" : math(left)),
    html("span", { class: "sign" }, sign),
    right,
  );
}

function rule(name) {
  const found = template(name);
  return found ? html("div", { class: "rule", "data-scroll": "" }, document.importNode(found.content, true)) : null;
}

// The parts of a step's panel; equations that follow each other have their signs below each other.
function panelOf(step) {
  const { what, layer, j } = step;
  const make = { sample: ofSample, a: ofSum, z: ofActivation, E: ofLoss, delta: ofDelta, dW: ofGradient, W_after: ofUpdate };
  const panel = [];
  for (const part of make[what](layer, j)) {
    if (part === null) continue;
    const last = panel.at(-1);
    if (!part.classList.contains("line")) panel.push(part);
    else if (last?.classList.contains("lines")) last.append(part);
    else panel.push(html("div", { class: "lines", "data-scroll": "" }, part));
  }
  return panel;
}

function ofSample() {
  return [
    html("p", {}, "The inputs x are known, and so are the targets r. Nothing has been computed yet."),
    html("p", { class: "muted" }, "Go on with the arrow: forward, unit by unit; then the loss; then back."),
  ];
}

function ofSum(layer, j) {
  const n = record.layers[layer - 1];
  const bias = record.bias ? [math(mo("+"), ofUnit("b", layer, j))] : [];
  const biasNumber = record.bias ? [math(mo("+"), place(`b:${layer}:${j}`))] : [];
  return [
    rule(`rule-a-${layer}`),
    line("formula", ofUnit("a", layer, j), "=",
      [...sum(n, (i) => beside(wSymbol(layer, i, j), zSymbol(layer - 1, i))), ...bias]),
    line("numbers", null, "=",
      [...sum(n, (i) => product(place(`W:${layer}:${i}:${j}`), place(zKey(layer - 1, i)))), ...biasNumber]),
    line("value", null, "=", [math(place(`a:${layer}:${j}`, true))]),
    termsTable("What comes in", ["from", "w", layer === 1 ? "x" : "z"], n, (i) => [
      nameOfUnit(layer - 1, i), `W:${layer}:${i}:${j}`, zKey(layer - 1, i)]),
  ];
}

function zKey(layer, i) {
  return layer === 0 ? `x:${i}` : `z:${layer}:${i}`;
}

function ofActivation(layer, j) {
  const softmax = layer === depth && record.softmax;
  const keys = { a: `a:${layer}:${j}`, z: `z:${layer}:${j}` };
  const lines = [rule(`rule-z-${layer}`)];
  if (softmax) lines.push(...ofSoftmax(layer, j));
  else {
    const letter = record.symbols[layer - 1].function.split(/[_^]/)[0];
    const name = symbol(letter, layer === depth ? ["o"] : []);
    lines.push(line("formula", zSymbol(layer, j), "=", [math(name, mo("("), ofUnit("a", layer, j), mo(")"))]));
    const numbers = formula(`h-${layer}`, keys);
    if (numbers) lines.push(line("numbers", null, "=", [numbers]));
  }
  lines.push(line("value", null, "=", [math(place(keys.z, true))]));
  if (layer === depth) lines.push(html("p", { class: "muted" }, "It should be ", shown(`r:${j}`), "."));
  return lines;
}

function ofSoftmax(layer, j) {
  const n = record.layers[layer];
  const power = (exponent) => m("msup", mi("e"), exponent);
  const total = (exponent) => row(...few(n, MOST_BELOW).flatMap((k, at) => [
    ...(at ? [mo("+")] : []), k < 0 ? mo("…") : power(exponent(k))]));
  const quotient = (exponent) => math(m("mfrac", power(exponent(j)), total(exponent)));
  return [
    line("formula", zSymbol(layer, j), "=", [quotient((k) => ofUnit("a", layer, k))]),
    line("numbers", null, "=", [quotient((k) => place(`a:${layer}:${k}`, true))]),
  ];
}

function ofLoss() {
  const n = record.layers[depth];
  const parts = few(n).map((k, at) => {
    const own = html("span", {}, at ? math(mo("+")) : "");
    own.append(k < 0 ? math(mo("…")) : formula(`E-${k}`));
    return own;
  });
  return [
    rule("rule-E"),
    line("numbers", mi("E"), "=", parts),
    line("value", null, "=", [math(place("E", true))]),
    termsTable("What came out, and what should have", ["output", "y", "r"], n, (k) => [
      nameOfUnit(depth, k), `z:${depth}:${k}`, `r:${k}`]),
  ];
}

function ofDelta(layer, j) {
  const keys = { a: `a:${layer}:${j}`, z: `z:${layer}:${j}` };
  const value = line("value", null, "=", [math(place(`delta:${layer}:${j}`, true))]);
  if (layer === depth) {
    const numbers = formula(`delta-${j}`);
    const left = ofUnit("δ", layer, j);
    if (!numbers) value.querySelector(".left").append(math(left));
    return [rule(`rule-delta-${layer}`), numbers ? line("numbers", left, "=", [numbers]) : null, value];
  }
  const n = record.layers[layer + 1];
  const inBrackets = (parts) => (n === 1 ? parts : [math(mo("(")), ...parts, math(mo(")"))]);
  const above = (term) => inBrackets(sum(n, term));
  const slope = formula(`dh-${layer}`, keys);
  return [
    rule(`rule-delta-${layer}`),
    line("formula", ofUnit("δ", layer, j), "=", [
      math(slopeSymbol(layer, j)), ...above((k) => beside(ofUnit("δ", layer + 1, k), wSymbol(layer + 1, j, k)))]),
    line("numbers", null, "=", [math(place(`dh:${layer}:${j}`), mo("·")),
      ...above((k) => product(place(`delta:${layer + 1}:${k}`), place(`W:${layer + 1}:${j}:${k}`)))]),
    value,
    rule(`rule-dh-${layer}`),
    line("numbers", slopeSymbol(layer, j), "=", [
      ...(slope ? [slope] : []), math(...(slope ? [mo("=")] : []), place(`dh:${layer}:${j}`, true))]),
    termsTable("What comes back", ["to", "δ", "w"], n, (k) => [
      nameOfUnit(layer + 1, k), `delta:${layer + 1}:${k}`, `W:${layer + 1}:${j}:${k}`]),
  ];
}

function ofGradient(layer, j) {
  const n = record.layers[layer - 1];
  const lines = few(n).map((i) => (i < 0 ? dots() : line("formula", partial(wSymbol(layer, i, j)), "=", [
    math(...beside(ofUnit("δ", layer, j), zSymbol(layer - 1, i))),
    math(mo("="), ...product(place(`delta:${layer}:${j}`), place(zKey(layer - 1, i)))),
    math(mo("="), place(`dW:${layer}:${i}:${j}`, true))])));
  if (record.bias) {
    lines.push(line("formula", partial(ofUnit("b", layer, j)), "=", [
      math(ofUnit("δ", layer, j)), math(mo("="), place(`db:${layer}:${j}`, true))]));
  }
  return [
    rule(`rule-dW-${layer}`),
    ...lines,
    termsTable("The gradient, weight by weight", ["from", layer === 1 ? "x" : "z", "∂E/∂w"], n, (i) => [
      nameOfUnit(layer - 1, i), zKey(layer - 1, i), `dW:${layer}:${i}:${j}`]),
  ];
}

function dots() {
  return html("div", { class: "line" }, html("span", { class: "left" }, "⋮"), html("span"), html("span"));
}

function ofUpdate(layer, j) {
  const n = record.layers[layer - 1];
  const plain = record.plain;
  const gradient = (slope) => (slope.startsWith("dW:") && has(`dW_penalty:${layer}`)
    ? [mo("("), place(slope), mo("+"), place(slope.replace("dW", "dW_penalty")), mo(")")] : [place(slope)]);
  const one = (letter, old, slope, change, now) => line("formula", letter, "←", [
    plain ? math(place(old, true), mo("−"), place("eta"), mo("·"), ...gradient(slope))
      : math(place(old, true), mo("+"), place(change)),
    math(mo("="), place(now, true))]);
  const lines = few(n).map((i) => {
    const at = `${layer}:${i}:${j}`;
    return i < 0 ? dots() : one(wSymbol(layer, i, j), `W:${at}`, `dW:${at}`, `change_W:${at}`, `W_after:${at}`);
  });
  if (record.bias) {
    const at = `${layer}:${j}`;
    lines.push(one(ofUnit("b", layer, j), `b:${at}`, `db:${at}`, `change_b:${at}`, `b_after:${at}`));
  }
  const penalised = has(`dW_penalty:${layer}`);
  const names = ["from", "w", "w + Δw", "Δw", "∂E/∂w", ...(penalised ? ["∂Ω/∂w"] : [])];
  return [
    rule(`rule-w-${layer}`),
    rule("rule-step"),
    html("p", { class: "muted" }, "η is ", shown("eta"), plain ? "." : "; Δw comes from what the rule remembers, too."),
    ...lines,
    termsTable("The new weights", names, n, (i) => [
      nameOfUnit(layer - 1, i),
      ...["W", "W_after", "change_W", "dW", ...(penalised ? ["dW_penalty"] : [])].map((q) => `${q}:${layer}:${i}:${j}`)]),
  ];
}
