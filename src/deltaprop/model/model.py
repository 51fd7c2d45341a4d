"""Model: a network as a value, made of arguments or of a file's parts, copied, compared, printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Self

import numpy as np

from deltaprop.arrays import Array
from deltaprop.definition import Definition, define
from deltaprop.descent.initializers import Initializer
from deltaprop.descent.memory import State
from deltaprop.functions import Activation, Loss
from deltaprop.model.descent import Descending


class Model(Descending):
    """A network's definition and parameters, with the engine's verbs on raw arrays. `Network` is its public face."""

    def __init__(
        self,
        layers: Sequence[int],
        *,
        h: str | Activation | Sequence[str | Activation] = "sigmoid",
        output: str | Activation = "sigmoid",
        loss: str | Loss = "log",
        bias: bool = True,
        seed: int = 0,
        dtype: str | type[np.floating[Any]] | np.dtype[Any] = "float64",
        init: str | Initializer | Sequence[Any] | None = None,
        l2: float = 0.0,
        l1: float = 0.0,
        dropout: float | Sequence[float] = 0.0,
        input_noise: float = 0.0,
    ) -> None:
        given = init if isinstance(init, Sequence | np.ndarray) and not isinstance(init, str) else None
        self._build(
            define(
                layers,
                h=h,
                output=output,
                loss_name=loss,
                bias=bias,
                seed=seed,
                dtype=dtype,
                init=None if given is not None else init,
                l2=l2,
                l1=l1,
                dropout=dropout,
                input_noise=input_noise,
                who=type(self).__name__,
            )
        )
        self.reset()
        if given is not None:
            self._parameters.start_from(given)
            self._warn_of_identical_units(type(self).__name__)

    # ---- a value among values --------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able: ``Network(**net.config())`` is the same network, untrained."""
        return self._definition.config()

    def finite_theta(self, verb: str) -> Array:
        """Return theta; raise ValueError where a parameter is not finite."""
        quantity = self.not_finite(0.0)
        if quantity is not None:
            raise ValueError(f"{type(self).__name__}.{verb}: {quantity} is not finite.")
        return self.theta

    def description(self) -> dict[str, Any]:
        """Return what a model file says of the network beside theta."""
        presented = {"presented": self._presented} if self._presented else {}
        return {**self.config(), "epoch": self.epoch, **presented}

    @classmethod
    def _undrawn(cls, *, layers: Any, loss: Any, init: Any = None, **arguments: Any) -> Self:
        """Return a network of these arguments whose parameters are all 0, for those that it will be given."""
        return cls.of_definition(define(layers, loss_name=loss, init=init, who=cls.__name__, **arguments))

    @classmethod
    def of_definition(cls, definition: Definition) -> Self:
        """Return a network of a definition whose parameters are all 0, for those that it will be given."""
        model = cls.__new__(cls)
        model._build(definition)
        return model

    @classmethod
    def from_description(cls, description: Mapping[str, Any], theta: Array) -> Self:
        """Return the network of a model file's parts; raise ValueError, TypeError or KeyError where they do not fit."""
        arguments = dict(description)
        epoch, presented, layers = arguments.pop("epoch"), arguments.pop("presented", 0), arguments["layers"]
        for name, count, most in (("epoch", epoch, 2**32), ("presented", presented, 2**63)):
            if type(count) is not int or not 0 <= count < most:
                raise ValueError(f"{name} is {count!r}")
        if not isinstance(layers, list) or not all(type(n) is int and 0 < n < 2**40 for n in layers):
            raise ValueError("layers are not whole numbers")
        # Before anything is allocated: do the layers have as many parameters as there are?
        bias = arguments["bias"] is True
        if theta.shape != (sum((n_in + bias) * n_out for n_in, n_out in pairwise(layers)),):
            raise ValueError(f"layers {layers} do not have {theta.size} parameters")
        model = cls._undrawn(**arguments)
        if theta.dtype != model.dtype:
            raise ValueError(f"theta is {theta.dtype}, the network {model.dtype}")
        model.theta = theta
        model._epoch, model._presented = epoch, presented
        return model

    def with_dtype(self, dtype: str) -> Self:
        """Return a copy that computes in ``dtype``, with the same parameters (rounded where it is narrower)."""
        other = self._undrawn(**{**self.config(), "dtype": dtype})
        other.theta = self.theta
        other._epoch, other._presented = self._epoch, self._presented
        return other

    def as_it_was(self, state: State, epochs: int) -> Self:
        """Return a network of the same definition in a `state` that it was in, after so many epochs."""
        other = self.of_definition(self._definition)
        other.return_to(state)
        other._epoch = epochs
        return other

    def without_draws(self) -> Self:
        """Return the network without dropout and noise: itself where it has none, or else a copy."""
        if not self._definition.draws:
            return self
        other = self.of_definition(replace(self._definition, dropout=(), input_noise=0.0))
        other.take_state(self.__getstate__())
        return other

    def __getstate__(self) -> dict[str, Any]:
        states = [self._parameters.dense(part) for part in self._states()]
        return {
            "definition": self._definition,
            "epoch": self._epoch,
            "theta": self.theta,
            "optimizer": self._memory.optimizer,
            "states": states,
            "steps": self._memory.steps,
            "numbers": self._memory.numbers,
            "presented": self._presented,
        }

    def _states(self) -> list[Array]:
        """Return views of what the optimizer remembers, each laid out like theta."""
        size = self._plan.theta_size
        return [self._memory.state[k : k + size] for k in range(0, self._memory.state.size, size)]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._build(state["definition"])
        self.take_state(state)

    def take_state(self, state: Mapping[str, Any]) -> None:
        """Take over the parameters, counts, and what an optimizer remembers, of a network of the same definition.

        ``state`` is as `__getstate__` has it.
        """
        theta, states, steps = state["theta"], state["states"], state["steps"]
        optimizer, epoch = state["optimizer"], state["epoch"]
        self._presented = state["presented"]
        self._parameters.assign(theta)
        self._epoch = epoch
        self._memory = self._no_memory(optimizer)
        self._memory.steps, self._memory.numbers = steps, tuple(state["numbers"])
        for own, dense in zip(self._states(), states, strict=True):
            self._parameters.assign(dense, own)

    def __repr__(self) -> str:
        more = "" if self.init is None else f", init={self.init!r}"
        more += "".join(
            f", {name}={value!r}" for name in ("l2", "l1", "input_noise") if (value := getattr(self.definition, name))
        )
        more += f", dropout={list(self.dropout)}" if self.dropout else ""
        return (
            f"{type(self).__name__}({list(self.layers)}, h={list(self.h)}, output={self.output!r}, loss={self.loss!r}, "
            f"bias={self.bias}, seed={self.seed}, dtype={self.dtype.name!r}"
            f"{more})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return (
            self._definition == other._definition
            and (self._epoch, self.drawn()) == (other._epoch, other.drawn())
            and self.theta.tobytes() == other.theta.tobytes()
        )

    __hash__ = None  # type: ignore[assignment]  # parameters change
