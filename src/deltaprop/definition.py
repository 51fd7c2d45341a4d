"""What a network is, without its numbers: layers, functions, loss, seed, dtype; checked once, unchangeable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from deltaprop.arrays import whole_number
from deltaprop.descent.initializers import Initializer, initializer, initializer_for
from deltaprop.functions import Activation, Loss, activation, check_pair, kernels, loss
from deltaprop.real_numbers import real_number

_DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
_MOST_UNITS = 2**40


@dataclass(frozen=True)
class Definition:
    """The arguments of `Network`, in one form each: tuples, and names without aliases."""

    layers: tuple[int, ...]
    h: tuple[str, ...]
    output: str
    loss: str
    bias: bool
    seed: int
    dtype: np.dtype[Any]
    init: str | None = None
    l2: float = 0.0
    l1: float = 0.0
    dropout: tuple[float, ...] = ()  # of the inputs of each layer with weights, x first; none where all are 0
    input_noise: float = 0.0

    @cached_property
    def functions(self) -> tuple[Activation, ...]:
        """The activation of each layer, the output's last."""
        return tuple(activation(text, where="Definition") for text in (*self.h, self.output))

    @cached_property
    def loss_entry(self) -> Loss:
        """What is known of the loss."""
        return loss(self.loss, where="Definition")

    @cached_property
    def has_formulas(self) -> bool:
        """Whether an activation or the loss is a formula of the user's own."""
        return self.loss_entry.written is not None or any(h.written is not None for h in self.functions)

    @cached_property
    def draws(self) -> bool:
        """Whether a training pass draws random numbers: for dropout, or noise."""
        return bool(self.dropout or self.input_noise)

    @property
    def initializers(self) -> list[Initializer]:
        """How each layer's weights are drawn."""
        if self.init is None:
            return [initializer_for(kernels.declared(h) or h) for h in self.functions]
        return [initializer(self.init, where="Definition")] * len(self.functions)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # and nothing that follows from them

    def config(self) -> dict[str, Any]:
        """Return the arguments of `Network`, JSON-able; init, penalties, dropout, noise only where they are given."""
        return {
            "layers": list(self.layers),
            "h": list(self.h),
            "output": self.output,
            "loss": self.loss,
            "bias": self.bias,
            "seed": self.seed,
            "dtype": self.dtype.name,
            **({} if self.init is None else {"init": self.init}),
            **({"dropout": list(self.dropout)} if self.dropout else {}),
            **{name: value for name in ("l2", "l1", "input_noise") if (value := getattr(self, name))},
        }


def define(
    layers: Any,
    *,
    h: Any,
    output: Any,
    loss_name: Any,
    bias: Any,
    seed: Any,
    dtype: Any,
    init: Any,
    l2: Any = 0.0,
    l1: Any = 0.0,
    dropout: Any = 0.0,
    input_noise: Any = 0.0,
    who: str,
) -> Definition:
    """Return the definition of a network; `Network` documents the parameters and what is raised."""
    if isinstance(layers, str | bytes) or not isinstance(layers, Sequence | np.ndarray):
        raise TypeError(f"{who}: layers needs the units of each layer, such as [2, 4, 1]; got {layers!r}.")
    sizes = [whole_number(n, f"layers[{k}]", at_least=1, below=_MOST_UNITS, where=who) for k, n in enumerate(layers)]
    if len(sizes) < 2:
        raise ValueError(f"{who}: layers needs at least the inputs and the outputs, such as [2, 1]; got {sizes}.")

    hidden = len(sizes) - 2
    names = [h] * hidden if isinstance(h, str | Activation) or not isinstance(h, Sequence) else list(h)
    if hidden and len(names) != hidden:
        raise ValueError(f"{who}: h needs one name, or one per hidden layer ({hidden}); got {len(names)}: {names!r}.")
    chosen = [activation(name, where=f"{who}: h") for name in names[:hidden]]
    for entry in chosen:
        if entry.output_only:
            raise ValueError(f"{who}: h {entry.name!r} is for the output layer only.")

    output_entry = activation(output, where=f"{who}: output")
    loss_entry = loss(loss_name, where=f"{who}: loss")
    check_pair(kernels.declared(output_entry) or output_entry, loss_entry, sizes[-1], where=who)

    if not isinstance(bias, bool | np.bool_):
        raise TypeError(f"{who}: bias needs to be True or False; got {bias!r}.")
    try:
        own_dtype = _DTYPES["None" if dtype is None else np.dtype(dtype).name]
    except (KeyError, TypeError):
        raise ValueError(f"{who}: dtype needs to be 'float32' or 'float64'; got {dtype!r}.") from None
    return Definition(
        layers=tuple(sizes),
        h=tuple(str(entry) for entry in chosen),
        output=str(output_entry),
        loss=str(loss_entry),
        bias=bool(bias),
        seed=seed_in(seed, where=who),
        dtype=own_dtype,
        init=None if init is None else str(initializer(init, where=f"{who}: init")),
        l2=_not_negative(l2, "l2", who),
        l1=_not_negative(l1, "l1", who),
        dropout=_dropout(dropout, hidden, who),
        input_noise=_not_negative(input_noise, "input_noise", who),
    )


def _dropout(given: Any, hidden: int, who: str) -> tuple[float, ...]:
    """Return the shares that are dropped of x and of each hidden layer, from one of these, or two of x and of these."""
    given = given.tolist() if isinstance(given, np.ndarray) else given
    several = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if several and len(given) == 2 and hidden:
        given = [given[0], *[given[1]] * hidden]
    if several and len(given) != hidden + 1:
        raise ValueError(
            f"{who}: dropout needs one share for all hidden layers, two, of the inputs and of all hidden layers, or "
            f"{hidden + 1}, of the inputs and of each hidden layer; got {len(given)}: {list(given)}."
        )
    shares = [real_number(share, "dropout", where=who) for share in (given if several else [given])]
    if not all(0 <= share < 1 for share in shares):
        raise ValueError(f"{who}: dropout needs shares of at least 0 and below 1; got {given!r}.")
    of_each = shares if several else [0.0, *shares * hidden]
    return tuple(of_each) if any(of_each) else ()


def _not_negative(value: Any, name: str, who: str) -> float:
    number = real_number(value, name, where=who)
    if not 0 <= number < float("inf"):
        raise ValueError(f"{who}: {name} needs to be finite and at least 0; got {value!r}.")
    return number


def seed_in(seed: Any, *, where: str) -> int:
    """Return a seed as an int; raise TypeError or ValueError if it is no whole number in [0, 2⁶⁴)."""
    return whole_number(seed, "seed", at_least=0, below=2**64, where=where)
