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
    "beta_1": "here it is optimizer=deltaprop.Adam(beta1=...)",
    "beta_2": "here it is optimizer=deltaprop.Adam(beta2=...)",
}


def answers_foreign_words(function: _Callable) -> _Callable:
    """Answer an unknown keyword that means something elsewhere with what it is called here."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for word in _FOREIGN.keys() & kwargs.keys():
            who = function.__qualname__.removesuffix(".__init__")
            if args and "." in function.__qualname__:  # a method, of whatever class it is called on
                who = type(args[0]).__name__ + ("" if function.__name__ == "__init__" else f".{function.__name__}")
            raise TypeError(f"{who}: {word}: {_FOREIGN[word]}.")
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]  # same signature, but for the words it answers
