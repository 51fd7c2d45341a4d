"""The engine's own exp, log, … : within 2 ulp of the exact value, at the edges too, whatever the instruction set."""

import functools
import math

import mpmath
import numpy as np
import pytest

from deltaprop import _engine

EXACT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
    "expm1": mpmath.expm1,
    "arctan": mpmath.atan,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
}
ULP = {"expm1": 3}  # others: 2
DTYPES = ["float32", "float64"]

# Where searches found the largest errors (float32: all arguments; float64: some 10⁸ at random).
HARD = {
    ("exp", "float32"): ["-0x1.df3b46p+5", "-0x1.336d1p+5"],
    ("exp", "float64"): ["0x1.8592e42f369fep+3", "0x1.ed34d48a83c6cp+1", "-0x1.6204810e5105p+9"],
    ("tanh", "float32"): ["0x1.0b7d5ap-1", "0x1.1a0ep-1"],
    ("tanh", "float64"): ["0x1.1f8358626a7e5p-1", "0x1.1a023c24ee87ep-1"],
    ("sigmoid", "float32"): ["-0x1.1a85d8p+0", "-0x1.195948p+0"],
    ("sigmoid", "float64"): ["-0x1.19f657a0befb8p+0", "-0x1.1a53d83f28434p+0", "-0x1.19d649920785bp+0"],
    ("softplus", "float32"): ["-0x1.430452p+0", "-0x1.da8b24p-2", "0x1.0eb482p-9"],
    ("softplus", "float64"): ["-0x1.c2f9779addf6dp-2", "-0x1.bd38b8c0876dp-2", "0x1.cfd946c0d211dp-19"],
    ("erf", "float32"): ["0x1.fda5a6p-1", "0x1.06e9a2p+0"],
    ("erf", "float64"): ["0x1.f3e26c9c25e7p-1", "0x1.ed6ef5804159ap-1"],
}


