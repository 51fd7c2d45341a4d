"""What the engine computes h and E by: a kernel of its own, by name, or the programs of a formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from deltaprop.functions.activations import ACTIVATIONS, Activation
from deltaprop.functions.entries import Entry
from deltaprop.functions.losses import LOSSES, Loss, check_pair

if TYPE_CHECKING:
    from deltaprop.functions.formulas import ActivationFormula, LossFormula, Program


@dataclass(frozen=True)
class Named:
    """A kernel of the engine, and its parameters."""

    name: str
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Programs:
    """A formula's programs; the derivative's is made when it is asked for, by SymPy."""

    value: Program
    derivative: Callable[[], Program]


def of_activation(h: Activation) -> Named | Programs:
    """Return what computes h: a formula that is a declared activation goes by that one's kernel."""
    if h.written is None:
        return Named(h.name, tuple(h.numbers))
    known = declared(h)
    if known is not None:
        return Named(known.name, tuple(known.numbers))
    written = h.written
    return Programs(written.value, lambda: written.derivative)


def of_loss(loss: Loss, output: Activation) -> Named | Programs:
    """Return what computes E under an output.

    A formula is composed with the output's, so that E and δ come from a and stay right where y rounds to an end of its
    range; so is a declared loss that takes logarithms of y, under an output that is a formula.
    """
    own_output = output.written is not None and declared(output) is None
    known = declared_loss(loss)
    if known is not None and not own_output and _same_under(known, output):
        return Named(known.name, tuple(known.numbers))
    if loss.written is None and not (own_output and loss.of_probabilities):
        return Named(loss.name, tuple(loss.numbers))
    from deltaprop.functions.formulas import LossFormula

    written = loss.written or LossFormula(loss.formula, where="loss", constants=_constants(loss))
    h = None if output.output_only else _formula_of(output).tree
    # Where the output comes by rounding alone: check_pair.
    floors = bool((known or loss).infinite_at) or _infinite_at_an_end(written, declared(output) or output)
    return Programs(written.value_with(h, floors=floors), lambda: written.slope_with(h, floors=floors))


def _infinite_at_an_end(loss: LossFormula, output: Activation) -> bool:
    """Whether a formula has no finite E where y lies at an end of its range, for some r."""
    import numpy as np

    from deltaprop.functions.formulas import evaluate

    ends = [y for y in (output.low, output.high) if math.isfinite(y)]
    y, r = (x.ravel() for x in np.meshgrid(np.array(ends, float), np.array([0.0, 0.5, 1.0])))
    return len(ends) > 0 and not bool(np.isfinite(evaluate(loss.value, y, r)[0]).all())


def whose_targets(loss: Loss, output: Activation) -> Loss:
    """Return the loss whose domain the targets must lie in: of a formula that runs as cross_entropy, that.

    The kernel of cross_entropy under softmax has δ = y − r, which is right where the r of a sample sum to one.
    """
    known = declared_loss(loss)
    if known is None or known.targets != "distribution" or not output.output_only:
        return loss
    return known


def _same_under(known: Loss, output: Activation) -> bool:
    """Whether the kernel of a declared loss is its formula for every y, and as good as its program.

    It may take liberties outside the domain. One that is infinite where y is 0 or 1 knows a under its own output alone.
    """
    natural = ("sigmoid", "softmax") if known.of_probabilities else (known.canonical,)
    if known.infinite_at and output.name not in natural:
        return False
    try:
        check_pair(declared(output) or output, known, 2, where="")
    except ValueError:
        return False
    return True


@lru_cache(maxsize=64)
def declared_loss(loss: Loss) -> Loss | None:
    """Return the declared loss that a formula is in other words, or None.

    Examples
    --------
    >>> from deltaprop.functions.losses import loss
    >>> declared_loss(loss("-(r * log(y) + (1 - r) * log(1 - y))", where="loss")).name
    'log'
    """
    if loss.written is None:
        return None
    from deltaprop.functions.formulas import LossFormula

    for entry in LOSSES.values():
        plain = not entry.parameters or entry.smoothed
        if plain and loss.written.means(LossFormula(entry.formula, where=entry.name)):
            return entry
    return None


@lru_cache(maxsize=64)
def declared(h: Activation) -> Activation | None:
    """Return the declared activation that a formula is in other words, or None.

    Examples
    --------
    >>> from deltaprop.functions.activations import activation
    >>> declared(activation("0.5 * a * (1 + erf(a / sqrt(2)))", where="h"))
    gelu
    >>> declared(activation("where(a > 0, a, 0.2 * a)", where="h"))
    leaky_relu(slope=0.2)
    """
    if h.written is None:
        return None
    for entry in ACTIVATIONS.values():
        if entry.output_only:
            continue
        for candidate in _candidates(entry, h.written):
            if h.written.means(_formula_of(candidate)):
                return candidate
    return None


def _candidates(entry: Activation, written: ActivationFormula) -> Iterator[Activation]:
    """Yield an entry, or where it has a parameter, the entry with each number of the formula for it."""
    if not entry.parameters:
        yield entry
        return
    from deltaprop.functions.formulas.tree import numbers_in

    (parameter,) = entry.parameters
    numbers = {abs(x) for tree in (written.tree, written.stable) for x in numbers_in(tree) if x}
    for number in sorted({1.0, *numbers, *(1 / x for x in numbers)}):
        if parameter.low <= number <= parameter.high:
            yield entry(number)


def _constants(entry: Entry) -> dict[str, float]:
    return {p.name: number for p, number in zip(entry.parameters, entry.numbers, strict=True)}


@lru_cache(maxsize=256)
def _written_out(entry: Activation) -> ActivationFormula:
    from deltaprop.functions.formulas import ActivationFormula

    return ActivationFormula(entry.formula, where=entry.name, constants=_constants(entry))


def _formula_of(h: Activation) -> ActivationFormula:
    return h.written or _written_out(h)
