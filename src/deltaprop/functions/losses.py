"""The losses E: one declaration each. Its kernel is a struct in engine/losses*.hpp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltaprop.functions.activations import Activation
from deltaprop.functions.entries import Entry, Kept, Parameter, find, is_declared

if TYPE_CHECKING:
    from deltaprop.functions.formulas import LossFormula


@dataclass(frozen=True, repr=False)
class Loss(Entry):
    """What is known of a loss E, apart from its kernel.

    Attributes
    ----------
    formula : str
        E of one output, as Python would write it; E of a sample is their sum.
    derivative : str
        ∂E/∂y of one output.
    canonical : str
        The output activation that it naturally goes with.
    low, high : float
        Where y must lie.
    infinite_at : tuple of float
        At which of them E is infinite, so that an output may come near it, but not to it.
    targets : "real", "unit", "distribution", "class", "count" or "positive"
        Where r must lie: anywhere; in [0, 1]; there, those of a sample summing to one; 0 or 1; at least 0; above 0.
    dropped : str
        What is left out of the formula, since no parameter changes it.
    smoothed : str
        What r becomes first, where the loss has a parameter label_smoothing.
    known_as : tuple of str
        What others call it; asked for under such a name, the message says what it is called here.
    written : LossFormula or None
        The formula, where it is the user's own.
    """

    derivative: str = ""
    canonical: str = "identity"
    low: float = -math.inf
    high: float = math.inf
    infinite_at: tuple[float, ...] = ()
    targets: str = "real"
    dropped: str = ""
    smoothed: str = ""
    known_as: tuple[str, ...] = ()
    written: LossFormula | None = None

    @property
    def targets_in_words(self) -> str:
        """Where r must lie, in words."""
        return {
            "real": "any",
            "unit": "in [0, 1]",
            "distribution": "in [0, 1], those of a sample summing to 1",
            "class": "0 or 1",
            "count": "at least 0",
            "positive": "above 0",
        }[self.targets]

    @property
    def several(self) -> bool:
        """Whether each output has a parameter of its own."""
        return any(isinstance(value, tuple) for value in self.values)

    @property
    def of_probabilities(self) -> bool:
        """Whether y is a probability: the engine takes logarithms of such from a, and so must know the output."""
        return (self.low, self.high) == (0.0, 1.0)

    @property
    def label_smoothing(self) -> float:
        """How far r is drawn towards equal shares: 0 not at all, 1 wholly."""
        return self.numbers[0] if self.smoothed else 0.0


_SMOOTHING = Parameter("label_smoothing", 0.0, 0.0, 1.0)
_POISSON = "McCullagh and Nelder, Generalized linear models, 1989"

LOSSES = {
    entry.name: entry
    for entry in (
        Loss(
            "log", "-r * log(y) - (1 - r) * log(1 - y)", derivative="(y - r) / (y * (1 - y))", canonical="sigmoid",
            low=0.0, high=1.0, infinite_at=(0.0, 1.0), targets="unit", parameters=(_SMOOTHING,),
            smoothed="(1 - label_smoothing) * r + label_smoothing / 2",
            source="F. A. González, Backpropagation Derivation, 2018",
            known_as=("log_loss", "bce", "binary_crossentropy", "binary_cross_entropy", "logloss"),
        ),
        Loss(
            "cross_entropy", "-r * log(y)", derivative="-r / y", canonical="softmax", low=0.0, high=1.0,
            infinite_at=(0.0,), targets="distribution", parameters=(_SMOOTHING,),
            smoothed="(1 - label_smoothing) * r + label_smoothing / n_out",
            source="smoothing: Szegedy and others, Rethinking the inception architecture, CVPR 2016",
            known_as=("categorical_crossentropy", "categorical_cross_entropy", "sparse_categorical_crossentropy", "nll",
                      "ce"),
        ),
        Loss(
            "squared_error", "(y - r)**2 / 2", derivative="y - r",
            known_as=("mse", "mean_squared_error", "squared_loss", "l2", "quadratic"),
        ),
        Loss(
            "absolute_error", "abs(y - r)", derivative="sign(y - r)",
            known_as=("mae", "mean_absolute_error", "l1", "laplace"),
        ),
        Loss(
            "huber", "where(abs(y - r) <= delta, (y - r)**2 / 2, delta * (abs(y - r) - delta / 2))",
            derivative="min(max(y - r, -delta), delta)", parameters=(Parameter("delta", 1.0, 1e-15, 1e15),),
            source="Huber, Robust estimation of a location parameter, 1964", known_as=("smooth_l1", "huber_loss"),
        ),
        Loss(
            "log_cosh", "log(cosh(y - r))", derivative="tanh(y - r)", known_as=("logcosh",),
            source="Green, Bayesian reconstructions from emission tomography data using a modified EM algorithm, 1990",
        ),
        Loss(
            "quantile", "where(y < r, q * (r - y), (1 - q) * (y - r))",
            derivative="where(y < r, -q, where(y > r, 1 - q, 0))",
            parameters=(Parameter("q", 0.5, 0.0, 1.0, several=True),),
            source="Koenker and Bassett, Regression quantiles, 1978", known_as=("pinball", "pinball_loss"),
        ),
        Loss(
            "poisson", "y - r * log(y)", derivative="1 - r / y", canonical="exp", low=0.0, infinite_at=(0.0,),
            targets="count", dropped="log(r!)", source=_POISSON, known_as=("poisson_nll", "poisson_loss"),
        ),
        Loss(
            "gamma", "log(y) + r / y", derivative="(1 - r / y) / y", canonical="exp", low=0.0, infinite_at=(0.0,),
            targets="positive", dropped="-log(r) - 1", source=_POISSON, known_as=("gamma_loss", "gamma_nll"),
        ),
        Loss(
            "tweedie", "y**(2 - p) / (2 - p) + r * y**(1 - p) / (p - 1)", derivative="y**(1 - p) * (1 - r / y)",
            canonical="exp", low=0.0, infinite_at=(0.0,), targets="count",
            parameters=(Parameter("p", 1.5, 1.0, 2.0, open_low=True, open_high=True),),
            dropped="-r**(2 - p) / (p - 1) / (2 - p)",
            source="Jørgensen, The theory of dispersion models, 1997", known_as=("tweedie_loss",),
        ),
        Loss(
            "hinge", "max(0, 1 - (2 * r - 1) * y)", derivative="where((2 * r - 1) * y < 1, 1 - 2 * r, 0)",
            targets="class", source="Cortes and Vapnik, Support-vector networks, 1995", known_as=("hinge_loss", "svm"),
        ),
        Loss(
            "squared_hinge", "max(0, 1 - (2 * r - 1) * y)**2",
            derivative="-2 * (2 * r - 1) * max(0, 1 - (2 * r - 1) * y)", targets="class",
            source="Tang, Deep learning using linear support vector machines, 2013",
        ),
        Loss(
            "focal", "-r * (1 - y)**gamma * log(y) - (1 - r) * y**gamma * log(1 - y)",
            derivative="r * (gamma * (1 - y)**(gamma - 1) * log(y) - (1 - y)**gamma / y)"
            " + (1 - r) * (y**gamma / (1 - y) - gamma * y**(gamma - 1) * log(1 - y))",
            canonical="sigmoid", low=0.0, high=1.0, infinite_at=(0.0, 1.0), targets="unit",
            parameters=(Parameter("gamma", 2.0, 0.0, 100.0),),
            source="Lin and others, Focal loss for dense object detection, ICCV 2017",
            known_as=("focal_loss", "sigmoid_focal_loss"),
        ),
        Loss(
            "kl", "where(r > 0, r * log(r), 0) - r * log(y)", derivative="-r / y", canonical="softmax", low=0.0,
            high=1.0, infinite_at=(0.0,), targets="distribution",
            source="Kullback and Leibler, On information and sufficiency, 1951",
            known_as=("kl_div", "kullback_leibler", "kl_divergence"),
        ),
    )
}  # fmt: skip

cross_entropy, focal, huber, quantile, tweedie = (
    LOSSES[name] for name in ("cross_entropy", "focal", "huber", "quantile", "tweedie")
)

_KNOWN_AS = {other: entry.name for entry in LOSSES.values() for other in entry.known_as}


def loss(name: object, *, where: str) -> Loss:
    """Return the loss that a text, a formula of y and r among them, or a declaration stands for.

    Raises
    ------
    TypeError
        If ``name`` is neither.
    ValueError
        If no loss has that name, and then the message says what it may be called here; or a parameter is not right.

    Examples
    --------
    >>> loss("log", where="loss").canonical
    'sigmoid'
    >>> str(loss("huber:delta=2", where="loss"))
    'huber:delta=2.0'
    >>> loss("mse", where="loss")
    Traceback (most recent call last):
    ...
    ValueError: loss: 'mse' is called 'squared_error' here, the sum over the outputs of (y - r)**2 / 2.
    """
    if isinstance(name, Loss) and name.written is not None:
        return name
    if isinstance(name, str):
        plain = name.partition(":")[0].strip().lower()
        if plain in _KNOWN_AS:
            own = LOSSES[_KNOWN_AS[plain]]
            raise ValueError(
                f"{where}: {plain!r} is called {own.name!r} here, the sum over the outputs of {own.formula}."
            )
        if not is_declared(name, LOSSES):
            from deltaprop.functions.formulas import is_formula

            if is_formula(name):
                return _formulas.get(name, lambda: _of_formula(name, where))
    return find(name, LOSSES, kind="loss", where=where)


_formulas: Kept[Loss] = Kept()


def _of_formula(text: str, where: str) -> Loss:
    from deltaprop.functions.formulas import LossFormula

    written = LossFormula(text, where=where)
    return Loss(written.text, written.text, written=written)


def check_pair(output: Activation, loss: Loss, n_out: int, *, where: str) -> None:
    """Raise ValueError unless every y that ``output`` can give lies in the domain of ``loss``."""
    if output.low < loss.low or output.high > loss.high:
        raise ValueError(
            f"{where}: loss {loss.name!r} needs outputs in [{loss.low:g}, {loss.high:g}]; output {output.name!r} "
            f"ranges over [{output.low:g}, {output.high:g}]. Use output={loss.canonical!r}."
        )
    for end in set(loss.infinite_at) & set(output.reaches):
        raise ValueError(
            f"{where}: loss {loss.name!r} is infinite where y is {end:g}, as y of output {output.name!r} can be. Use "
            f"output={loss.canonical!r}."
        )
    for parameter, value in zip(loss.parameters, loss.values, strict=True):
        if isinstance(value, tuple) and len(value) != n_out:
            raise ValueError(
                f"{where}: loss {loss.name!r} has {len(value)} {parameter.name}, one for each output; there are "
                f"{n_out} outputs."
            )
    if output.output_only and n_out < 2:
        raise ValueError(
            f"{where}: output {output.name!r} over one unit is always 1. Use output='sigmoid', or two units or more."
        )
