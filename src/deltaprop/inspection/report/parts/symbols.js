// Elements: HTML, SVG and MathML, made one by one, so that a name is always text.

// An operator at the beginning of a piece stands between two terms nevertheless.
const ALONE = { stretchy: "false", lspace: "0", rspace: "0" };
const OPERATORS = { "(": ALONE, ")": ALONE, "+": { form: "infix" }, "=": { form: "infix" }, "·": { form: "infix" }, "−": { form: "infix" } };
const MATH = "http://www.w3.org/1998/Math/MathML";

function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function m(tag, ...children) {
  return filled(document.createElementNS(MATH, tag), {}, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const mi = (text) => m("mi", text);
const mo = (text) => filled(document.createElementNS(MATH, "mo"), text in OPERATORS ? OPERATORS[text] : {}, [text]);
const row = (...children) => m("mrow", ...children);
const math = (...children) => m("math", row(...children));

// A number of the record within a formula: in brackets where it is below 0 or has a power of ten, unless it is alone.
function place(key, bare = false) {
  const [mantissa, exponent] = written(numberOf(key)).split("e");
  const power = exponent === undefined ? [] : [mo("·"), m("msup", m("mn", "10"), m("mn", exponent))];
  const own = row(m("mn", mantissa), ...power);
  own.setAttribute("data-q", key);
  return (mantissa.startsWith("−") || power.length) && !bare ? row(mo("("), own, mo(")")) : own;
}

// A number of the record within words or a table.
function shown(key) {
  return html("span", { class: "number", "data-q": key }, written(numberOf(key)));
}

function symbol(base, indices, layer = 0) {
  const letters = indices.map((index) => (typeof index === "number" ? m("mn", String(index)) : mi(index)));
  const apart = indices.some((index) => String(index).length > 1);
  let below = row(...letters.flatMap((letter, k) => (k && apart ? [mo(","), letter] : [letter])));
  if (indices.length === 2 && indices[0] === "y") below = m("msub", mi("y"), letters[1]);
  const prime = base.endsWith("′");
  const above = [];
  if (layer) above.push(mo("("), m("mn", String(layer)), mo(")"));
  if (prime) above.push(mo("′"));
  const letter = mi(base.replace("′", ""));
  if (indices.length && above.length) return m("msubsup", letter, below, row(...above));
  if (indices.length) return m("msub", letter, below);
  return above.length ? m("msup", letter, row(...above)) : letter;
}

// The symbols of a unit, in the letters of the derivation.
function ofUnit(base, layer, j) {
  const own = record.symbols[layer - 1];
  if (own.hidden) return symbol(base, [j + 1], own.shown);
  return symbol(base, own.single ? ["y"] : ["y", j + 1]);
}

function zSymbol(layer, j) {
  if (layer === 0) return symbol("x", [j + 1]);
  const own = record.symbols[layer - 1];
  if (own.hidden) return symbol("z", [j + 1], own.shown);
  return symbol("y", own.single ? [] : [j + 1]);
}

function wSymbol(layer, i, j) {
  const own = record.symbols[layer - 1];
  return own.single ? symbol(own.weight, [i + 1]) : symbol(own.weight, [j + 1, i + 1], own.shown);
}

function slopeSymbol(layer, j) {
  const [, base, above, below] = /^([^_^]*)(?:\^(\d+))?(?:_(.*))?$/.exec(record.symbols[layer - 1].function);
  const letter = symbol(`${base}′`, below ? [below] : [], Number(above ?? 0));
  return row(letter, mo("("), ofUnit("a", layer, j), mo(")"));
}

function partial(bottom) {
  return m("mfrac", row(mo("∂"), mi("E")), row(mo("∂"), bottom));
}

const template = (name) => document.getElementById(`f-${name}`);

// A formula of the page's, its empty places filled with the numbers they name; null where there is none.
function formula(name, keys = {}) {
  const found = template(name);
  if (!found) return null;
  const copy = document.importNode(found.content, true);
  for (const [attribute, bare] of [["data-slot", false], ["data-bare", true]]) {
    for (const empty of copy.querySelectorAll(`[${attribute}]`)) {
      const key = empty.getAttribute(attribute);
      empty.replaceWith(place(keys[key] ?? key, bare));
    }
  }
  return copy;
}
