// Tables: the terms of a sum, and the columns of the sample.

function table(caption, head, rows) {
  const top = html("tr", {}, ...head.map((cell) => html("th", { scope: "col" }, cell)));
  return html("div", { class: "scroll", "data-scroll": "" }, html("table", {}, html("caption", {}, caption),
    html("thead", {}, top), html("tbody", {}, ...rows.map(([first, ...rest]) =>
      html("tr", {}, html("th", { scope: "row" }, first), ...rest.map((cell) => html("td", {}, cell)))))));
}

function termsTable(caption, head, n, keys) {
  const rows = [...Array(n).keys()].map((k) => {
    const [name, ...numbers] = keys(k);
    return [name, ...numbers.map(shown)];
  });
  return table(caption, head, rows);
}

function sampleTables(sample) {
  const tables = [];
  if (record.columns.length) {
    tables.push(table("As the table has it", ["column", "cell"], record.columns.map(([name, cells]) => [name, cells[sample]])));
  }
  const inputs = record.inputs.map((name, i) => [name, shown(`x:${i}`)]);
  tables.push(table("As the network sees it", ["input", "x"], inputs));
  const outputs = record.units[depth - 1].map((name, j) => [name, shown(`z:${depth}:${j}`), shown(`r:${j}`)]);
  tables.push(table("What comes out", ["output", "y", "r"], outputs));
  return tables;
}
