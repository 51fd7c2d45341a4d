"""Declared activations in other words: by the kernel, or by a program that loses no more than rounding."""

import numpy as np
import pytest

from deltaprop.functions import activation, kernels
from deltaprop.functions.formulas import evaluate
from formulas import exactly

KNOWN = [
    ("sigmoid", "1 - 1 / (1 + exp(a))"),
    ("sigmoid", "exp(a / 2) / (exp(a / 2) + exp(-a / 2))"),
    ("sigmoid", "1 / 2 + sinh(a) / (2 * (1 + cosh(a)))"),
    ("sigmoid", "1 / 2 + (cosh(a) - 1) / (2 * sinh(a))"),
    ("tanh", "1 - 2 / (exp(2 * a) + 1)"),
    ("tanh", "sinh(2 * a) / (1 + cosh(2 * a))"),
    ("tanh", "(cosh(2 * a) - 1) / sinh(2 * a)"),
    ("silu", "a / 2 * (1 + sinh(a) / (cosh(a) + 1))"),
    ("gelu", "a / 2 + a / 2 * erf(a / sqrt(2))"),
    ("gelu", "a - a / 2 * erfc(a / sqrt(2))"),
    ("gelu_tanh", "a / 2 * (1 + tanh(sqrt(2 / pi) * a * (1 + 0.044715 * a**2)))"),
    ("gelu_tanh", "a / 2 + a * tanh(sqrt(2 / pi) * a + sqrt(2 / pi) * 0.044715 * a**3) / 2"),
    ("silu", "a / 2 + a / 2 * tanh(a / 2)"),
    ("silu", "a - a / (1 + exp(a))"),
    ("mish", "a * (1 - 2 / (1 + exp(2 * softplus(a))))"),
    ("softplus", "a - log(sigmoid(a))"),
    ("leaky_relu:slope=0.25", "0.625 * a + 0.375 * abs(a)"),
]
OTHERWISE = [
    ("relu", "(a + abs(a)) / 2"),
    ("tanh", "expm1(2 * a) / (2 + expm1(2 * a))"),
    ("mish", "a * ((1 + exp(a))**2 - 1) / ((1 + exp(a))**2 + 1)"),
    ("mish", "a * (exp(2 * a) + 2 * exp(a)) / (exp(2 * a) + 2 * exp(a) + 2)"),
    ("mish", "a - 2 * a / ((1 + exp(a))**2 + 1)"),
    ("mish", "a * (1 - 2 / (exp(2 * a) + 2 * exp(a) + 2))"),
    ("softplus", "max(a, 0) + log(1 + exp(-abs(a)))"),
    ("softsign", "sign(a) * (1 - 1 / (1 + abs(a)))"),
    ("elu", "max(a, 0) + exp(min(a, 0)) - 1"),
    ("squareplus", "a / 2 + sqrt(a**2 / 4 + 1)"),
    ("log_sigmoid", "min(a, 0) - log1p(exp(-abs(a)))"),
]


@pytest.mark.parametrize(("name", "text"), KNOWN)
def test_an_activation_in_other_words_goes_by_its_kernel(name: str, text: str) -> None:
    assert kernels.declared(activation(text, where="h")) == activation(name, where="h")


@pytest.mark.parametrize(("name", "text"), OTHERWISE)
def test_the_program_of_an_activation_in_other_words_loses_nothing(name: str, text: str) -> None:
    """1e-6 of the value in float32 for |a| ≤ 20, though the text as it stands cancels to nothing at -20."""
    h = activation(text, where="h")
    assert h.written is not None
    assert kernels.declared(h) is None
    a = np.linspace(-20, 20, 2001, dtype=np.float32)
    (z,) = evaluate(h.written.value, a)
    (dh,) = evaluate(h.written.derivative, a, z)
    exact = np.array([[float(x) for x in exactly(name, float(x), 200)[:2]] for x in a])
    np.testing.assert_allclose(z, exact[:, 0], rtol=1e-6)
    np.testing.assert_allclose(dh[a != 0], exact[a != 0, 1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("text", ["1 - 1 / (1 + a**2)", "a - a / (1 + a**2)", "3 - 6 / (2 + exp(a) + a**2)"])
def test_one_less_a_quotient_is_as_it_is_written_where_that_overflows(text: str) -> None:
    """In float32 a² is infinite at 1e30, and inf / inf no number."""
    a = np.array([-1e30, -1e-3, 0, 1e-3, 1e30], np.float32)
    h = activation(text, where="h").written
    assert h is not None
    x = a.astype(np.longdouble)
    with np.errstate(over="ignore"):
        expected = eval(text, {"a": x, "exp": np.exp})
    np.testing.assert_allclose(evaluate(h.value, a)[0], expected.astype(float), rtol=1e-6)
