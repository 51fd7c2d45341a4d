"""What changes a network: fit and descend; and back to where it was: replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from numpy.typing import ArrayLike

from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.model import Model
from deltaprop.storage import PathLike
from deltaprop.targets import ClassWeight
from deltaprop.training import History, Record, descend, replay, train


class Learning(Model):
    """The verbs of `Network` that train it."""

    @answers_foreign_words
    def fit(
        self,
        X: ArrayLike,
        R: ArrayLike,
        *,
        epochs: int = 100,
        eta: Eta | None = None,
        batch_size: int = 1,
        shuffle: bool = True,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        validation: float | tuple[ArrayLike, ...] | None = None,
        verbose: bool = False,
        optimizer: str | Optimizer = "sgd",
        online_block: int | None = None,
        eta_per: str = "epoch",
        decay: Eta = 0.0,
        eta_factors: Sequence[Any] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        max_norm: float | None = None,
        average: str | None = None,
        metrics: str | Sequence[str] = (),
        monitor: str = "E",
        patience: int | None = None,
        min_gain: float = 0.0,
        keep: str | None = None,
        goal: float | None = None,
        time_budget: float | None = None,
        callbacks: Sequence[Any] | None = None,
        checkpoint: PathLike | None = None,
        checkpoint_every: int | str | None = None,
        resume: bool = False,
        record: Record | None = None,
    ) -> History:
        """Train by gradient descent, the lecture's nine lines, from where the network stands.

            θ ← θ − η_n (1/m) Σ_ℓ w_ℓ ∂E_ℓ/∂θ        for every m = batch_size samples; m = 1 is the lecture's

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
            Inputs, finite numbers, unit-free: scale them to about −1 … 1. A step on a sparse row costs by its numbers
            that are not zero, with a batch_size of 1 and sgd, momentum or nesterov.
        R : array-like (n, n_out), or (n,) where n_out = 1
            Targets, where the loss has its domain: any for "squared_error", in [0, 1] for "log", at least 0 for
            "poisson", 0 or 1 for "hinge", … (docs/functions.md). For "cross_entropy" and "kl" probabilities that sum
            to 1. Where several outputs have targets from 0 to 1, (n,) whole class numbers from 0 do as well; for
            several quantiles (n,) is enough.
        epochs : int, default 100
            Passes through the data. `fit` goes on from the present parameters and epoch count; `reset` starts over.
        eta : float, sequence, function of n, formula, or schedule, optional
            The learning rate η_n of epoch n = 1, 2, …, counted since the network's start; by default that of the
            optimizer, as ``deltaprop.SGD.eta``: 0.1 of sgd, 0.001 of adam, …. A formula is one of n:
            ``"0.5 / (1 + 0.01 * n)"``. Schedules run over the epochs of this call: ``"cosine:0.1,warmup=5"``,
            ``deltaprop.one_cycle(0.3)``, … (``deltaprop list schedules``), from the optimizer's η where they say none.
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
        validation : (X, R), (X, R, weights) or float, optional
            Samples held out, or which share of the rows is, of each class alike, by the network's seed. E of them is in
            the history after every epoch. class_weight counts in a share, as in what it is a share of, and not in a
            pair.
        verbose : bool, default False
            Show progress: a bar on a terminal, a line now and then elsewhere.
        optimizer : str or optimizer, default "sgd"
            The rule of a step: "sgd" is the line above; "momentum", "nesterov", "adam", "lion", … (``deltaprop list
            optimizers``), or one with parameters of its own: ``deltaprop.Adam(beta1=0.8)``, ``"adam:beta1=0.8"``. What
            it remembers stays with the network, so that two calls of
            `fit` are one of twice the epochs; another optimizer, `reset`, or a divergence begins anew, and a model
            file does not hold it. "rprop", "lbfgs" and "levenberg_marquardt" take all samples at once: an epoch is one
            of their steps, however often E is looked at for it; time_budget lets it end, Ctrl-C undoes it; eta,
            batch_size and the like are refused. Where the latter two find nothing more to gain the training ends.
        online_block : int, optional
            With a batch_size of 1: how many samples go through the first layer together, 1 to 32. The updates are the
            lecture's, one after every sample, whatever it is; only rounding differs. 1 is the naive order; by default
            the engine chooses by the layers' sizes (1 for rules that are not linear, as adam). With a sparse X the
            weights of inputs that are 0 wait, unless it is 1, and catch up together after as many samples as the
            engine chooses.
        eta_per : "epoch" or "step", default "epoch"
            Whether η changes with every epoch, or with every step: then n has fractions of an epoch.
        decay : float, sequence, function of n, formula, or schedule, default 0
            Weight decay λ_n beside the rule, as in AdamW: w ← (1 − η_n λ_n) w before each step; biases stay.
        eta_factors : sequence, optional
            What η is multiplied by in each layer: a number, or a pair of one for its weights and one for its biases.
            0 leaves a layer as it is.
        clip_norm, clip_value : float, optional
            The most that the norm of a step's gradient may be, all layers together, and each of its numbers by itself;
            of the gradient of the samples, to which penalties come after.
        max_norm : float, optional
            The most that the norm of the weights into a unit may be: longer ones are scaled down after each step.
        average : "ema" or "last", optional
            End with an average of the parameters: a running one over the steps, ``"ema:keep=0.999"``, or that of the
            last epochs, ``"last:5"``. Validation and ``keep`` go by it, too. It begins with each call of `fit`.
        metrics : str or sequence of str, optional
            What else is looked at, of the validation samples: "accuracy", "auc", "rmse", … (``deltaprop list
            metrics``); it is in ``history.metrics``.
        monitor : str, default "E"
            The metric that patience, keep and goal go by: of the validation samples, or the training's E where there
            are none.
        patience : int, optional
            Stop after so many epochs in a row without a value better by more than ``min_gain``.
        min_gain : float, default 0
        keep : "last", "best" or "last best", optional
            Which epoch's parameters the network ends with: the last, the best (of equals the first), or the last of the
            best. By default the best where there is patience, the last otherwise.
        goal : float, optional
            Stop where the monitored metric is as good.
        time_budget : float, optional
            Seconds after which training stops, within an epoch too; the last entry of the history is of part of one
            then, and that epoch does not count as done.
        callbacks : sequence, optional
            Functions that are called after each epoch with where the run stands (`deltaprop.training.Now`), and may
            return True to stop; objects with ``on_epoch`` or ``on_step``, which is called after each step, or
            block of online steps.
        checkpoint : path-like, optional
            A file that the run is written to as it begins, now and then, and when it ends: a model file with more in
            it, that `deltaprop.load` reads as the network. The one before stays until the new one is safe.
        checkpoint_every : int or str, optional
            Every so many epochs, or seconds as ``"30s"``, also within an epoch; by default every minute.
        resume : bool, default False
            Go on with the run in ``checkpoint``, if there is one, with the same samples and arguments: it ends with the
            same bits as one that was never interrupted. The network takes the parameters in the file; what it held is
            lost.
        record : Record, optional
            Remembers the run, ``deltaprop.Record(every=100, samples=[0, 3])``: it gives the network back as it was
            after any update, and the traces of chosen samples by it; `replay` does so with the samples given anew.

        Returns
        -------
        History
            ``E``, ``E_validation``, ``eta``, ``seconds``, …: one entry per epoch; ``stopped`` says why it ended.

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
            eta_per=eta_per,
            decay=decay,
            eta_factors=eta_factors,
            clip_norm=clip_norm,
            clip_value=clip_value,
            max_norm=max_norm,
            average=average,
            metrics=metrics,
            monitor=monitor,
            patience=patience,
            min_gain=min_gain,
            keep=keep,
            goal=goal,
            time_budget=time_budget,
            callbacks=callbacks,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            resume=resume,
            record=record,
        )

    @answers_foreign_words
    def replay(
        self,
        record: Record,
        X: ArrayLike,
        R: ArrayLike,
        step: int,
        *,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
    ) -> Self:
        """Return this network as it was after an update of a recorded run, to the bit.

        It begins at the last state before it that was kept, and descends from there as the run did.

        Parameters
        ----------
        record : Record
            That was given to `fit`.
        X, R : array-like
            All samples, as `fit` had them, in the same order.
        step : int
            Updates since the start of that run, 0 being the start. Within a block of online descent
            (``online_block``) it is that update but for rounding.
        sample_weight, class_weight
            As `fit` had them.

        Returns
        -------
        Network
            Another one, with what its optimizer remembered; this one stays as it is.

        Raises
        ------
        TypeError, ValueError
            If the record is empty, or of another network or of other samples, or the run had fewer updates.

        Examples
        --------
        >>> from deltaprop import Network, Record
        >>> X, r = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        >>> net, record = Network([1, 1], seed=1), Record(every=3)
        >>> history = net.fit(X, r, epochs=2, eta=0.5, record=record, online_block=1)
        >>> net.replay(record, X, r, step=8) == net
        True
        >>> net.replay(record, X, r, step=4).epoch
        1
        """
        found: Self = replay(self, record, X, R, step, sample_weight, class_weight)
        return found

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
        decay: float = 0.0,
        eta_factors: Sequence[Any] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        max_norm: float | None = None,
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
        class_weight, optimizer, online_block, decay, eta_factors, clip_norm, clip_value, max_norm
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
        >>> from deltaprop import Network
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
            decay=decay,
            eta_factors=eta_factors,
            clip_norm=clip_norm,
            clip_value=clip_value,
            max_norm=max_norm,
        )
