"""What a page says beside its steps, as HTML: the network in words, health, the derivation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from deltaprop.errors import MissingExtraError
from deltaprop.inspection.health import HealthReport
from deltaprop.model import Model
from deltaprop.training import Record


def network_in_words(model: Model, etas: Sequence[float]) -> list[tuple[str, str]]:
    """Return what the network is, as pairs of a word and what belongs to it.

    Examples
    --------
    >>> network_in_words(Model([2, 4, 1]), [0.1])[:2]
    [('layers', '2 → 4 → 1'), ('h', 'sigmoid; output sigmoid')]
    """
    hidden = list(dict.fromkeys(model.h)) if len(set(model.h)) == 1 else list(model.h)
    functions = f"{', '.join(hidden)}; output {model.output}" if hidden else f"output {model.output}"
    rule = model.memory.optimizer
    own = ", ".join(f"{p.name} {p.written(v)}" for p, v in zip(rule.parameters, rule.values, strict=True))
    facts = [
        ("layers", " → ".join(f"{n:,}" for n in model.layers)),
        ("h", functions),
        ("loss E", model.loss),
        ("parameters", f"{model.n_parameters:,}, {'with' if model.bias else 'without'} biases, {model.dtype.name}"),
        ("optimizer", f"{rule.name} ({own})" if own else rule.name),
        ("η", f"{etas[0]:g}" if len(set(etas)) == 1 else f"{etas[0]:g} to {etas[-1]:g}"),
    ]
    penalty = [f"{name} {value:g}" for name, value in (("l2", model.l2), ("l1", model.l1)) if value]
    if penalty:
        facts.append(("penalty Ω", ", ".join(penalty)))
    facts.append(("epochs trained", f"{model.epoch:,}"))
    return facts


def notes_on(model: Model, record: Record | None, batch_size: int, weighted: bool) -> list[str]:
    """Return what a reader has to know of the numbers, a sentence each."""
    if record is not None:
        batch_size = record.batch_size
    together = f"; in training {batch_size:,} samples together made each" if batch_size > 1 else ""
    notes = [f"The update here is a step of one sample alone, from the weights as they are{together}."]
    rule = model.memory.optimizer
    if rule.full_batch:
        notes = [f"Training was by {rule.name}, of all samples at once; the update here is plain descent's, of one."]
    if model.dropout or model.input_noise:
        drawn = " and ".join(
            words for words, given in (("dropout", model.dropout), ("noise", model.input_noise)) if given
        )
        notes.append(f"In training there is {drawn}; the numbers here are without.")
    if weighted:
        notes.append("In training rows count by their class; in the updates here each counts once.")
    return notes


def notes_html(notes: list[str]) -> str:
    """Return sentences as paragraphs."""
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def facts_html(facts: list[tuple[str, str]]) -> str:
    """Return pairs as a list of definitions."""
    return "<dl>" + "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts) + "</dl>"


def health_html(report: HealthReport) -> str:
    """Return a health report as a table of layers and its findings."""
    head = ["layer", "h", "units", "dead", "saturated", "rms δ", "rms ∂E/∂w", "rms w"]
    rows = []
    for layer in report.layers:
        shares = ["–" if share is None else f"{share:.0%}" for share in (layer.dead, layer.saturated)]
        sizes = [f"{size:.3g}" for size in (layer.delta, layer.dW, layer.W)]
        rows.append([str(layer.layer), layer.h, f"{layer.units:,}", *shares, *sizes])
    words = str(report).split("\n")[1 + len(rows) :]
    kind = "ok" if report.ok else "found"
    said = "".join(f"<p>{escape(line)}</p>" for line in words)
    return f'{table_html(head, rows, "Health, layer by layer")}<div class="{kind}">{said}</div>'


def table_html(head: list[str], rows: list[list[str]], caption: str) -> str:
    """Return a table with its first column as the head of each row."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" data-scroll><table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def derivation_html(model: Model) -> str:
    """Return the network's derivation in symbols; a sentence where SymPy is missing."""
    from deltaprop.inspection.derivation import derive
    from deltaprop.inspection.derivation.html import body

    try:
        text = body(derive(model))
    except MissingExtraError as error:
        return f"<p>{escape(str(error))}</p>"
    deeper = re.sub(r"<(/?)h2>", r"<\1h4>", text)
    return re.sub(r"<(/?)h1>", r"<\1h3>", deeper)  # names are escaped: these are headings alone
