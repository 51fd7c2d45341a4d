"""What is looked for in the flow of δ and in the descent: vanishing, exploding, η, and E beside that of a constant."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from deltaprop.inspection.health.case import BARELY, SETTLED, Case, below_chance
from deltaprop.inspection.health.findings import Finding
from deltaprop.inspection.health.steps import Steps
from deltaprop.inspection.health.units import parts_of_a

VANISHING = 1e-3  # δ of the first hidden layer beside the last one's: it learns a thousand times slower
EXPLODING = 1e3  # or faster: any η that suits one of them is wrong for the other
LARGE_STEP = 1.0  # ‖Δw‖/‖w‖: a step as long as the weights leaves nothing of what they had learned; the first may be
SMALL_STEP = 1e-6  # a million steps to change the weights by their own size
WORSE = 0.5  # of |E| of the best constant, by which E has risen after the steps: no noise, they go uphill
DOUBLED = 0.1  # of the same, where E was small before and has more than doubled
ROWS_PER_OUTPUT = 4  # at least: hindsight saves a constant of k classes k/2n nats on n of many rows, here an eighth
_PER_PARAMETER = 4  # rows at least: with fewer, what a network knows by heart may be anything
SURE = 2.0  # standard errors of a difference found on some of many rows
UNBALANCED = 0.9  # of all targets are of one class
UNBALANCED_SUM = 1e-3  # within which shares of classes add up to 1
DONE = 0.05  # of E of the best constant: where half of the samples are below it, small steps are what is left to do


def of_numbers(case: Case) -> Iterator[Finding]:
    """Find the first layer, forwards and then backwards, with a number that is not finite."""
    quantity = case.model.not_finite(0.0)
    if quantity is not None:
        yield Finding("not finite", None, f"{quantity} is not finite. Start over (reset) with a smaller eta.", {})
        return
    forwards = [("z", f.layer, p.z) for f, p in zip(case.layers, case.passes, strict=True)]
    backwards = [("δ", f.layer, p.delta) for f, p in zip(case.layers, case.passes, strict=True)]
    for symbol, layer, values in [*forwards, *reversed(backwards)]:
        share = float((~np.isfinite(values)).mean())
        if share:
            yield Finding(
                "not finite",
                layer,
                f"{symbol} overflows for {share:.0%} of units and samples. Scale the inputs and start over (reset) "
                "with smaller weights.",
                {"share": share},
            )
            return


def of_delta(case: Case) -> Iterator[Finding]:
    """Find δ that shrinks or grows a thousandfold from the last hidden layer to the first, while E is not small."""
    hidden = case.layers[:-1]
    if len(hidden) < 2 or not case.enough or case.learned:
        return
    first, last = hidden[0], hidden[-1]
    # Where a whole layer is dead, that is the finding.
    if any(layer.dead == 1 for layer in case.layers) or not (last.delta and math.isfinite(first.delta + last.delta)):
        return
    ratio = first.delta / last.delta
    if VANISHING <= ratio <= EXPLODING:
        return
    each = ratio ** (1 / (len(hidden) - 1))
    figures = {"first": first.delta, "last": last.delta, "ratio": ratio, "per layer": each}
    what = (
        f"the rms of δ goes from {last.delta:.3g} in layer {last.layer} to {first.delta:.3g} in layer 1, a factor of "
        f"{each:.3g} with every layer"
    )
    if ratio < VANISHING:
        yield Finding(
            "vanishing",
            first.layer,
            f"{what}: the first layers hardly learn. Use fewer layers, an h whose slope is about 1 (relu, tanh, selu) "
            "and the init that suits it, which is the default.",
            figures,
        )
    else:
        yield Finding(
            "exploding",
            first.layer,
            f"{what}: any eta that suits the last layers is far too large for the first. Start over (reset) with "
            "smaller weights, as the default init draws them.",
            figures,
        )


def of_large_eta(case: Case) -> Iterator[Finding]:
    """Find steps that go far uphill, or uphill and longer than the weights."""
    steps = case.steps
    if steps is None:
        return
    layer, ratio = _largest_ratio(steps)
    risen = min(WORSE * abs(case.chance), max(DOUBLED * abs(case.chance), abs(steps.E_before)))
    rise = steps.E_after - steps.E_before
    if rise > risen or (ratio > LARGE_STEP and rise > 0):
        yield _of_steps("eta too large", steps, layer, ratio, "Use a smaller eta: a tenth of it first.")


def of_small_eta(case: Case) -> Iterator[Finding]:
    """Find steps that change nothing, though most samples are not learned."""
    steps = case.steps
    # Far worse than chance, weights stand still because they are huge.
    if steps is None or case.learned or (case.trained and case.chance + abs(case.chance) < case.E):
        return
    layer, ratio = _largest_ratio(steps)
    if ratio < SMALL_STEP and layer is not None and not 0 <= case.typical_E < DONE * case.chance:
        yield _of_steps("eta too small", steps, layer, ratio, "Use a larger eta: ten times it first.")


def _largest_ratio(steps: Steps) -> tuple[int | None, float]:
    """Return the layer whose weights change most by a step, and by how much of their size."""
    ratios = [(ratio, layer) for layer, ratio in enumerate(steps.ratios, start=1) if ratio is not None]
    ratio, layer = max(ratios, default=(0.0, None))
    return layer, ratio


def _of_steps(kind: str, steps: Steps, layer: int | None, ratio: float, advice: str) -> Finding:
    return Finding(
        kind,
        layer,
        f"with eta {steps.eta:g} ({steps.optimizer}, {steps.batch_size:,} samples per step) a step changes the weights "
        f"by {ratio:.2g} of their size, and after {steps.n:,} steps E goes from {steps.E_before:.4g} to "
        f"{steps.E_after:.4g}. {advice}",
        {"eta": steps.eta, "ratio": ratio, "E before": steps.E_before, "E after": steps.E_after},
    )


def of_start(case: Case) -> Iterator[Finding]:
    """Find a network that starts many times worse than the best constant, though no other cause was found."""
    if not case.trained and case.far_off:
        yield _far_off(case, "before training")


def _far_off(case: Case, when: str) -> Finding:
    parts = parts_of_a(case, len(case.layers))
    if parts.b > parts.Wz:
        advice = "The biases of the output are far too large: set them to 0, or start over (reset)."
    else:
        advice = (
            "The weights are far too large: start over (reset) with smaller ones, as the default init draws them, and "
            "with a smaller eta."
        )
    return Finding(
        "chance",
        None,
        f"E is {case.E:.4g} {when}, far above the {case.chance:.4g} of always predicting y = {_constant(case)}: at the "
        f"output {parts.words}. {advice}",
        {"E": case.E, "chance": case.chance, "rms b": parts.b, "rms Σ w z": parts.Wz},
    )


def _constant(case: Case) -> str:
    constant = case.compared.constant
    return ", ".join(f"{v:.3g}" for v in constant[:3]) + (", …" if len(constant) > 3 else "")


def of_chance(case: Case) -> Iterator[Finding]:
    """Find a trained network that does no better than the best constant prediction, where the rows can tell."""
    compared = case.compared
    if not (case.trained and case.enough and compared.tells) or below_chance(compared, BARELY):
        return
    # Of some of many rows E may be larger than of all; and a constant for many outputs suits a few too well.
    few = compared.n < ROWS_PER_OUTPUT * len(case.outputs) and compared.n < case.sample.of.weighty
    if few or compared.E - SURE * compared.error <= compared.chance - BARELY * abs(compared.chance):
        return
    if not compared.chance < math.inf or case.layers[-1].delta == 0:
        return
    epochs = case.model.epoch
    after = f"after {epochs:,} epoch{'s' if epochs > 1 else ''}" if epochs else "after training"
    if case.far_off:
        yield _far_off(case, after)
        return
    most = _most_frequent(case)
    figures = {"E": case.E, "chance": case.chance} | ({} if most is None else {"most frequent": most})
    advice = (
        "if there are none, train longer or with another eta, and look whether the rows of X and R belong together."
    )
    if most is not None:
        advice = (
            f"the classes are unbalanced: {most:.4g} of all is of one of them, so that a constant is hard to beat. "
            "class_weight='balanced' makes them count alike; or train longer, or with another eta."
        )
    yield Finding(
        "chance",
        None,
        f"E is {case.E:.4g} {after}, no better than the {case.chance:.4g} of always predicting y = {_constant(case)}: "
        f"the network has learned nothing from the inputs. See the other findings first; {advice}",
        figures,
    )


def of_memory(case: Case) -> Iterator[Finding]:
    """Find a trained network that has won no more on a constant than learning targets by heart brings.

    Fitted to targets that have nothing to do with the inputs, p parameters take p / 2n from the mean of a log
    likelihood over n rows, and a share of p / n from a sum of squares, on average (S. S. Wilks, 1938; Cochran, 1934).
    """
    model, compared = case.model, case.compared
    p, n = model.n_parameters, case.sample.of.effective
    if not (model.epoch >= SETTLED and case.enough and compared.tells and _PER_PARAMETER * p <= n):
        return
    loss = model.definition.loss_entry.name
    by_heart = {"log": p / (2 * n), "cross_entropy": p / (2 * n), "squared_error": compared.chance * p / n}.get(loss)
    won = compared.chance - compared.E
    if by_heart is None or not 0 < won + SURE * compared.error <= by_heart:
        return
    yield Finding(
        "chance",
        None,
        f"E is {case.E:.4g} after {model.epoch:,} epochs, {won:.2g} below the {case.chance:.4g} of always predicting "
        f"y = {_constant(case)}: {p:,} parameters win as much by heart, about {by_heart:.2g}, of {n:,.0f} rows whose "
        "targets have nothing to do with their inputs. Look at E of rows that it was not trained on; if that is no "
        "better than a constant's, look whether the rows of X and R belong together, and train longer or with "
        "another eta.",
        {"E": case.E, "chance": case.chance, "won": won, "by heart": by_heart},
    )


def _most_frequent(case: Case) -> float | None:
    """Return the share of the most frequent class where the others are rare beside it."""
    shares = case.compared.shares
    if case.model.definition.loss_entry.targets not in ("unit", "distribution", "class"):
        return None
    if len(shares) == 1:
        shares = np.array([1 - shares[0], shares[0]])
    most = float(shares.max())
    return most if abs(shares.sum() - 1) < UNBALANCED_SUM and most >= UNBALANCED else None
