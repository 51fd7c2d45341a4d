"""Line 9 of the lecture's algorithm, w ← w − η g, and its relatives: what each does in a step, whose it is.

The η that each begins with where none is given: 0.1 of sgd, a tenth of it with a momentum of 0.9, whose steps add up to
ten times as much, and of the others what their authors and libraries take (docs/advice.md has what was best on tables).

The steps themselves are in the engine (rules.hpp, adaptive_rules.hpp), one function per entry; the contract tests hold
them to the equations here.
"""

from __future__ import annotations

from deltaprop.descent.optimizers.declaration import Optimizer
from deltaprop.functions import Parameter

_MU = Parameter("mu", 0.9, 0.0, 1.0, open_high=True)
_DECAY = Parameter("decay", 0.01, 0.0)


def _beta(name: str, default: float) -> Parameter:
    return Parameter(name, default, 0.0, 1.0, open_high=True)


def _epsilon(default: float = 1e-8) -> Parameter:
    return Parameter("epsilon", default, 0.0, open_low=True)


_MOMENTS = "M = beta1 * M + (1 - beta1) * g; V = beta2 * V + (1 - beta2) * g**2; "
_BETAS = (_beta("beta1", 0.9), _beta("beta2", 0.999))
_KINGMA = "Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015"
_SUTSKEVER = "Sutskever, Martens, Dahl, Hinton, On the importance of initialization and momentum in deep learning, 2013"
_REDDI = "Reddi, Kale, Kumar, On the convergence of Adam and beyond, ICLR 2018"

SGD, Momentum, Nesterov, MomentumOutside, NesterovOutside = (
    Optimizer("sgd", "w = w - eta * g", word="SGD", eta=0.1, source="the lecture's algorithm, line 9"),
    Optimizer(
        "momentum", "V = mu * V - eta * g; w = w + V", parameters=(_MU,), word="Momentum", eta=0.01,
        note="η inside V, the last step, of which a part μ is made again; while η stays, the steps of momentum_outside",
        source="Polyak, Some methods of speeding up the convergence of iteration methods, 1964; in this form: "
        + _SUTSKEVER,
    ),
    Optimizer(
        "nesterov", "V = mu * V - eta * g; w = w + mu * V - eta * g", parameters=(_MU,), word="Nesterov", eta=0.01,
        note="w is where the next gradient is taken, as in scikit-learn; Nesterov's own sequence is w - mu * V",
        source="Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²), 1983; in "
        "this form: Bengio, Boulanger-Lewandowski, Pascanu, Advances in optimizing recurrent networks, 2012, eq. 7",
    ),
    Optimizer(
        "momentum_outside", "V = mu * V + g; w = w - eta * V", parameters=(_MU,), word="MomentumOutside", eta=0.01,
        note="η outside V: PyTorch's SGD(momentum=mu), where a change of η changes the next step as a whole",
        source="PyTorch, torch.optim.SGD",
    ),
    Optimizer(
        "nesterov_outside", "V = mu * V + g; w = w - eta * (g + mu * V)", parameters=(_MU,), word="NesterovOutside",
        eta=0.01, note="η outside V: PyTorch's SGD(momentum=mu, nesterov=True)", source="PyTorch, torch.optim.SGD",
    ),
)  # fmt: skip

Adagrad, RMSprop, RMSpropInside, Adadelta = (
    Optimizer(
        "adagrad", "G = G + g**2; w = w - eta * g / (sqrt(G) + epsilon)", parameters=(_epsilon(1e-10),), word="Adagrad",
        eta=0.01, note="ε beside the root, as in PyTorch",
        source="Duchi, Hazan, Singer, Adaptive subgradient methods for online learning, JMLR 12, 2011",
    ),
    Optimizer(
        "rmsprop", "V = rho * V + (1 - rho) * g**2; w = w - eta * g / (sqrt(V) + epsilon)",
        parameters=(_beta("rho", 0.99), _epsilon()), word="RMSprop", eta=0.001, note="ε beside the root, as in PyTorch",
        source="Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012",
    ),
    Optimizer(
        "rmsprop_inside", "V = rho * V + (1 - rho) * g**2; w = w - eta * g / sqrt(V + epsilon)",
        parameters=(_beta("rho", 0.9), _epsilon(1e-7)), word="RMSpropInside", eta=0.001,
        note="ε under the root, as in TensorFlow and Keras", source="Keras, keras.optimizers.RMSprop",
    ),
    Optimizer(
        "adadelta",
        "V = rho * V + (1 - rho) * g**2; D = sqrt(U + epsilon) / sqrt(V + epsilon) * g; "
        "U = rho * U + (1 - rho) * D**2; w = w - eta * D",
        parameters=(_beta("rho", 0.9), _epsilon(1e-6)), word="Adadelta", eta=1.0, note="Zeiler's has η = 1",
        source="Zeiler, Adadelta: an adaptive learning rate method, arXiv:1212.5701",
    ),
)  # fmt: skip

