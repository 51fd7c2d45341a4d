"""The derivation of a network: its sections in the lecture's order."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from deltaprop.errors import optional
from deltaprop.inspection.derivation.document import Derivation
from deltaprop.inspection.derivation.network_equations import loss_section, network_section
from deltaprop.inspection.derivation.notation import symbols_of
from deltaprop.inspection.derivation.numbers import SampleSections
from deltaprop.inspection.derivation.output_error import output_error
from deltaprop.inspection.derivation.output_section import output_section
from deltaprop.inspection.derivation.rules import (
    chain_rule_section,
    delta_rule_section,
    update_section,
    weights_section,
)
from deltaprop.inspection.derivation.sample import sample_trace
from deltaprop.model import Model
from deltaprop.real_numbers import real_number


def derive(
    model: Model,
    x: ArrayLike | None = None,
    r: ArrayLike | None = None,
    eta: float | None = None,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Derivation:
    """Return the lecture's derivation for a network; with a sample x, r, the same with its numbers put in.

    Parameters
    ----------
    model : Model
    x : array-like (n_in,), optional
        The inputs of one sample.
    r : array-like (n_out,), optional
        Its targets; a number where there is one output, or that of its class.
    eta : float, optional
        The learning rate; with it the update has its numbers too. The network is not changed.
    inputs, outputs : sequence of str, optional
        Names of the input columns and of the output units.

    Raises
    ------
    MissingExtraError
        If SymPy is not installed.
    TypeError, ValueError
        If only one of x and r is given, a shape or a target does not fit, or there are many samples.

    Examples
    --------
    >>> print(derive(Model([2, 2, 1])).sections[4].lines[-2].steps[-1].right)
    y - r
    """
    optional("sympy", "derive")
    definition = model.definition
    layers = symbols_of(model)
    output = definition.functions[-1]
    found = output_error(output, definition.loss_entry)
    sections = [
        network_section(model, layers),
        loss_section(definition.loss_entry, layers[-1], found),
        chain_rule_section(),
        weights_section(model.bias),
        output_section(layers[-1], output, found),
        delta_rule_section(model, layers),
        update_section(model, layers),
    ]
    model = model.without_draws()
    if x is not None or r is not None or eta is not None:
        if x is None or r is None:
            missing = "x" if x is None else "r"
            raise TypeError(f"{type(model).__name__}.derive: numbers need a sample, x and r; got no {missing}.")
        t = sample_trace(model, x, r, inputs, outputs)
        numbers = SampleSections(model, layers, found, t)
        sections += [numbers.sample(), numbers.forwards(), numbers.backwards(), numbers.gradient()]
        if eta is not None:
            rate = real_number(eta, "eta", where=f"{type(model).__name__}.derive")
            sections.append(numbers.update(rate, r))
    title = f"Backpropagation in a {'-'.join(map(str, model.layers))} network"
    return Derivation(title, tuple(sections))
