"""``deltaprop show``: what is in a model file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deltaprop.cli.arguments import ModelFile
from deltaprop.cli.output import facts, table
from deltaprop.cli.runs import unfinished

if TYPE_CHECKING:
    from deltaprop.network import Network
    from deltaprop.table_model import TableModel


def show(model: ModelFile) -> None:
    """Print a model's layers, functions, columns and provenance."""
    from deltaprop import load
    from deltaprop.network import Network

    loaded = load(model)
    if isinstance(loaded, Network):
        facts(_network(loaded))
    else:
        _show_table_model(loaded)
    if unfinished(model):
        print("\nA run that has not come to its end: `deltaprop fit --resume` goes on with it.")


def _network(network: Network) -> list[tuple[str, object]]:
    return [
        ("layers", "-".join(map(str, network.layers))),
        ("h", ", ".join(network.h) or "none: there is no hidden layer"),
        ("output", network.output),
        ("loss", network.loss),
        ("parameters", f"{network.n_parameters:,}, {network.dtype.name}, {'with' if network.bias else 'no'} biases"),
        *([("dropout", ", ".join(f"{share:g}" for share in network.dropout))] if network.dropout else []),
        *([("input noise", f"{network.input_noise:g}")] if network.input_noise else []),
        ("seed", network.seed),
        ("epochs trained", network.epoch),
    ]


def _show_table_model(model: TableModel) -> None:
    provenance = dict(model.provenance)
    metrics = provenance.pop("metrics", {})
    for which in ("columns dropped", "columns ignored"):
        provenance[which] = ", ".join(provenance[which]) or "none"
    weights = provenance.get("class weight")
    if isinstance(weights, dict):
        provenance["class weight"] = ", ".join(f"{label} {weight:g}" for label, weight in weights.items())
    facts([("target", model.target.describe()), *_network(model.network), *provenance.items()])
    if metrics:
        print("\nOn the rows held out:")
        rows = [(name, f"{m['model']:.4g}", f"{m['baseline']:.4g}") for name, m in metrics.items()]
        table(["", "model", "baseline"], rows, numbers=[1, 2])
    print(f"\n{len(model.encoder.inputs)} inputs from {len(model.encoder.columns)} columns:")
    columns = [(column.name, f"{len(column.inputs)}", column.describe()) for column in model.encoder.columns]
    table(["column", "inputs", "what"], columns, numbers=[1])
