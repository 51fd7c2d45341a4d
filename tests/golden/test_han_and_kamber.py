"""A textbook's worked example: J. Han, M. Kamber, J. Pei, "Data Mining: Concepts and Techniques", example 9.1.

One update of a 3-2-1 network of sigmoid units. Their error Err_j is −δ_j, their bias θ_j is b_j, their l is η; what
they print has three or four digits.
"""

import re

import pytest

from deltaprop import Network

TABLE_9_2 = {"z1.1": (-0.7, 0.332), "z1.2": (0.1, 0.525), "y": (-0.105, 0.474)}  # net input, output
TABLE_9_3 = {"y": 0.1311, "z1.2": -0.0065, "z1.1": -0.0087}  # Err
TABLE_9_4 = {
    "z1.1 → y": -0.261, "z1.2 → y": -0.138, "x1 → z1.1": 0.192, "x1 → z1.2": -0.306, "x2 → z1.1": 0.4,
    "x2 → z1.2": 0.1, "x3 → z1.1": -0.508, "x3 → z1.2": 0.194,
}  # fmt: skip
TABLE_9_4_BIASES = {"y": 0.218, "z1.2": 0.194, "z1.1": -0.408}


@pytest.fixture
def net() -> Network:
    net = Network([3, 2, 1], h="sigmoid", output="sigmoid", loss="squared_error")
    net.W = [[[0.2, -0.3], [0.4, 0.1], [-0.5, 0.2]], [[-0.3], [-0.2]]]
    net.b = [[-0.4, 0.2], [0.1]]
    return net


def test_the_printed_trace_has_the_books_digits(net: Network) -> None:
    """Read from the text that `print` shows; where the book goes on with rounded numbers its last digit is one off."""
    printed = {}
    for line in str(net.trace([1, 0, 1], 1, eta=0.9)).splitlines():
        symbol, *name, value = re.split(r"\s{2,}", line)
        printed[symbol, "".join(name)] = float(value)
    for unit, (a, z) in TABLE_9_2.items():
        assert printed["a", unit] == pytest.approx(a, abs=6e-4)
        assert printed["z", unit] == pytest.approx(z, abs=6e-4)
    for unit, error in TABLE_9_3.items():
        assert -printed["δ", unit] == pytest.approx(error, abs=1.1e-4)
    for pair, w in TABLE_9_4.items():
        assert printed["w + Δw", pair] == pytest.approx(w, abs=6e-4)
    for unit, b in TABLE_9_4_BIASES.items():
        assert printed["b + Δb", unit] == pytest.approx(b, abs=6e-4)


def test_the_update_itself(net: Network) -> None:
    net.descend([[1, 0, 1]], [1], 0.9)
    assert net.W[1].ravel().round(3).tolist() == [-0.261, -0.138]
    assert net.W[0].round(3).tolist() == [[0.192, -0.306], [0.4, 0.1], [-0.508, 0.194]]
    assert net.b[0].round(3).tolist() == [-0.408, 0.194]
    assert net.b[1].round(3).tolist() == [0.218]
