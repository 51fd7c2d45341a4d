"""What looks into a network and changes nothing: trace, check_gradient, health, find_eta, derive, draw, plot_…."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from deltaprop.descent.optimizers import Optimizer
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.eta_range import find_eta as find_eta_of
from deltaprop.inspection.gradient_check import GradientReport, check_gradient
from deltaprop.inspection.health import health as health_of
from deltaprop.inspection.pictures import plot_activation as plot_activation_of
from deltaprop.inspection.pictures import plot_boundary as plot_boundary_of
from deltaprop.inspection.pictures import plot_weights as plot_weights_of
from deltaprop.inspection.trace import Trace, trace
from deltaprop.model import Model
from deltaprop.storage import PathLike
from deltaprop.targets import ClassWeight

if TYPE_CHECKING:
    from deltaprop.inspection.derivation import Derivation
    from deltaprop.inspection.drawing import Drawing
    from deltaprop.training import History, Record


class Looking(Model):
    """The verbs of `Network` that show what it does."""

    @answers_foreign_words
    def trace(
        self,
        X: ArrayLike,
        R: ArrayLike,
        *,
        eta: float | None = None,
        optimizer: str | Optimizer | None = None,
        training: bool | None = None,
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
        training : bool, optional
            Whether the samples meet the dropout and noise that they would meet if they were presented next: x, z and
            h′ are then with them. By default where there is an eta.

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

        >>> from deltaprop import Network
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
        return trace(self, X, R, eta=eta, optimizer=optimizer, training=training)

    @answers_foreign_words
    def check_gradient(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
        training: bool = False,
    ) -> GradientReport:
        """Compare backpropagation's gradient with central differences of E, in float64.

            ∂E/∂θ_k ≈ (E(θ + ε e_k) − E(θ − ε e_k)) / 2ε

        Costs two evaluations of E per parameter, and some thirty where a gradient is small or h has a kink near by:
        pass some hundred samples. A layer of more than 5,000 weights is compared at 500 of them and along 20 random
        directions of all, and the report says so; where those disagree a weight that is wrong is looked for and named.

        Errors are |a − n| / max(|a|, |n|). Allowed are 1e-6, and what rounding in the network's dtype can have made of
        the entry; float32 leaves some 1e-5 of most, and less of such as nearly cancel over the samples.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in)
        R : array-like (n, n_out), or (n,) where n_out = 1
        sample_weight : array-like (n,), optional
        class_weight : "balanced", mapping or sequence, optional
            As in `fit`.
        training : bool, default False
            Compare with the dropout and the noise that the samples would meet if they were presented next.

        Returns
        -------
        GradientReport
            ``.ok``, ``.worst`` (relative error), ``.groups`` per layer, weights and biases apart, with what is allowed
            there; prints its verdict.

        Raises
        ------
        TypeError, ValueError
            If a shape, a number or a target does not fit, or E is not finite.

        Notes
        -----
        Source: central differences; C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, section 5.3.3.

        Examples
        --------
        >>> from deltaprop import Network
        >>> net = Network([2, 3, 1])
        >>> net.check_gradient([[0, 1], [1, 1]], [1, 0]).ok
        True
        """
        return check_gradient(self, X, R, sample_weight, class_weight, training=training)

    @answers_foreign_words
    def derive(self, x: ArrayLike | None = None, r: ArrayLike | None = None, eta: float | None = None) -> Derivation:
        """Return the lecture's derivation for this network, step by step; with a sample, also in its numbers.

        ``x`` (n_in,) and ``r`` (n_out,) are one sample, ``eta`` the η of its update. ``str``, ``.to_markdown()``,
        ``.to_latex()``, ``.to_html()`` and ``.save("derivation.html")`` write it. Needs SymPy: deltaprop[derive].

        Examples
        --------
        >>> from deltaprop import Network
        >>> print(Network([2, 4, 1]).derive().sections[4].lines[3].steps[2].right)
        y - r
        """
        from deltaprop.inspection.derivation import derive

        return derive(self, x, r, eta)

    def _repr_html_(self) -> str:
        return f"<p><code>{escape(repr(self))}</code></p>{self.draw()}"

    def draw(self, x: ArrayLike | None = None, r: ArrayLike | None = None, *, unit: str | None = None) -> Drawing:
        """Draw the network, the lecture's figures: units, weights, what each layer computes; with a sample its numbers.

        Parameters
        ----------
        x : array-like (n_in,), optional
            The inputs of one sample: z is then in the units, δ below them, and w at the lines, whose width is |w|
            beside the largest of the layer, dashed below 0.
        r : array-like (n_out,), optional
            Its targets.
        unit : str, optional
            Draw this unit alone, with all that leads into it and back to it: "z1.2" is unit 2 of hidden layer 1, "y"
            or "y2" an output.

        Returns
        -------
        Drawing
            SVG, in light and in dark: notebooks show it, ``.save("net.svg")`` writes it. Layers of more than 8 units
            are abridged; its description says every unit's numbers in words.

        Raises
        ------
        TypeError, ValueError
            If only one of x and r is given, there are many samples, or no unit has that name.

        Examples
        --------
        >>> from deltaprop import Network
        >>> net = Network([2, 4, 1])
        >>> str(net.draw()).startswith("<svg")
        True
        >>> print(net.draw([0, 1], 1, unit="y").svg.split("<title>")[1].split("<")[0])
        Unit y, forward and back
        """
        from deltaprop.inspection.drawing import draw

        return draw(self, x, r, unit=unit)

    @answers_foreign_words
    def report(
        self,
        X: ArrayLike,
        R: ArrayLike,
        path: PathLike,
        *,
        samples: Sequence[int] | None = None,
        eta: float | None = None,
        history: History | None = None,
        states: Sequence[tuple[str, Model]] | None = None,
        record: Record | None = None,
        title: str | None = None,
    ) -> None:
        """Write one page that steps forwards and backwards through one update of a sample, unit by unit, with numbers.

        It is one file of HTML that opens from disk and loads nothing: the network drawn, each unit's formula with
        numbers, forward pass, E, δ back, gradients, new weights; the sample by its columns, health, loss curves, and
        the derivation, where SymPy is installed. Its numbers are the engine's, from `trace`: the page computes none.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix (n, n_in), or (n_in,)
            The training rows, or one sample.
        R : array-like (n, n_out), or (n,) where n_out = 1
        path : path-like
            Where to write; a file that is there is replaced, whole or not at all.
        samples : sequence of int, optional
            The rows of X to step through; by default the first 100, or so many as leave the page small.
        eta : float, optional
            The learning rate of the updates; by default what each update of the record had, the last of the history, or
            the optimizer's own.
        history : History, optional
            What `fit` returned, for the loss curves.
        states : sequence of (str, Network), optional
            The network at several moments, each with its label, to go from one to another.
        record : Record, optional
            The record of a run of this network, in place of states: the page goes from update to update, at as many of
            them as leave it small, back to the start, and to the network as it is; with so many of the record's samples
            as leave room for them, where none are given here.
        title : str, optional
            The page's.

        Raises
        ------
        TypeError, ValueError
            If a shape, a number or a target does not fit, there is no such sample, a state is of another network, or
            the page would be too large; the message says how many samples it can have.
        OSError
            If the file cannot be written; nothing has changed then.

        Notes
        -----
        Each sample's update is one by itself, from the weights that the network has. Dropout and noise are left out.

        Examples
        --------
        >>> import os, tempfile
        >>> from deltaprop import Network
        >>> path = os.path.join(tempfile.mkdtemp(), "report.html")
        >>> Network([2, 4, 1]).report([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], path)
        >>> with open(path, encoding="utf-8") as page:
        ...     print(page.readline().strip())
        <!DOCTYPE html>
        """
        from deltaprop.inspection.report import report

        report(
            self,
            X,
            R,
            path,
            samples=samples,
            eta=eta,
            history=history,
            states=states,
            record=record,
            title=title,
        )

    health = health_of  # why it does not learn; documented there
    find_eta = find_eta_of  # the range test; documented there
    plot_weights = plot_weights_of  # heat maps of w and ∂E/∂w; documented there
    plot_boundary = plot_boundary_of  # what every unit sees of a plane; documented there
    plot_activation = plot_activation_of  # h and h′; documented there
