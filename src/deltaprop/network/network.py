"""Network: what people hold. The verbs; what they do is in the rooms they call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array
from deltaprop.descent.initializers import Initializer
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.functions import Activation, Loss
from deltaprop.model import Model
from deltaprop.network.learning import Learning
from deltaprop.network.looking import Looking
from deltaprop.targets import ClassWeight

if TYPE_CHECKING:
    from deltaprop.storage import PathLike


class Network(Learning, Looking):
    """A multilayer perceptron with the lecture's names.

        a_j = Σ_i w_ji z_i + b_j,   z_j = h(a_j),   z of layer 0 is x,   z of the last layer is y

    Parameters
    ----------
    layers : sequence of int
        Units of each layer, inputs first, outputs last: ``[2, 4, 1]``. ``[2, 1]`` is the perceptron.
    h : str or Activation, or a sequence of them, default "sigmoid"
        Activation of the hidden layers, one or one each: sigmoid (or logistic), tanh, relu, gelu, … (``deltaprop list
        activations`` has them all), with parameters ``"leaky_relu:slope=0.1"`` or ``deltaprop.leaky_relu(slope=0.1)``,
        or a formula: ``"a * sigmoid(1.702 * a)"`` (docs/functions.md).
        Ignored where there is no hidden layer.
    output : str or Activation, default "sigmoid"
        Activation of the output layer: one of those, a formula, or softmax.
    loss : str or Loss, default "log"
        E of a sample: "log", Σ −r log y − (1−r) log(1−y); "cross_entropy", Σ −r log y; "squared_error", ½ Σ (y−r)²;
        absolute_error, huber, poisson, hinge, focal, … (``deltaprop list losses`` has them all), with parameters
        ``"huber:delta=2"``, ``"quantile:q=0.1,0.5,0.9"`` (one q for each output), ``"log:label_smoothing=0.1"``, or
        ``deltaprop.huber(delta=2)``; or a formula of y and r for each output: ``"(y - r)**4 / 4"``.
    bias : bool, default True
        Whether units have biases; the lecture's have none.
    seed : int, default 0
        From it come the first weights and the order of each epoch. Same seed, same bits, for any number of threads.
    dtype : "float32" or "float64", default "float64"
        In what the network computes.
    init : str, Initializer or sequence of arrays, optional
        How the first weights are drawn: glorot, he, lecun (uniform; with _normal normal), orthogonal, nguyen_widrow,
        ``"uniform:range=0.5"``, ``"normal:sd=0.1"``, zeros (``deltaprop list initializers``). By default as each
        layer's activation needs, uniform. Arrays of your own, W or a tuple (W, b) for each layer, are where this
        network starts; `reset`, and the network of `config`, draw as they would without.
    l2, l1 : float, default 0
        Penalties on the weights, not on biases: E of a set has Ω = l2/2 Σ w² + l1 Σ |w| beside the mean over its
        samples, and so have `gradient` and every step.
    dropout : float or sequence of float, default 0
        Which share of each hidden layer's units training drops, anew for every sample; the others are scaled by
        1/(1 − p), so that predictions, which drop none, need no factor. One share for all hidden layers; two, of
        the inputs and of all hidden layers; or one of the inputs and one of each hidden layer.
    input_noise : float, default 0
        The standard deviation of normal numbers that training adds to inputs, anew for every sample.

    Attributes
    ----------
    W, b : sequences of ndarray
        Live views: ``W[l]`` (n_in, n_out) with w_ji at [i, j], ``b[l]`` (n_out,). ``net.W[0] = A`` copies in.
    theta : ndarray (n_parameters,)
        All of them, dense, a copy: layer by layer, W row by row, then b. Settable.
    n_parameters : int
        How many weights and biases there are.
    epoch : int
        Epochs trained since the start.
    penalty : float
        Ω of the present weights.
    presented : int
        Samples presented in training since the start. What is drawn for a sample depends on (seed; its number, layer,
        unit) alone: not on batches, threads, or interruptions.

    Raises
    ------
    TypeError, ValueError
        If the layers are no whole numbers ≥ 1, a name is unknown, or the output's range leaves the loss's domain.

    Notes
    -----
    Eight threads may call `predict` at once. A second call that trains the network at the same time raises
    RuntimeError.

    Source: F. A. González, "Backpropagation Derivation", 2018. Readers of Nielsen's book: his z is a here, his a is z.

    Examples
    --------
    >>> import deltaprop
    >>> net = deltaprop.Network([2, 4, 1])
    >>> net
    Network([2, 4, 1], h=['sigmoid'], output='sigmoid', loss='log', bias=True, seed=0, dtype='float64')
    >>> net.n_parameters            # 2·4 + 4 + 4·1 + 1
    17
    >>> net.theta = [0.0] * 17
    >>> net.predict([[1, 0]])       # σ(0)
    array([[0.5]])
    """

    @answers_foreign_words
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
        super().__init__(
            layers,
            h=h,
            output=output,
            loss=loss,
            bias=bias,
            seed=seed,
            dtype=dtype,
            init=init,
            l2=l2,
            l1=l1,
            dropout=dropout,
            input_noise=input_noise,
        )

    def reset(self, seed: int | None = None) -> Self:
        """Start over, the lecture's line 1: weights drawn anew by `init`, biases 0, epoch count 0.

            w ~ uniform in (−c, c),   c = √(6 / (n_in + n_out)); relu and its kin √(6 / n_in), selu √(3 / n_in)

        This is where init is None; docs/functions.md has the others. Each weight depends on (seed, layer, its place).

        Parameters
        ----------
        seed : int, optional
            The seed from now on; the present one by default.

        Returns
        -------
        Network

        Raises
        ------
        TypeError, ValueError
            If seed is no whole number in [0, 2⁶⁴).

        Warns
        -----
        UserWarning
            Where all units of a hidden layer start alike, as zeros let them: nothing would ever tell them apart.

        Examples
        --------
        >>> net = Network([2, 1], seed=3)
        >>> history = net.fit([[1, 2]], [1], epochs=1)
        >>> net.reset() == Network([2, 1], seed=3)
        True
        """
        return super().reset(seed)

    def predict(self, X: ArrayLike) -> Array:
        """Return y, the output activations (not labels), of rows of inputs.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)

        Returns
        -------
        ndarray (n, n_out)
            A row has the same bits alone and in a batch.

        Raises
        ------
        TypeError, ValueError
            If X has another shape, or holds anything but finite numbers.

        Notes
        -----
        Source: the lecture's a_j = Σ_i w_ji z_i, z_j = h(a_j).

        Examples
        --------
        >>> net = Network([2, 1], output="identity", loss="squared_error")
        >>> net.theta = [2, 3, 1]                  # w_1, w_2, b
        >>> net.predict([[10, 100]])
        array([[321.]])
        """
        return Model.predict(self, X)  # super() would take a tenth of the time of a row

    def E(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
        training: bool = False,
    ) -> float:
        """Return the loss of a set of samples, E = Σ_ℓ w_ℓ E_ℓ / Σ_ℓ w_ℓ.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        sample_weight : array-like (n,), optional
        class_weight : "balanced", mapping or sequence, optional
            As in `fit`.
        training : bool, default False
            With the dropout and the noise that the samples would meet if they were presented next.

        Returns
        -------
        float
            In nats for the log losses, in squared units of r for squared_error. What a loss drops is not in it
            (docs/functions.md).

        Raises
        ------
        TypeError, ValueError
            If a shape, a number or a target does not fit, or there are no samples.

        Notes
        -----
        Source: the lecture's E_ℓ(w) for "log"; `Network` gives the other losses.

        Examples
        --------
        >>> net = Network([2, 1])
        >>> net.theta = [0, 0, 0]
        >>> round(net.E([[1, 2]], [1]), 6)         # −log σ(0) = log 2
        0.693147
        """
        return super().E(X, R, sample_weight, class_weight=class_weight, training=training)

    def gradient(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
        training: bool = False,
    ) -> Array:
        """Return ∂E/∂θ of a set of samples: for one, δ_j z_i (1) and δ_j; for many, their weighted mean.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        sample_weight : array-like (n,), optional
        class_weight : "balanced", mapping or sequence, optional
            As in `fit`.
        training : bool, default False
            As in `E`.

        Returns
        -------
        ndarray (n_parameters,)
            Dense, in the order of `theta`.

        Raises
        ------
        TypeError, ValueError
            If a shape, a number or a target does not fit, or there are no samples.

        Notes
        -----
        Source: the lecture's equations (1), ∂E/∂w_ji = δ_j z_i, and (2), δ_j = h′(a_j) Σ_k δ_k w_kj.

        Examples
        --------
        >>> net = Network([2, 1])
        >>> net.theta = [0, 0, 0]
        >>> net.gradient([[2, 4]], [1])            # δ = ½ − 1; δ x_1, δ x_2, δ
        array([-1. , -2. , -0.5])
        """
        return super().gradient(X, R, sample_weight, class_weight=class_weight, training=training)

    def save(self, path: PathLike) -> None:
        """Write the network to one file, safetensors with JSON: it replaces what was there, whole or not at all.

        Parameters
        ----------
        path : path-like
            By custom it ends in ``.deltaprop``.

        Raises
        ------
        OSError
            If it cannot be written; nothing has changed then.
        ValueError
            If a parameter is not finite.

        Examples
        --------
        >>> import deltaprop, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "xor.deltaprop")
        >>> net = Network([2, 4, 1])
        >>> net.save(path)
        >>> deltaprop.load(path) == net
        True
        """
        from deltaprop.storage import write_model_file

        write_model_file(path, {"kind": "network", "network": self.description()}, {"theta": self.finite_theta("save")})
