"""Every activation's kernel: its values, its derivative, its edges, in both precisions and on every instruction set."""

import math

import mpmath
import numpy as np
import pytest

from deltaprop import _engine
from deltaprop.functions import ACTIVATIONS

EXACT = {
    "identity": (lambda a: a, lambda a: mpmath.mpf(1)),
    "sigmoid": (lambda a: 1 / (1 + mpmath.exp(-a)), lambda a: mpmath.exp(-abs(a)) / (1 + mpmath.exp(-abs(a))) ** 2),
    "tanh": (mpmath.tanh, lambda a: mpmath.sech(a) ** 2),
    "relu": (lambda a: max(a, mpmath.mpf(0)), lambda a: mpmath.mpf(a > 0)),
}
ELEMENTWISE = [name for name, entry in ACTIVATIONS.items() if not entry.output_only]
DTYPES = ["float32", "float64"]
RANGE = {"float32": 87.0, "float64": 708.0}  # beyond, e^−|a| is subnormal or 0


def kernel(name: str, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z, dh = np.empty_like(a), np.empty_like(a)
    _engine.activation(name, a, z, dh)
    return z, dh


def points(dtype: str) -> np.ndarray:
    random = np.random.default_rng(0)
    wide = random.uniform(-RANGE[dtype], RANGE[dtype], 400)
    near = random.uniform(-20, 20, 800)
    small = random.normal(size=400) * 10.0 ** random.uniform(-30, 0, 400)
    return np.concatenate([wide, near, small]).astype(dtype)


def test_every_activation_is_held_against_its_definition() -> None:
    assert sorted(EXACT) == sorted(ELEMENTWISE)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_to_2_ulp_and_derivatives_to_4_eps(name: str, dtype: str, instruction_set: str) -> None:
    a = points(dtype)
    z, dh = kernel(name, a)
    h, derivative = EXACT[name]
    eps = float(np.finfo(dtype).eps)
    with mpmath.workprec(160):
        exact = [(h(mpmath.mpf(float(x))), derivative(mpmath.mpf(float(x)))) for x in a]
        spacing = np.spacing(np.abs(np.array([float(value) for value, _ in exact])).astype(dtype)).astype(float)
        ulp = max(
            float(abs(mpmath.mpf(float(x)) - value)) / unit
            for x, (value, _), unit in zip(z, exact, spacing, strict=True)
        )
        worst = max(float(abs(mpmath.mpf(float(x)) - value)) for x, (_, value) in zip(dh, exact, strict=True))
        largest = max(float(value) for _, value in exact)
    assert ulp <= 2
    assert worst <= 4 * eps * largest


@pytest.mark.parametrize("dtype", DTYPES)
def test_edges(dtype: str, instruction_set: str) -> None:
    tiny = float(np.finfo(dtype).smallest_subnormal)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 800, -800, tiny, -tiny], dtype)
    inf, nan = np.inf, np.nan
    expected = {
        "identity": [0, -0.0, inf, -inf, nan, 800, -800, tiny, -tiny],
        "sigmoid": [0.5, 0.5, 1, 0, nan, 1, 0, 0.5, 0.5],
        "tanh": [0, -0.0, 1, -1, nan, 1, -1, tiny, -tiny],
        "relu": [0, 0, inf, 0, nan, 800, 0, tiny, 0],
    }
    for name in ELEMENTWISE:
        z, _ = kernel(name, edges)
        np.testing.assert_array_equal(z, np.array(expected[name], dtype), err_msg=name)
        signs = [math.copysign(1, value) for value in expected[name] if value == 0]
        assert [math.copysign(1, value) for value in z[z == 0]] == signs, name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_range_and_neighbours(name: str, dtype: str, instruction_set: str) -> None:
    a = points(dtype)
    z, dh = kernel(name, a)
    entry = ACTIVATIONS[name]
    assert z.min() >= entry.low
    assert z.max() <= entry.high
    for n in (1, 3, 15, 17):  # a value does not depend on where it stands or on what stands beside it
        alone, dalone = kernel(name, np.ascontiguousarray(a[7 : 7 + n]))
        assert alone.tobytes() == z[7 : 7 + n].tobytes()
        assert dalone.tobytes() == dh[7 : 7 + n].tobytes()