Adam, AdamHat, AdamW, AMSGrad, AMSGradUncorrected, Nadam = (
    Optimizer(
        "adam",
        _MOMENTS + "w = w - eta * M / (1 - beta1**t) / (sqrt(V / (1 - beta2**t)) + epsilon)",
        parameters=(*_BETAS, _epsilon()), word="Adam", eta=0.001,
        note="ε beside the root of the corrected V, the authors' algorithm 1, as in PyTorch",
        source=f"{_KINGMA}, algorithm 1",
    ),
    Optimizer(
        "adam_hat",
        _MOMENTS + "w = w - eta * sqrt(1 - beta2**t) / (1 - beta1**t) * M / (sqrt(V) + epsilon)",
        parameters=(*_BETAS, _epsilon()), word="AdamHat", eta=0.001,
        note="ε beside the root of V itself, the authors' ε̂, as in scikit-learn and TensorFlow",
        source=f"{_KINGMA}, the end of section 2",
    ),
    Optimizer(
        "adamw",
        _MOMENTS + "w = w - eta * decay * w; w = w - eta * M / (1 - beta1**t) / (sqrt(V / (1 - beta2**t)) + epsilon)",
        parameters=(*_BETAS, _epsilon(), _DECAY), word="AdamW", eta=0.001,
        note="adam with decoupled weight decay, η in it as in PyTorch; biases do not decay",
        source="Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019",
    ),
    Optimizer(
        "amsgrad",
        _MOMENTS + "S = max(S, V); w = w - eta * M / (1 - beta1**t) / (sqrt(S / (1 - beta2**t)) + epsilon)",
        parameters=(*_BETAS, _epsilon()), word="AMSGrad", eta=0.001,
        note="M and S corrected as in adam: PyTorch's Adam(amsgrad=True)", source=f"{_REDDI}; PyTorch, optim.Adam",
    ),
    Optimizer(
        "amsgrad_uncorrected", _MOMENTS + "S = max(S, V); w = w - eta * M / (sqrt(S) + epsilon)",
        parameters=(*_BETAS, _epsilon()), word="AMSGradUncorrected", eta=0.001,
        note="nothing corrected, the authors' algorithm 2, with an ε", source=_REDDI,
    ),
    Optimizer(
        "nadam",
        _MOMENTS + "mu = beta1 * (1 - 0.96**(psi * t) / 2); P = P * mu; "
        "next = beta1 * (1 - 0.96**(psi * (t + 1)) / 2); "
        "w = w - eta * (next * M / (1 - P * next) + (1 - mu) * g / (1 - P)) / (sqrt(V / (1 - beta2**t)) + epsilon)",
        parameters=(*_BETAS, _epsilon(), Parameter("psi", 0.004, 0.0)), word="Nadam", eta=0.001,
        note="P begins with 1; with the author's schedule of the momentum, as in PyTorch; psi = 0: half of beta1",
        source="Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop",
    ),
)  # fmt: skip

Lion = Optimizer(
    "lion", "w = w - eta * decay * w; w = w - eta * sign(beta1 * M + (1 - beta1) * g); M = beta2 * M + (1 - beta2) * g",
    parameters=(_beta("beta1", 0.9), _beta("beta2", 0.99), Parameter("decay", 0.0, 0.0)), word="Lion", eta=0.0001,
    note="biases do not decay", source="Chen and others, Symbolic discovery of optimization algorithms, NeurIPS 2023",
)  # fmt: skip

RULES = (
    SGD, Momentum, Nesterov, MomentumOutside, NesterovOutside, Adagrad, RMSprop, RMSpropInside, Adadelta,
    Adam, AdamHat, AMSGrad, AMSGradUncorrected, Nadam, AdamW, Lion,
)  # fmt: skip
