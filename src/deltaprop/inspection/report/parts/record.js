// The record: the engine's numbers, decoded. A key names one number: "W:1:0:2" is w from unit 0 to unit 2 of layer 1.

const record = JSON.parse(document.getElementById("record").textContent);
const depth = record.layers.length - 1;
const NumberArray = record.dtype === "float32" ? Float32Array : Float64Array;

function decoded(text, ArrayType) {
  return new ArrayType(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

function byName(numbers, parts) {
  const found = new Map();
  let at = 0;
  for (const [name, size] of parts) {
    found.set(name, numbers.subarray(at, at + size));
    at += size;
  }
  return found;
}

const shownNow = { state: -1, sample: -1, numbers: new Map(), E: 0 };

function choose(state, sample) {
  if (shownNow.state === state && shownNow.sample === sample) return;
  const own = record.states[state];
  shownNow.state = state;
  shownNow.sample = sample;
  shownNow.numbers = new Map([
    ...byName(decoded(own.numbers, NumberArray), record.stateParts),
    ...byName(decoded(own.samples[sample], NumberArray), record.sampleParts),
  ]);
  shownNow.E = decoded(own.E, Float64Array)[sample];
}

function has(name) {
  return shownNow.numbers.has(name);
}

function numberOf(key) {
  if (key === "E") return shownNow.E;
  if (key === "eta") return record.states[shownNow.state].eta;
  const [name, first, ...indices] = key.split(":");
  if (name === "x" || name === "r") return shownNow.numbers.get(name)[Number(first)];
  const numbers = shownNow.numbers.get(`${name}:${first}`);
  const [i, j] = indices.map(Number);
  return numbers[indices.length === 1 ? i : i * record.layers[Number(first)] + j];
}

// A number as people read it, with so many digits; "−" is the minus of typography.
function written(x, digits = 6) {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const few = digits === 3;
  const plain = few ? Math.abs(x) >= 1e-3 && Math.abs(x) < 1e3 : Math.abs(x) >= 1e-4 && Math.abs(x) < 1e6;
  const text = plain
    ? String(Number(x.toPrecision(digits)))
    : String(x.toExponential(few ? 1 : digits - 1)).replace(/\.?0*e\+?/, "e");
  return text.replaceAll("-", "−");
}

function nameOfUnit(layer, j) {
  return layer === 0 ? record.inputs[j] : record.units[layer - 1][j];
}
