"""The activations h: one declaration each. Its kernel is the struct of the same name in engine/activations*.hpp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltaprop.functions.entries import Entry, Kept, Parameter, find, is_declared

if TYPE_CHECKING:
    from deltaprop.functions.formulas import ActivationFormula


@dataclass(frozen=True, repr=False)
class Activation(Entry):
    """What is known of an activation function h, apart from its kernel.

    Attributes
    ----------
    formula, derivative : str
        h(a) and h′(a) = dh/da, in the lecture's letters (z = h(a)), as Python would write them.
    low, high : float
        The range of h: low ≤ h(a) ≤ high.
    reaches : tuple of float
        To which of low and high h comes at a finite a, and not by rounding alone.
    kinks : tuple of float
        Where h′ jumps; at such an a it has the value that ``derivative`` gives.
    output_only : bool
        True where a unit's z depends on the whole layer's a, so that only the output layer may have it.
    start : str
        By whom the weights below it start: "glorot", "he" or "lecun" (descent/initializers.py).
    written : ActivationFormula or None
        The formula, where it is the user's own.
    """

    derivative: str = ""
    low: float = -math.inf
    high: float = math.inf
    reaches: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    output_only: bool = False
    start: str = "glorot"
    written: ActivationFormula | None = None


_ALPHA = Parameter("alpha", 1.0, 1e-30, 1e30)

ACTIVATIONS = {
    entry.name: entry
    for entry in (
        Activation("identity", "a", derivative="1", aliases=("linear",)),
        Activation(
            "sigmoid", "1 / (1 + exp(-a))", derivative="z * (1 - z)", low=0.0, high=1.0, aliases=("logistic",),
            source="F. A. González, Backpropagation Derivation, 2018",
        ),
        Activation("tanh", "tanh(a)", derivative="1 - z**2", low=-1.0, high=1.0),
        Activation(
            "lecun_tanh", "1.7159 * tanh(2 * a / 3)", derivative="1.7159 * 2 / 3 * (1 - (z / 1.7159)**2)",
            low=-1.7159, high=1.7159, source="LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998",
        ),
        Activation(
            "relu", "max(a, 0)", derivative="where(a > 0, 1, 0)", low=0.0, kinks=(0.0,), reaches=(0.0,), start="he",
            source="Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010",
        ),
        Activation(
            "leaky_relu", "where(a > 0, a, slope * a)", derivative="where(a > 0, 1, slope)", kinks=(0.0,), start="he",
            parameters=(Parameter("slope", 0.01, 1e-30, 1.0),),
            source="Maas, Hannun, Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013",
        ),
        Activation(
            "elu", "where(a > 0, a, alpha * expm1(a))", derivative="where(a > 0, 1, alpha * exp(a))", start="he",
            kinks=(0.0,), parameters=(_ALPHA,),
            source="Clevert, Unterthiner, Hochreiter, Fast and accurate deep network learning by ELUs, ICLR 2016",
        ),
        Activation(
            "selu", "where(a > 0, 1.0507009873554805 * a, 1.75809934084737685 * expm1(a))",
            derivative="where(a > 0, 1.0507009873554805, 1.75809934084737685 * exp(a))", kinks=(0.0,), start="lecun",
            low=-1.7580993408473769, source="Klambauer and others, Self-normalizing neural networks, NIPS 2017",
        ),
        Activation(
            "celu", "where(a > 0, a, alpha * expm1(a / alpha))", derivative="where(a > 0, 1, exp(a / alpha))",
            parameters=(_ALPHA,), start="he", source="Barron, Continuously differentiable ELUs, arXiv:1704.07483",
        ),
        Activation(
            "gelu", "a / 2 * erfc(-a / sqrt(2))",
            derivative="erfc(-a / sqrt(2)) / 2 + a * exp(-a**2 / 2) / sqrt(2 * pi)", low=-0.17, start="he",
            source="Hendrycks and Gimpel, Gaussian error linear units, arXiv:1606.08415",
        ),
        Activation(
            "gelu_tanh", "a / 2 * (1 + tanh(sqrt(2 / pi) * (a + 0.044715 * a**3)))",
            derivative="(1 + tanh(sqrt(2 / pi) * (a + 0.044715 * a**3))) / 2 + a / 2 * sqrt(2 / pi)"
            " * (1 + 3 * 0.044715 * a**2) / cosh(sqrt(2 / pi) * (a + 0.044715 * a**3))**2",
            low=-0.1701, start="he", source="Hendrycks and Gimpel, Gaussian error linear units, arXiv:1606.08415",
        ),
        Activation(
            "silu", "a / (1 + exp(-a))", derivative="(1 + exp(-a) + a * exp(-a)) / (1 + exp(-a))**2", low=-0.2785,
            aliases=("swish",), start="he",
            source="Elfwing, Uchibe, Doya, Sigmoid-weighted linear units, Neural Networks 107, 2018",
        ),
        Activation(
            "mish", "a * tanh(log1p(exp(a)))",
            derivative="tanh(log1p(exp(a))) + a / cosh(log1p(exp(a)))**2 / (1 + exp(-a))", low=-0.3089, start="he",
            source="Misra, Mish: a self regularized non-monotonic activation function, BMVC 2020",
        ),
        Activation(
            "softplus", "log1p(exp(a))", derivative="1 / (1 + exp(-a))", low=0.0, start="he",
            source="Dugas and others, Incorporating second-order functional knowledge, NIPS 2000",
        ),
        Activation(
            "softsign", "a / (1 + abs(a))", derivative="1 / (1 + abs(a))**2", low=-1.0, high=1.0,
            source="Bergstra and others, Quadratic polynomials learn better image features, 2009",
        ),
        Activation(
            "squareplus", "(a + sqrt(a**2 + 4)) / 2", derivative="(1 + a / sqrt(a**2 + 4)) / 2", low=0.0, start="he",
            source="Barron, Squareplus, arXiv:2112.11687",
        ),
        Activation(
            "hard_sigmoid", "min(max(a + 3, 0), 6) / 6", derivative="where(abs(a) < 3, 1 / 6, 0)", low=0.0, high=1.0,
            kinks=(-3.0, 3.0), reaches=(0.0, 1.0), source="Howard and others, Searching for MobileNetV3, ICCV 2019",
        ),
        Activation(
            "hard_tanh", "min(max(a, -1), 1)", derivative="where(abs(a) < 1, 1, 0)", low=-1.0, high=1.0,
            kinks=(-1.0, 1.0), reaches=(-1.0, 1.0), source="Collobert, Large scale machine learning, 2004",
        ),
        Activation(
            "hard_swish", "a * min(max(a + 3, 0), 6) / 6",
            derivative="where(a <= -3, 0, where(a >= 3, 1, (2 * a + 3) / 6))", low=-0.375, kinks=(-3.0, 3.0),
            reaches=(-0.375,), start="he", source="Howard and others, Searching for MobileNetV3, ICCV 2019",
        ),
        Activation(
            "relu6", "min(max(a, 0), 6)", derivative="where(abs(a - 3) < 3, 1, 0)", low=0.0, high=6.0,
            kinks=(0.0, 6.0), reaches=(0.0, 6.0), start="he",
            source="Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010",
        ),
        Activation(
            "log_sigmoid", "-log1p(exp(-a))", derivative="1 / (1 + exp(a))", high=0.0,
            source="the logarithm of the lecture's σ",
        ),
        Activation("arctan", "atan(a)", derivative="1 / (1 + a**2)", low=-1.5707963267948968, high=1.5707963267948968),
        Activation("gaussian", "exp(-a**2)", derivative="-2 * a * z", low=0.0, high=1.0, reaches=(1.0,)),
        Activation("sine", "sin(a)", derivative="cos(a)", low=-1.0, high=1.0, reaches=(-1.0, 1.0)),
        Activation("exp", "exp(a)", derivative="z", low=0.0),
        Activation(
            "softmax", "exp(a_j) / Σ_k exp(a_k)", derivative="∂z_j/∂a_k = z_j (1{j=k} - z_k)", low=0.0, high=1.0,
            output_only=True,
            source="Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990",
        ),
    )
}  # fmt: skip


leaky_relu, elu, celu = (ACTIVATIONS[name] for name in ("leaky_relu", "elu", "celu"))


def activation(name: object, *, where: str) -> Activation:
    """Return the activation that a text, or a declaration, stands for.

    Parameters
    ----------
    name : str or Activation
        A name or an alias, with parameters after a colon: ``"leaky_relu:slope=0.1"``; or a formula of a:
        ``"a * sigmoid(1.702 * a)"``.
    where : str
        Whose parameter it is, for the message.

    Raises
    ------
    TypeError
        If ``name`` is neither.
    ValueError
        If no activation has that name, a parameter is unknown or out of bounds, or it is no formula (FormulaError).

    Examples
    --------
    >>> activation("logistic", where="h").formula
    '1 / (1 + exp(-a))'
    >>> activation("leaky_relu:slope=2", where="h")
    Traceback (most recent call last):
    ...
    ValueError: h: leaky_relu: slope needs to be in [1e-30, 1]; got 2.0.
    >>> activation("max(0, a)**2", where="h").low
    0.0
    """
    if isinstance(name, Activation) and name.written is not None:
        return name
    if isinstance(name, str) and not is_declared(name, ACTIVATIONS):
        from deltaprop.functions.formulas import is_formula

        if is_formula(name):
            return _formulas.get(name, lambda: _of_formula(name, where))
    return find(name, ACTIVATIONS, kind="activation function", where=where)


_formulas: Kept[Activation] = Kept()


def _of_formula(text: str, where: str) -> Activation:
    from deltaprop.functions.formulas import ActivationFormula

    written = ActivationFormula(text, where=where)
    ends = written.reached() & {written.low, written.high}
    return Activation(
        written.text, written.text, low=written.low, high=written.high, reaches=tuple(ends), written=written
    )
