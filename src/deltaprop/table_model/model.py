"""TableModel: a table in, a model out. The verbs are in the rooms beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from deltaprop.arrays import Array
from deltaprop.data import TableEncoder
from deltaprop.data.targets import target_from_json
from deltaprop.definition import define
from deltaprop.descent.initializers import Initializer
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.functions import Activation, Loss
from deltaprop.functions import loss as loss_of
from deltaprop.network import Network
from deltaprop.storage import PathLike, write_model_file
from deltaprop.table_model.learning import Learning
from deltaprop.table_model.looking import Looking
from deltaprop.table_model.provenance import check_provenance, described
from deltaprop.training import History

_EXTRAS = ("l2", "l1", "dropout", "input_noise")


class TableModel(Learning, Looking):
    """An encoder of a table's columns, a `Network`, and the labels or the unit of the target, joined.

    Text, Boolean and category targets, and those with exactly two distinct values, are classification: a sigmoid output
    with log loss for two classes, softmax with cross-entropy for more. Others are regression: an identity output with
    squared error, on the standardised target.

    Parameters
    ----------
    hidden : sequence of int, default (32, 16)
        Units of the hidden layers; ``()`` for none.
    h : str or sequence of str, default "tanh"
        Activation of the hidden layers.
    loss : str or Loss, optional
        Another loss than those: focal for labels; huber, absolute_error, ``"quantile:q=0.9"``, … for quantities, or
        poisson, gamma and tweedie, whose output is exp and whose target is not centred.
    init : str or Initializer, optional
        How the first weights are drawn; by default as h needs.
    seed : int, default 0
        From it come the rows held out, the first weights and the order of each epoch.
    dtype : "float32" or "float64", default "float64"
    dropout, input_noise : default 0
        As in `Network`: a share for all hidden layers, or of the inputs and of these, or of each.
    l2, l1 : float, default 0
        Penalties on the weights, as of `Network`.

    Attributes
    ----------
    network : Network
        After `fit`; its inputs are ``encoder.inputs``.
    encoder : TableEncoder
    target : Labels or Quantity
    provenance : dict
        Where the model comes from: version, rows, settings, metrics of the held-out rows.
    notes : list of str
        What the last `fit` wants its caller to know, such as columns that it left out.
    evaluation : Evaluation or None
        Of the rows that the last `fit` held out.
    history : History or None
        What the `fit` returned that made the model; from a file without its seconds.

    Raises
    ------
    TypeError, ValueError
        If hidden, h, loss, init, seed, dtype, l2 or l1 cannot be used; see `Network`.

    Notes
    -----
    Source: the network and its training are `Network`'s; docs/tables.md says what becomes of each column.

    Examples
    --------
    >>> from deltaprop import TableModel
    >>> table = {"height": [1.5, 1.6, 1.7, 1.8, 1.9, 2.0] * 10, "tall": ["no", "no", "no", "yes", "yes", "yes"] * 10}
    >>> model = TableModel(hidden=(4,))
    >>> history = model.fit(table, "tall")
    >>> model.predict({"height": [1.4, 2.1]})
    array(['no', 'yes'], dtype='<U3')
    >>> model.evaluate(table)["accuracy"]
    1.0
    """

    @answers_foreign_words
    def __init__(
        self,
        *,
        hidden: Sequence[int] = (32, 16),
        h: str | Activation | Sequence[str | Activation] = "tanh",
        loss: str | Loss | None = None,
        init: str | Initializer | None = None,
        seed: int = 0,
        dtype: str = "float64",
        l2: float = 0.0,
        l1: float = 0.0,
        dropout: float | Sequence[float] = 0.0,
        input_noise: float = 0.0,
    ) -> None:
        if not isinstance(hidden, Sequence) or isinstance(hidden, str):
            raise TypeError(
                f"TableModel: hidden needs the units of each hidden layer, such as (32, 16); got {hidden!r}."
            )
        usual = {"output": "sigmoid", "loss_name": "log", "bias": True}
        network = define(
            [1, *hidden, 1], h=h, init=init, seed=seed, dtype=dtype, l2=l2, l1=l1, dropout=dropout,
            input_noise=input_noise, who="TableModel", **usual,
        )  # fmt: skip
        self.hidden = tuple(hidden)
        self.h = str(h) if isinstance(h, str | Activation) else tuple(map(str, h))
        self.loss = None if loss is None else str(loss_of(loss, where="TableModel: loss"))
        self.init = None if init is None else str(init)
        self.seed = seed
        self.dtype = dtype
        self.l2, self.l1, self.input_noise = network.l2, network.l1, network.input_noise
        self.dropout = network.dropout or 0.0
        self.notes = []
        self.evaluation = None
        self.history = None
        self._parts = None

    def save(self, path: PathLike) -> None:
        """Write the model to one file, which replaces what was there, whole or not at all; `deltaprop.load` reads it.

        Parameters
        ----------
        path : path-like
            By custom it ends in ``.deltaprop``.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        OSError
            If it cannot be written; nothing has changed then.
        ValueError
            If a parameter is not finite.
        """
        encoder, target, network, provenance = self._fitted()
        header = {**described(encoder, target, provenance, self.history), "network": network.description()}
        write_model_file(path, header, {"theta": network.finite_theta("save")})

    @classmethod
    def from_description(cls, header: Mapping[str, Any], theta: Array) -> Self:
        """Return the model of a file's parts; raise ValueError, TypeError or KeyError where they do not fit."""
        network = Network.from_description(header["network"], theta)
        encoder = TableEncoder.from_json(header["encoder"])
        target = target_from_json(header["target"])
        if (len(encoder.inputs), target.n_out) != (network.layers[0], network.layers[-1]):
            raise ValueError("the network does not have the inputs and outputs of the table")
        own_loss = loss_of(network.loss, where="the network")
        if network.output != target.functions(own_loss)[0]:
            raise ValueError("the network's output and loss are not those of the target")
        provenance = dict(header["provenance"])
        check_provenance(provenance)
        h = {"h": network.h[0] if len(set(network.h)) == 1 else network.h} if network.h else {}
        model = cls(
            hidden=network.layers[1:-1],
            **h,
            loss=None if target.functions()[1] == network.loss else network.loss,
            init=network.init,
            seed=network.seed,
            dtype=network.dtype.name,
            l2=network.l2,
            l1=network.l1,
            dropout=network.dropout or 0.0,
            input_noise=network.input_noise,
        )
        model._parts = encoder, target, network, provenance
        model.history = History.from_json(header["history"]) if "history" in header else None
        return model

    def __repr__(self) -> str:
        more = "".join(f", {name}={value!r}" for name in ("loss", "init") if (value := getattr(self, name)) is not None)
        more += "".join(f", {name}={value!r}" for name in _EXTRAS if (value := getattr(self, name)))
        arguments = f"hidden={self.hidden}, h={self.h!r}{more}, seed={self.seed}, dtype={self.dtype!r}"
        if self._parts is None:
            return f"TableModel({arguments})"
        return f"TableModel({arguments}) fitted to {self.target.name!r}: {self.target.task}, {self.network.layers}"
