"""Network: what people hold. The verbs; what they do is in the rooms they call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array
from deltaprop.descent.initializers import Initializer
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.functions import Activation, Loss
from deltaprop.inspection.gradient_check import GradientReport, check_gradient
from deltaprop.inspection.health import health as health_of
from deltaprop.inspection.trace import Trace, trace
from deltaprop.model import Model
from deltaprop.targets import ClassWeight
from deltaprop.training import History, descend, train

if TYPE_CHECKING:
    from deltaprop.inspection.derivation import Derivation
    from deltaprop.inspection.drawing import Drawing
    from deltaprop.storage import PathLike


class Network(Model):
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
    ) -> None:
        super().__init__(layers, h=h, output=output, loss=loss, bias=bias, seed=seed, dtype=dtype, init=init)

    @answers_foreign_words
    def fit(
        self,
        X: ArrayLike,
        R: ArrayLike,
        *,
        epochs: int = 100,
        eta: Eta = 0.1,
        batch_size: int = 1,
        shuffle: bool = True,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        verbose: bool = False,
        optimizer: str | Optimizer = "sgd",
        online_block: int | None = None,
    ) -> History:
        """Train by gradient descent, the lecture's nine lines, from where the network stands.

            θ ← θ − η_n (1/m) Σ_ℓ w_ℓ ∂E_ℓ/∂θ        for every m = batch_size samples; m = 1 is the lecture's

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
            Inputs, finite numbers, unit-free: scale them to about −1 … 1. A step on a sparse row costs by its numbers
            that are not zero, with a batch_size of 1 and any optimizer but adam.
        R : array-like (n, n_out), or (n,) where n_out = 1
            Targets, where the loss has its domain: any for "squared_error", in [0, 1] for "log", at least 0 for
            "poisson", 0 or 1 for "hinge", … (docs/functions.md). For "cross_entropy" and "kl" probabilities that sum
            to 1. Where several outputs have targets from 0 to 1, (n,) whole class numbers from 0 do as well; for
            several quantiles (n,) is enough.
        epochs : int, default 100
            Passes through the data. `fit` goes on from the present parameters and epoch count; `reset` starts over.
        eta : float, sequence or function of n, default 0.1
            The learning rate η_n of epoch n = 1, 2, …, counted since the network's start.
        batch_size : int, default 1
            Samples per step; the last step of an epoch takes what is left.
        shuffle : bool, default True
            A new order every epoch, from (seed, epoch); False is the lecture's "for all x in D".
        sample_weight : array-like (n,), optional
            w_ℓ ≥ 0, as given: online, a weight of 2 is a step of 2η, and 0 changes nothing.
        class_weight : "balanced", mapping or sequence, optional
            c_k for each class k: w_ℓ is multiplied by Σ_k r_k c_k, where the r of a sample sum to 1. A mapping may
            leave classes out, which then have 1; "balanced" is n / (classes · samples of the class). One output has
            the classes 0 and 1.
        validation : (X, R), optional
            Samples held out; E of them, each counting alike, is in the history after every epoch.
        verbose : bool, default False
            Show progress: a bar on a terminal, a line now and then elsewhere.
        optimizer : str or optimizer, default "sgd"
            The rule of a step: "sgd" is the line above; "momentum", "nesterov", "adam", or one with parameters of its
            own, such as ``deltaprop.Adam(beta1=0.8)``. What it remembers stays with the network, so that two calls of
            `fit` are one of twice the epochs; another optimizer, `reset`, or a divergence begins anew, and a model
            file does not hold it.
        online_block : int, optional
            With a batch_size of 1: how many samples go through the first layer together, 1 to 32. The updates are the
            lecture's, one after every sample, whatever it is; only rounding differs. 1 is the naive order; by default
            the engine chooses by the layers' sizes (1 for a sparse X and for adam).

        Returns
        -------
        History
            ``E``, ``E_validation``, ``eta``, ``seconds``: one entry per epoch.

        Raises
        ------
        TypeError, ValueError
            If an argument cannot be used; the network is as before. (A function eta is asked anew every epoch: where it
            fails, the epochs before have been trained.)
        DivergenceError
            If a parameter or E stops being finite; the parameters are those of the last good epoch.
        RuntimeError
            If another call is training this network.
        KeyboardInterrupt
            After a whole update.

        Notes
        -----
        Source: the lecture's algorithm, lines 1 to 9; the first is `reset`.

        Examples
        --------
        One sample, one step from zero: y = σ(0) = ½, δ = y − r = −½, so b grows by η/2 and w by x η/2.

        >>> import deltaprop
        >>> net = deltaprop.Network([1, 1])
        >>> net.theta = [0, 0]
        >>> history = net.fit([[3.0]], [1], epochs=1, eta=0.5)
        >>> net.theta
        array([0.75, 0.25])
        >>> round(history.E[0], 6)      # log 2
        0.693147
        """
        return train(
            self,
            X,
            R,
            epochs=epochs,
            eta=eta,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            class_weight=class_weight,
            validation=validation,
            verbose=verbose,
            optimizer=optimizer,
            online_block=online_block,
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
    ) -> float:
        """Return the loss of a set of samples, E = Σ_ℓ w_ℓ E_ℓ / Σ_ℓ w_ℓ.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        sample_weight : array-like (n,), optional
        class_weight : "balanced", mapping or sequence, optional
            As in `fit`.

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
        return super().E(X, R, sample_weight, class_weight=class_weight)

    def gradient(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
    ) -> Array:
        """Return ∂E/∂θ of a set of samples: for one, δ_j z_i (1) and δ_j; for many, their weighted mean.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        sample_weight : array-like (n,), optional
        class_weight : "balanced", mapping or sequence, optional
            As in `fit`.

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
        return super().gradient(X, R, sample_weight, class_weight=class_weight)

    @answers_foreign_words
    def descend(
        self,
        X: ArrayLike,
        R: ArrayLike,
        eta: float,
        *,
        batch_size: int = 1,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        optimizer: str | Optimizer = "sgd",
        online_block: int | None = None,
    ) -> float:
        """Go down once through the samples in the order given: `fit`'s kernel, without epochs.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        eta : float
            The learning rate.
        batch_size : int, default 1
        sample_weight : array-like (n,), optional
        class_weight, optimizer, online_block
            As in `fit`.

        Returns
        -------
        float
            Mean of each sample's E before its own update.

        Raises
        ------
        TypeError, ValueError
            If an argument cannot be used; the network is as before.
        DivergenceError
            If a parameter or E stops being finite; the parameters are as before.
        RuntimeError
            If another call is training this network.

        Notes
        -----
        Source: lines 3 to 9 of the lecture's algorithm.

        Examples
        --------
        >>> net = Network([1, 1], bias=False)
        >>> net.theta = [0]
        >>> E = net.descend([[2.0]], [1], 0.5)     # w ← 0 − 0.5 · (½ − 1) · 2
        >>> net.theta
        array([0.5])
        """
        return descend(
            self,
            X,
            R,
            eta,
            batch_size=batch_size,
            sample_weight=sample_weight,
            class_weight=class_weight,
            optimizer=optimizer,
            online_block=online_block,
        )

    def trace(
        self, X: ArrayLike, R: ArrayLike, *, eta: float | None = None, optimizer: str | Optimizer | None = None
    ) -> Trace:
        """Return every quantity of backpropagation, from the engine's own descent step.

        Parameters
        ----------
        X : array-like (n_in,) or (n, n_in)
            One sample x, or many.
        R : array-like (n_out,) or (n, n_out)
            Its targets r; for one sample a number where there is one output, or that of its class.
        eta : float, optional
            The learning rate of a step, which is then in the trace: what a `descend` with the samples as one batch
            would make of the weights. The network itself stays as it is.
        optimizer : str or optimizer, optional
            The rule of that step; by default that of the last descent, with what it remembers.

        Returns
        -------
        Trace
            ``.x .r .y .E`` and ``.layers[l]`` with ``.a .z .dh .delta .dW .db``, the units that ``W[l]`` leads to; with
            an eta also ``.change_W .W_after .change_b .b_after``. Prints as a table with names and numbers;
            ``.to_frame()`` is one of pandas. Many samples add a leading axis, but for the step.

        Raises
        ------
        TypeError, ValueError
            If a shape, a number or a target does not fit.

        Notes
        -----
        Source: the quantities of the lecture's derivation, by its letters (NOTATION.md).

        Examples
        --------
        The lecture's δ_j = z_j (1 − z_j) δ_y v_j:

        >>> net = Network([2, 2, 1], bias=False)
        >>> net.theta = [0, 0, 0, 0, 0.8, -0.8]    # z_1 = z_2 = ½, y = σ(0) = ½
        >>> t = net.trace([1, 2], 1)
        >>> t.layers[1].delta                      # y − r
        array([-0.5])
        >>> t.layers[0].delta                      # ½ · ½ · (−½) · (±0.8)
        array([-0.1,  0.1])

        Δw = −η δ_j z_i:

        >>> t = net.trace([1, 2], 1, eta=0.1)
        >>> t.layers[1].change_W.round(3).tolist()
        [[0.025], [0.025]]
        """
        return trace(self, X, R, eta=eta, optimizer=optimizer)

    def check_gradient(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
    ) -> GradientReport:
        """Compare backpropagation's gradient with central differences of E, in float64.

            ∂E/∂θ_k ≈ (E(θ + ε e_k) − E(θ − ε e_k)) / 2ε

        Costs two evaluations of E per parameter: pass some hundred samples. A layer of more than 5,000 weights is
        compared at 500 of them and along 20 random directions of all, and the report says so.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        sample_weight : array-like (n,), optional
        class_weight : "balanced", mapping or sequence, optional
            As in `fit`.

        Returns
        -------
        GradientReport
            ``.ok``, ``.worst`` (relative error), ``.groups`` per layer, weights and biases apart; prints its verdict.

        Raises
        ------
        TypeError, ValueError
            If a shape, a number or a target does not fit, or E is not finite.

        Notes
        -----
        Source: central differences; C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, section 5.3.3.

        Examples
        --------
        >>> net = Network([2, 3, 1])
        >>> net.check_gradient([[0, 1], [1, 1]], [1, 0]).ok
        True
        """
        return check_gradient(self, X, R, sample_weight, class_weight)

    health = health_of  # why it does not learn; documented there

    def derive(self, x: ArrayLike | None = None, r: ArrayLike | None = None, eta: float | None = None) -> Derivation:
        """Return the lecture's derivation for this network, step by step; with a sample, also in its numbers.

        ``x`` (n_in,) and ``r`` (n_out,) are one sample, ``eta`` the η of its update. ``str``, ``.to_markdown()``,
        ``.to_latex()``, ``.to_html()`` and ``.save("derivation.html")`` write it. Needs SymPy: deltaprop[derive].

        Examples
        --------
        >>> print(Network([2, 4, 1]).derive().sections[4].lines[3].steps[2].right)
        y - r
        """
        from deltaprop.inspection.derivation import derive

        return derive(self, x, r, eta)

    def draw(self) -> Drawing:
        """Draw the network, the lecture's first figure: units, weights, and what each layer computes.

        Returns
        -------
        Drawing
            SVG: notebooks show it, ``.save("net.svg")`` writes it. Layers of more than 8 units are abridged.

        Examples
        --------
        >>> str(Network([2, 4, 1]).draw()).startswith("<svg")
        True
        """
        from deltaprop.inspection.drawing import draw

        return draw(self)

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
