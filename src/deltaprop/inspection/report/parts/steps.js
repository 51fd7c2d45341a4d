// The steps of one update, in the order of the lecture's algorithm, and at which step each number becomes known.

// Each phase, and in which colour it is shown.
const PHASES = [
  { phase: "sample", name: "Sample", kind: "sample" },
  { phase: "forward", name: "Forward", kind: "forward" },
  { phase: "loss", name: "Loss", kind: "loss" },
  { phase: "backward", name: "Backward: δ", kind: "backward" },
  { phase: "gradient", name: "Gradients", kind: "backward" },
  { phase: "update", name: "Update", kind: "update" },
];
const phaseOf = (step) => PHASES.find(({ phase }) => phase === step.phase);

const steps = [{ phase: "sample", what: "sample", layer: 0, j: -1 }];
const knownAt = new Map();

function addStep(phase, what, layer, j) {
  knownAt.set(`${what}:${layer}:${j}`, steps.length);
  steps.push({ phase, what, layer, j });
}

function addSteps() {
  for (let layer = 1; layer <= depth; layer++) {
    const n = record.layers[layer];
    const together = layer === depth && record.softmax; // every z needs every a
    for (let j = 0; j < n; j++) {
      addStep("forward", "a", layer, j);
      if (!together) addStep("forward", "z", layer, j);
    }
    for (let j = 0; together && j < n; j++) addStep("forward", "z", layer, j);
  }
  addStep("loss", "E", depth, -1);
  for (let layer = depth; layer >= 1; layer--) {
    for (let j = 0; j < record.layers[layer]; j++) addStep("backward", "delta", layer, j);
  }
  for (const [phase, what] of [["gradient", "dW"], ["update", "W_after"]]) {
    for (let layer = 1; layer <= depth; layer++) {
      for (let j = 0; j < record.layers[layer]; j++) addStep(phase, what, layer, j);
    }
  }
}
addSteps();

const known = (what, layer, j, step) => step >= (knownAt.get(`${what}:${layer}:${j}`) ?? 0);
const firstOf = (phase) => steps.findIndex((step) => step.phase === phase);

// The step of a unit that is nearest in kind to the present one.
function stepOfUnit(layer, j, present) {
  if (layer === 0) return 0;
  const { phase, what } = steps[present];
  const wanted = phase === "forward" ? what : { backward: "delta", gradient: "dW", update: "W_after" }[phase] ?? "a";
  return knownAt.get(`${wanted}:${layer}:${j}`);
}

function titleOf(step) {
  const name = step.j < 0 ? "" : nameOfUnit(step.layer, step.j);
  const output = step.layer === depth;
  switch (step.what) {
    case "sample": return "The sample goes in";
    case "a": return `${name}: the sum of what comes in`;
    case "z": return output ? `${name}: the output` : `${name}: the activation`;
    case "E": return "The loss of this sample";
    case "delta": return output ? `${name}: δ of the output` : `${name}: δ from the units above`;
    case "dW": return `${name}: the gradient of its weights`;
    default: return `${name}: its new weights`;
  }
}

function wordsOf(index) {
  const step = steps[index];
  const letter = { a: "a", z: "z", delta: "δ", E: "E" }[step.what];
  const key = step.what === "E" ? "E" : `${step.what}:${step.layer}:${step.j}`;
  const value = letter ? ` ${letter} = ${written(numberOf(key))}.` : "";
  return `Step ${index + 1} of ${steps.length}, ${phaseOf(step).name}. ${titleOf(step)}.${value}`;
}
