"""How a table's network is trained where its owner leaves it to us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import Target
from deltaprop.data.targets import Labels, label_text
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta
from deltaprop.errors import DivergenceError, TableError
from deltaprop.functions import Loss
from deltaprop.network import Network
from deltaprop.table_model.preparation import Prepared
from deltaprop.targets import ClassWeight
from deltaprop.terminal import say
from deltaprop.training import History
from deltaprop.training.loop import train

_ETAS = (0.1, 0.01, 0.001)  # tried in turn while descent diverges, where the caller named none
_STEPS = 40_000  # of descent, about, where the caller named no epochs
_EPOCHS = (20, 300)  # at least and at most then
_PATIENCE = 30  # epochs without a lower validation loss


def learn(
    data: Prepared,
    *,
    hidden: Sequence[int],
    h: str | Sequence[str],
    loss: Loss | None,
    init: str | None,
    class_weight: ClassWeight | None,
    seed: int,
    dtype: str,
    epochs: int | None,
    eta: Eta | None,
    batch_size: int,
    optimizer: str | Optimizer,
    verbose: bool,
) -> tuple[Network, History, list[str]]:
    """Return a network trained on what was prepared, its history, and what its owner wants to know.

    Where no eta was named and training diverges it starts over with a tenth of it. `TableModel.fit` documents the rest.
    """
    output, loss_name = data.target.functions(loss)
    layers = [data.X.shape[1], *hidden, data.target.n_out]
    network = Network(layers, h=h, output=output, loss=loss_name, init=init, seed=seed, dtype=dtype)
    if verbose:
        for line in (*data.summary(), network):
            say(line)
    if epochs is None:
        epochs = int(np.clip(_STEPS // -(-len(data.X) // batch_size), *_EPOCHS))

    def once(eta: Eta) -> History:
        return train(
            network,
            data.X,
            data.R,
            epochs=epochs,
            eta=eta,
            batch_size=batch_size,
            optimizer=optimizer,
            class_weight=class_weight,
            validation=data.validation,
            patience=None if data.validation is None else _PATIENCE,
            verbose=verbose,
        )

    if eta is not None:
        return network, once(eta), []
    notes: list[str] = []
    for attempt in _ETAS[:-1]:
        try:
            return network, once(attempt), notes
        except DivergenceError:
            notes.append(f"training diverged with eta {attempt:g} and was started over with a tenth of that")
            network.reset()
            if verbose:
                say(f"note: {notes[-1]}")
    return network, once(_ETAS[-1]), notes


def weights_of_rows(class_weight: Any, target: Target, R: Array) -> Array | None:
    """Return how much each row of R counts by the class weights that a model was trained with; None: all alike.

    "balanced" is that of the training rows: n / (classes · rows of the class).
    """
    if class_weight is None or not isinstance(target, Labels):
        return None
    numbers = class_weight_by_number(class_weight, target)
    if isinstance(numbers, str):
        counts = np.maximum(target.counts, 1)
        of_class = sum(target.counts) / (len(counts) * counts)
    else:
        of_class = np.array([float(numbers.get(k, 1.0)) for k in range(len(target.labels))])
    weights: Array = target.probabilities(R) @ of_class
    if not weights.any():
        raise TableError(f"Every row of the table has a label of {target.name!r} that class_weight gave a weight of 0.")
    return weights


def class_weight_by_number(class_weight: Any, target: Target) -> Any:
    """Return class weights by the numbers of the classes, from those by label."""
    if class_weight is None:
        return None
    if not isinstance(target, Labels):
        raise TableError(f"class_weight is for labels, and {target.name!r} is a quantity.")
    if isinstance(class_weight, str):
        return class_weight
    if not hasattr(class_weight, "items"):
        raise TypeError(
            f"TableModel.fit: class_weight needs 'balanced', or a mapping of label to weight; got {class_weight!r}."
        )
    places = {label_text(label): k for k, label in enumerate(target.labels)}
    numbers: dict[int, Any] = {}
    for label, weight in class_weight.items():
        if label_text(label) not in places:
            raise TableError(f"class_weight has {label!r}, which is no label of {target.name!r}.")
        if places[label_text(label)] in numbers:
            raise TableError(f"class_weight has the label {label!r} of {target.name!r} twice.")
        numbers[places[label_text(label)]] = weight
    return numbers
