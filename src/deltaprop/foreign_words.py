"""Other libraries' words for what has a name here, answered with that name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

_Callable = TypeVar("_Callable", bound=Callable[..., Any])

_FOREIGN = {
    "learning_rate": "here it is eta",
    "learning_rate_init": "here it is eta",
    "lr": "here it is eta",
    "activation": "here it is h, and output for the last layer",
    "hidden_layer_sizes": "here it is layers, inputs and outputs included: [2, 4, 1]",
    "random_state": "here it is seed",
    "max_iter": "here it is epochs",
    "n_epochs": "here it is epochs",
    "use_bias": "here it is bias",
    "fit_intercept": "here it is bias",
    "validation_data": "here it is validation",
    "criterion": "here it is loss",
    "y": "here it is R, the lecture's r",
    "alpha": "here it is l2, of Network, as it is: scikit-learn divides it by the number of samples",
    "momentum": "here it is optimizer=deltaprop.Momentum(mu)",
    "nesterovs_momentum": "here it is optimizer=deltaprop.Nesterov(mu)",
    "solver": "here it is optimizer",
    "validation_fraction": "here it is validation",
    "early_stopping": "here it is patience, with validation",
    "n_iter_no_change": "here it is patience",
    "dropout_rate": "here it is dropout, of Network",
    "clipnorm": "here it is clip_norm",
    "max_grad_norm": "here it is clip_norm",
    "weight_decay": "here it is decay, or l2 of Network",
    "tol": "here it is min_gain, with patience; scikit-learn's default is 1e-4",
    "beta_1": "here it is optimizer=deltaprop.Adam(beta1=...)",
    "beta_2": "here it is optimizer=deltaprop.Adam(beta2=...)",
}
_FOREIGN_TO_TABLES = {
    **_FOREIGN,
    "y": "here it is target, the name of a column",
    "hidden_layer_sizes": "here it is hidden, the hidden layers alone: (32, 16)",
    "layers": "here it is hidden, the hidden layers alone: (32, 16)",
    "activation": "here it is h",
    "alpha": "here it is l2, of TableModel, as it is: scikit-learn divides it by the number of samples",
    "X": "here it is table",
}


_OPTIONS = {
    **dict.fromkeys(("learning-rate", "learning-rate-init", "lr"), "eta"),
    **dict.fromkeys(("hidden-layer-sizes", "layers"), "hidden"),
    **dict.fromkeys(("max-iter", "n-epochs"), "epochs"),
    **dict.fromkeys(("n-iter-no-change", "early-stopping"), "patience"),
    "activation": "h",
    "random-state": "seed",
    "validation-fraction": "validation",
    "dropout_rate": "here it is dropout, of Network",
    "clipnorm": "here it is clip_norm",
    "max_grad_norm": "here it is clip_norm",
    "weight_decay": "here it is decay, or l2 of Network",
    "tol": "min-gain",
    "alpha": "l2",
    "weight-decay": "decay",
    "solver": "optimizer",
}


def option_for(word: str) -> str | None:
    """Return the option of the command line that another library's word means; None where it means none.

    Examples
    --------
    >>> option_for("--max_iter")
    '--epochs'
    """
    known = _OPTIONS.get(word.lstrip("-").replace("_", "-"))
    return None if known is None else f"--{known}"


def answers_foreign_words(function: _Callable) -> _Callable:
    """Answer an unknown keyword that means something elsewhere with what it is called here."""
    words = _FOREIGN_TO_TABLES if function.__module__.startswith("deltaprop.table_model.") else _FOREIGN

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for word in words.keys() & kwargs.keys():
            who = function.__qualname__.removesuffix(".__init__")
            if args and "." in function.__qualname__:  # a method, of whatever class it is called on
                who = type(args[0]).__name__ + ("" if function.__name__ == "__init__" else f".{function.__name__}")
            raise TypeError(f"{who}: {word}: {words[word]}.")
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]  # same signature, but for the words it answers
