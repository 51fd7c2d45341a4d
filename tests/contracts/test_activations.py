"""The contract of every declared activation: its kernel is its formula, in both precisions, on all instruction sets."""

import math
import re

import numpy as np
import pytest

import deltaprop
from deltaprop import Network, _engine
from deltaprop.functions import ACTIVATIONS, activation
from formulas import derivative_of_formula, exactly, in_numpy

# With the parameters' defaults, and with others.
ELEMENTWISE = [
    *(name for name, entry in ACTIVATIONS.items() if not entry.output_only),
    "leaky_relu:slope=0.3",
    "elu:alpha=0.7",
    "celu:alpha=2.5",
]
DTYPES = ["float32", "float64"]
RANGE = {"float32": 87.0, "float64": 708.0}  # beyond, e^−|a| is subnormal or 0
ULP = {"mish": 5, "gelu": 6}  # others: 4
# Below it a factor of h is subnormal.
LOWEST = {"gelu": {"float32": -12.9, "float64": -37.5}, "gelu_tanh": {"float32": -10.0, "float64": -20.8}}


def kernel(text: str, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    entry = activation(text, where="test")
    z, dh = np.empty_like(a), np.empty_like(a)
    _engine.activation(entry.name, entry.values[0] if entry.values else 0.0, a, z, dh)
    return z, dh


def points(dtype: str) -> np.ndarray:
    random = np.random.default_rng(0)
    wide = random.uniform(-RANGE[dtype], RANGE[dtype], 150)
    near = random.uniform(-20, 20, 500)
    small = random.normal(size=200) * 10.0 ** random.uniform(-30, 0, 200)
    return np.concatenate([wide, near, small]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_to_4_ulp_and_derivatives_to_4_eps(name: str, dtype: str, instruction_set: str) -> None:
    """h where it is a normal number; h′ by the largest that h′ has there."""
    a = points(dtype)
    z, dh = kernel(name, a)
    info = np.finfo(dtype)
    exact = [exactly(name, float(x), 1300 if dtype == "float64" else 400) for x in a]
    values = np.array([float(value) for value, _ in exact])
    spacing = np.spacing(np.abs(values).astype(dtype)).astype(float)
    normal = (np.abs(values) >= float(info.smallest_normal)) | (values == 0)
    normal &= (np.abs(values) <= float(info.max)) & (a >= LOWEST.get(name, {}).get(dtype, -np.inf))
    ulp = [abs(float(x - value)) / unit for x, (value, _), unit in zip(z.tolist(), exact, spacing, strict=True)]
    assert np.max(np.array(ulp)[normal]) <= ULP.get(name, 4)
    assert (np.abs(z - values.astype(dtype))[~normal & (np.abs(values) < 1)] <= 100 * info.smallest_subnormal).all()
    slopes = np.array([float(slope) for _, slope in exact])
    bounded = np.abs(slopes) <= (100 if name == "exp" else np.inf)
    worst = max(abs(float(x - slope)) for x, (_, slope), use in zip(dh.tolist(), exact, bounded, strict=True) if use)
    assert worst <= 4 * float(info.eps) * np.abs(slopes[bounded]).max()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_declared_derivative_is_that_of_the_formula(name: str) -> None:
    entry = activation(name, where="test")
    for a in np.random.default_rng(1).uniform(-8, 8, 60):
        if all(abs(a - kink) > 1e-9 for kink in entry.kinks):
            assert float(exactly(name, a, 400)[1]) == pytest.approx(float(derivative_of_formula(name, a)), rel=1e-13)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_kinks_are_where_they_are_declared(name: str) -> None:
    """There the slopes to both sides differ, and h′ is what is declared; elsewhere h′ does not jump."""
    entry = activation(name, where="test")
    for kink in entry.kinks:
        left, right = (float(derivative_of_formula(name, kink + side)) for side in (-1e-12, 1e-12))
        smooth_by_default = name == "elu"  # alpha = 1
        assert abs(left - right) > 1e-3 or smooth_by_default
        declared = float(exactly(name, kink, 200)[1])
        assert kernel(name, np.array([kink]))[1][0] == pytest.approx(declared, rel=1e-15)
    grid = np.linspace(-8, 8, 16001)
    jumps = np.abs(np.diff(kernel(name, grid)[1])) > 0.02
    far_from_kinks = np.array([all(abs(a - kink) > 2e-3 for kink in entry.kinks) for a in grid[1:]])
    assert name == "exp" or not (jumps & far_from_kinks).any()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_kernel_is_the_formula_in_numpy(name: str, instruction_set: str) -> None:
    a = np.random.default_rng(2).uniform(-12, 12, 1003)
    z, dh = kernel(name, a)
    h, derivative = in_numpy(name)
    np.testing.assert_allclose(z, h(a), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(dh, derivative(a), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_float32_in_every_place(name: str, instruction_set: str) -> None:
    """A quarter of a million numbers against the kernel of float64."""
    random = np.random.default_rng(3)
    lowest = max(-87, LOWEST.get(name, {}).get("float32", -87))
    parts = random.uniform(lowest, 87, 80_000), random.uniform(-10, 10, 120_000), random.normal(size=50_000) / 100
    a = np.concatenate(parts).astype("float32")
    if name == "sine":
        a = a[np.abs(a) <= 20]
    z, dh = kernel(name, a)
    exact, slope = kernel(name, a.astype("float64"))
    info = np.finfo("float32")
    normal = (np.abs(exact) >= info.smallest_normal) & (np.abs(exact) <= info.max)
    units = np.abs(z - exact)[normal] / np.spacing(np.abs(exact[normal]).astype("float32")).astype(float)
    assert units.max() <= ULP.get(name, 4)
    bounded = np.abs(slope) <= (100 if name == "exp" else np.inf)
    assert np.abs(dh - slope)[bounded].max() <= 4 * float(info.eps) * np.abs(slope[bounded]).max()


INF, NAN = math.inf, math.nan
# h at −inf and inf.
AT_ENDS = {
    "identity": (-INF, INF), "sigmoid": (0, 1), "tanh": (-1, 1), "lecun_tanh": (-1.7159, 1.7159), "relu": (0, INF),
    "leaky_relu": (-INF, INF), "elu": (-1, INF), "selu": (-1.7580993408473769, INF), "celu": (-1, INF),
    "gelu": (-0.0, INF), "gelu_tanh": (-0.0, INF), "silu": (-0.0, INF), "mish": (-0.0, INF), "softplus": (0, INF),
    "softsign": (-1, 1), "squareplus": (0, INF), "hard_sigmoid": (0, 1), "hard_tanh": (-1, 1), "hard_swish": (0, INF),
    "relu6": (0, 6), "log_sigmoid": (-INF, 0), "arctan": (-math.pi / 2, math.pi / 2), "gaussian": (0, 0),
    "sine": (NAN, NAN), "exp": (0, INF),
}  # fmt: skip
SLOPE_AT_ENDS = {
    "identity": (1, 1), "relu": (0, 1), "leaky_relu": (0.01, 1), "elu": (0, 1), "selu": (0, 1.0507009873554805),
    "celu": (0, 1), "gelu": (0, 1), "gelu_tanh": (0, 1), "silu": (0, 1), "mish": (0, 1), "softplus": (0, 1),
    "squareplus": (0, 1), "hard_swish": (0, 1), "log_sigmoid": (1, 0), "sine": (NAN, NAN), "exp": (0, INF),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name",
    ["leaky_relu:slope=1e-30", "leaky_relu:slope=1", "elu:alpha=1e-30", "elu:alpha=1e30", "celu:alpha=1e-30",
     "celu:alpha=1e30"],
)  # fmt: skip
def test_parameters_at_their_bounds(name: str, dtype: str, instruction_set: str) -> None:
    a = np.array([-INF, -1e38, -1e4, -1.0, -1e-38, -0.0, 0.0, 1.0, 1e38, INF], dtype)
    z, dh = kernel(name, a)
    assert not np.isnan(z).any()
    assert not np.isnan(dh).any()
    assert z[-4:].tolist() == a[-4:].tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if ":" not in n])
def test_extremes(name: str, dtype: str, instruction_set: str) -> None:
    """±inf, 1e38, 1e4, ±0, subnormal, NaN: h is as declared, and neither h nor h′ is NaN anywhere else."""
    info = np.finfo(dtype)
    tiny = float(info.smallest_subnormal)
    a = np.array([-INF, INF, NAN, 0.0, -0.0, tiny, -tiny, 1e38, -1e38, 1e4, -1e4, info.max, info.min], dtype)
    z, dh = kernel(name, a)
    eps = float(info.eps)
    np.testing.assert_allclose(z[:2], np.array(AT_ENDS[name], dtype), rtol=2 * eps)
    np.testing.assert_allclose(np.abs(dh[:2]), np.array(SLOPE_AT_ENDS.get(name, (0, 0)), dtype), rtol=2 * eps)
    assert np.isnan(z[2])
    assert np.isnan(dh[2]) or activation(name, where="test").kinks or name == "identity"
    assert not np.isnan(z[3:]).any()
    assert not np.isnan(dh[3:]).any()
    at_zero = float(exactly(name, 0.0, 200)[0])
    np.testing.assert_allclose(z[3:7], [at_zero] * 4, rtol=4 * eps, atol=2 * tiny)
    if at_zero == 0 and name not in ("relu", "relu6"):  # odd near 0: the sign of a zero stays
        assert [math.copysign(1, value) for value in z[3:5]] == [1, -1]
    far = [exactly(name, float(x), 3000)[0] for x in a[9:11]]
    np.testing.assert_allclose(z[9:11], np.array([float(value) for value in far], dtype), rtol=4 * eps, atol=tiny)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_range_and_neighbours(name: str, dtype: str, instruction_set: str) -> None:
    a = points(dtype)
    z, dh = kernel(name, a)
    entry = activation(name, where="test")
    slack = 4 * np.finfo(dtype).eps * max(abs(x) for x in (entry.low, entry.high, 0) if math.isfinite(x))
    assert z.min() >= entry.low - slack
    assert z.max() <= entry.high + slack
    assert z.dtype == dh.dtype == dtype
    for n in (1, 3, 15, 17):  # a value does not depend on where it stands or on what stands beside it
        alone, dalone = kernel(name, np.ascontiguousarray(a[7 : 7 + n]))
        assert alone.tobytes() == z[7 : 7 + n].tobytes()
        assert dalone.tobytes() == dh[7 : 7 + n].tobytes()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_instruction_sets_with_fused_arithmetic_have_the_same_bits(name: str) -> None:
    fused = [isa for isa in _engine.config()["instruction_sets"] if isa != "baseline"]
    if len(fused) < 2:
        pytest.skip(f"this machine has of them {fused}")
    results = set()
    try:
        for isa in fused:
            _engine.use_instruction_set(isa)
            results.add(b"".join(array.tobytes() for dtype in DTYPES for array in kernel(name, points(dtype))))
    finally:
        _engine.use_instruction_set("")
    assert len(results) == 1


def test_golden_values() -> None:
    """Published: SELU's constants (Klambauer and others 2017), tables of the normal distribution and of arctan."""
    a = np.array([1.0, -1.0])
    assert kernel("selu", a)[0] == pytest.approx([1.0507009873554805, -1.1113307378125625], rel=1e-15)
    assert kernel("gelu", a)[0] == pytest.approx([0.8413447460685429, -0.15865525393145705], rel=1e-15)
    assert kernel("arctan", a)[0] == pytest.approx([math.pi / 4, -math.pi / 4], rel=1e-15)
    assert kernel("lecun_tanh", a)[0] == pytest.approx([1, -1], abs=1e-4)  # f(±1) = ±1 (LeCun and others 1998)


@pytest.mark.parametrize("h", ["leaky_relu:slope=0.25", deltaprop.leaky_relu(slope=0.25)])
def test_parameters_reach_the_engine_and_the_file(h: object, tmp_path: object) -> None:
    net = Network([1, 1, 1], h=h, output="identity", loss="squared_error")  # type: ignore[arg-type]
    net.theta = [1, 0, 1, 0]
    assert net.predict([[-8.0], [3.0]]).ravel().tolist() == [-2, 3]
    assert net.h == ("leaky_relu:slope=0.25",)
    net.save(f"{tmp_path}/a.deltaprop")
    loaded = deltaprop.load(f"{tmp_path}/a.deltaprop")
    assert loaded == net
    assert isinstance(loaded, Network)
    assert loaded.h == net.h
    assert "h=['leaky_relu:slope=0.25']" in repr(net)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("leaky_relu:slope=2", "Network: h: leaky_relu: slope needs to be in [1e-30, 1]; got 2.0."),
        ("leaky_relu:slope=nan", "slope needs to be in [1e-30, 1]; got nan."),
        ("leaky_relu:slope=0", "slope needs to be in [1e-30, 1]; got 0.0."),
        ("elu:alpha=0", "elu: alpha needs to be in [1e-30, 1e+30]; got 0.0."),
        ("elu:alpha=inf", "alpha needs to be in [1e-30, 1e+30]; got inf."),
        ("elu:alpha=1_0", "alpha needs to be a number; got '1_0'."),
        (
            "leaky_relu:slope=0.2,tanh",
            "parameters are written name=number, each once, with commas between; got 'tanh'.",
        ),
        ("ReLU", "Did you mean 'relu'?"),
        ("swsh", "Did you mean 'swish'?"),
        ("elu:slop=1", "elu: no parameter is called 'slop'. It has alpha."),
        ("leaky_relu:slop=1", "Did you mean 'slope'?"),
        ("relu:slope=1", "relu: no parameter is called 'slope'. It has none."),
        ("elu:alpha", "parameters are written name=number, each once, with commas between; got 'alpha'."),
        ("elu:alpha=1,alpha=2", "each once"),
        ("elu:", "parameters are written"),
        ("elu:alpha=x", "alpha needs to be a number; got 'x'."),
        ("leaky", "no activation function is called 'leaky'."),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Network([2, 2, 1], h=text)


@pytest.mark.parametrize("value", ["1", True, None, 10**400, -1, float("nan")])
def test_what_is_wrong_with_a_parameter_is_said(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="leaky_relu: slope needs to be"):
        deltaprop.leaky_relu(slope=value)


@pytest.mark.parametrize("output", ["hard_sigmoid", "gaussian", "sine", "tanh", "gelu"])
def test_log_loss_needs_an_output_that_stays_between_0_and_1(output: str) -> None:
    with pytest.raises(ValueError, match=r"Use output='sigmoid'\."):
        Network([2, 1], output=output, loss="log")