def function(name: str, x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    _engine.vector_function(name, x, y)
    return y


@functools.cache
def points(name: str, dtype: str) -> np.ndarray:
    """Some 3000 arguments: over the whole range, where the function bends, near 0, subnormal, around the seams."""
    random = np.random.default_rng(0)
    info = np.finfo(dtype)
    smallest, largest = math.log2(info.smallest_subnormal), info.maxexp
    end = {"exp": 746, "expm1": 709, "sigmoid": 746, "softplus": 746, "tanh": 20, "erf": 6.1, "arctan": 90}.get(
        name, 50
    )
    if name in ("sin", "cos"):
        end = 20
    end *= 1 if dtype == "float64" or end < 100 else 104 / 746
    scales = 2.0 ** random.uniform(smallest, min(largest, math.log2(end)), 600)
    seams = np.array([0.55, 1, math.log(2) / 2, math.log(2), math.sqrt(0.5), math.sqrt(2), 2, 4, 9.1, 6, 19.1])
    near_seams = (seams * (1 + np.arange(-8, 9)[:, None] * float(info.eps))).ravel()
    x = np.concatenate([random.uniform(0, end, 800), random.uniform(0, 3, 1100), scales, near_seams])
    if name in {"log", "log1p"}:
        x = np.concatenate([x, 2.0 ** random.uniform(smallest, largest, 400), random.normal(1, 1e-3, 200)])
    else:
        x = np.concatenate([x, random.uniform(0.9, 1, 300) * end])
    if name == "arctan":
        x = np.concatenate([x, 2.0 ** random.uniform(0, largest, 200)])
    if name != "log":
        x *= random.choice([-1.0, 1.0], x.size)
    if name == "log1p":
        x = np.where(x <= -1, -1 / (1 + np.abs(x)), x)
    hard = [float.fromhex(point) for point in HARD.get((name, dtype), [])]
    with np.errstate(over="ignore"):
        x = np.concatenate([x, hard]).astype(dtype)
    kept: np.ndarray = x[np.isfinite(x) & (x != 0) & ((x > -1) | (name != "log1p"))]
    return kept


@functools.cache
def exact(name: str, dtype: str) -> list[tuple[mpmath.mpf, mpmath.mpf]]:
    """The exact value at each point, and the unit in its last place."""
    info = np.finfo(dtype)
    lowest = info.minexp - info.nmant
    out = []
    with mpmath.workprec(1200 if name in {"tanh", "log1p"} else 200):
        for x in points(name, dtype):
            value = EXACT[name](mpmath.mpf(float(x)))
            exponent = mpmath.frexp(value)[1] - 1 if value else lowest
            out.append((value, mpmath.ldexp(1, max(exponent - info.nmant, lowest))))
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_within_2_ulp(name: str, dtype: str, instruction_set: str) -> None:
    x = points(name, dtype)
    assert x.size > 2800
    y = function(name, x)
    largest = float(np.finfo(dtype).max)
    with mpmath.workprec(1200):
        for argument, got, (value, unit) in zip(x, y, exact(name, dtype), strict=True):
            if math.isinf(got):
                assert value > largest, argument
            else:
                assert abs(mpmath.mpf(float(got)) - value) <= ULP.get(name, 2) * unit, (argument, got)


@pytest.mark.parametrize("dtype", DTYPES)
def test_edges(dtype: str, instruction_set: str) -> None:
    tiny = float(np.finfo(dtype).smallest_subnormal)
    inf, nan = math.inf, math.nan
    dtype_of = np.dtype(dtype).type
    x = np.array([0.0, -0.0, inf, -inf, nan, tiny, -tiny, 800, -800, 1, -1], dtype)
    any_value = 0.25  # at this point the edge is none of the function's
    expected = {
        "exp": [1, 1, inf, 0, nan, 1, 1, inf, 0, any_value, any_value],
        "log": [-inf, -inf, inf, nan, nan, any_value, nan, any_value, nan, 0, nan],
        "log1p": [0, -0.0, inf, nan, nan, tiny, -tiny, any_value, nan, any_value, -inf],
        "tanh": [0, -0.0, 1, -1, nan, tiny, -tiny, 1, -1, any_value, any_value],
        "sigmoid": [0.5, 0.5, 1, 0, nan, 0.5, 0.5, 1, 0, any_value, any_value],
        "softplus": [any_value, any_value, inf, 0, nan, any_value, any_value, 800, 0, any_value, any_value],
        "erf": [0, -0.0, 1, -1, nan, tiny, -tiny, 1, -1, any_value, any_value],
        "expm1": [0, -0.0, inf, -1, nan, tiny, -tiny, inf, -1, any_value, any_value],
        "arctan": [0, -0.0, *np.array([1, -1], dtype) * dtype_of(math.pi / 2), nan, tiny, -tiny, *[any_value] * 4],
        "sin": [0, -0.0, nan, nan, nan, tiny, -tiny, *[any_value] * 4],
        "cos": [1, 1, nan, nan, nan, 1, 1, *[any_value] * 4],
    }
    assert sorted(expected) == sorted(EXACT)
    for name, values in expected.items():
        known = np.array(values) != any_value
        got, want = function(name, x)[known], np.array(values, dtype)[known]
        np.testing.assert_array_equal(got, want, err_msg=name)
        np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(want[want == 0]), err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_symmetry_range_and_neighbours(name: str, dtype: str, instruction_set: str) -> None:
    x = points(name, dtype)
    y = function(name, x)
    if name in {"tanh", "erf", "arctan", "sin"}:
        assert (function(name, -x) == -y).all()
        assert np.abs(y).max() <= (1.5707964 if name == "arctan" else 1)
    if name == "sigmoid":
        assert y.min() >= 0
        assert y.max() <= 1
    for n in (1, 3, 15, 17):  # a value does not depend on where it stands or on what stands beside it
        assert function(name, np.ascontiguousarray(x[7 : 7 + n])).tobytes() == y[7 : 7 + n].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_sin_and_cos_far_out(dtype: str, instruction_set: str) -> None:
    """Within 1 eps, also on both sides of 10,000, where the C library takes over, and lanes of both kinds together."""
    random = np.random.default_rng(5)
    x = np.concatenate([random.uniform(-1e4, 1e4, 900), random.uniform(-3e4, 3e4, 300), [1e4, -1e4, 1e15, 1e30]])
    random.shuffle(x)
    x = x.astype(dtype)
    for name in ("sin", "cos"):
        with mpmath.workprec(300):
            exact = np.array([float(EXACT[name](mpmath.mpf(float(v)))) for v in x])
        assert np.abs(function(name, x) - exact).max() <= np.finfo(dtype).eps


def test_no_such_function(instruction_set: str) -> None:
    x = np.zeros(3)
    with pytest.raises(ValueError, match="no such"):
        _engine.vector_function("gamma", x, np.empty_like(x))
    with pytest.raises(ValueError, match="one size"):
        _engine.vector_function("exp", x, np.empty(2))
