"""docs/functions.md, "To add an activation", step by step on a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

STRUCT = """
// h(a) = (sqrt(a^2 + 1) - 1) / 2 + a,  h' = a / (2 sqrt(a^2 + 1)) + 1
struct BentIdentity {
  template <class T>
  [[gnu::always_inline]] static Vector<T> value(Vector<T> a) {
    return (square_root<T>(a * a + T{1}) - T{1}) * T{0.5} + a;
  }
  template <class T>
  [[gnu::always_inline]] static Vector<T> derivative(Vector<T> a, Vector<T>) {
    return a / (square_root<T>(a * a + T{1}) * T{2}) + T{1};
  }
};
"""
DECLARATION = """
        Activation(
            "bent_identity", "(sqrt(a**2 + 1) - 1) / 2 + a", derivative="a / (2 * sqrt(a**2 + 1)) + 1", start="he",
            source="a test",
        ),
"""
TRY = """
import numpy as np
from deltaprop import Network
from deltaprop.functions import ACTIVATIONS
assert "bent_identity" in ACTIVATIONS
net = Network([1, 1], h=[], output="bent_identity", loss="squared_error", bias=False)
net.W[0] = [[1]]
a = np.linspace(-3, 3, 25)
np.testing.assert_allclose(net.predict(a[:, None])[:, 0], (np.sqrt(a**2 + 1) - 1) / 2 + a, rtol=1e-15, atol=1e-16)
deep = Network([2, 5, 4, 1], h="bent_identity", output="identity", loss="squared_error")
X = np.random.default_rng(0).normal(size=(9, 2))
assert deep.check_gradient(X, X[:, 0]).ok
print("it works")
"""


def insert(path: Path, before: str, text: str, *, last: bool = False) -> None:
    """Put a text before the first or the last place where another stands."""
    whole = path.read_text()
    at = whole.rindex(before) if last else whole.index(before)
    path.write_text(whole[:at] + text + whole[at:])


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.mark.skipif(
    shutil.which("cmake") is None and not (Path(sys.executable).parent / "cmake").exists(), reason="no cmake"
)
def test_step_by_step(tmp_path: Path) -> None:
    copy = tmp_path / "deltaprop"
    for part in ("engine", "src", "tools", "docs"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    shutil.copy(ROOT / "CMakeLists.txt", copy)

    # 1 and 2: the struct, its name twice in one order, its line.
    insert(copy / "engine/activations_smooth.hpp", "}  // namespace", STRUCT.lstrip() + "\n", last=True)
    plan = copy / "engine/plan.hpp"
    insert(plan, "  formula,", "  bent_identity,\n")
    plan_cpp = (copy / "engine/plan.cpp").read_text()
    names = re.search(r"std::array<std::string_view, (\d+)> kActivations\{[^}]*", plan_cpp)
    assert names is not None
    more = names[0].replace(f", {names[1]}>", f", {int(names[1]) + 1}>") + ', "bent_identity"'
    (copy / "engine/plan.cpp").write_text(plan_cpp.replace(names[0], more))
    insert(
        copy / "engine/activate.hpp",
        "    case Activation::formula:\n      return use(Formula{",
        "    case Activation::bent_identity:\n      return use(BentIdentity{});\n",
    )
    build = tmp_path / "build"
    bin_ = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    definitions = {
        "SKBUILD": "ON",
        "SKBUILD_PROJECT_VERSION": "0",
        "Python_EXECUTABLE": sys.executable,
        "DELTAPROP_INSTRUCTION_SETS": "baseline",
        "DELTAPROP_WERROR": "ON",
        "CMAKE_BUILD_TYPE": "None",
        "CMAKE_CXX_FLAGS": "-O1 -DNDEBUG",
    }
    words = [f"-D{name}={value}" for name, value in definitions.items()]
    for command in (["cmake", "-S", str(copy), "-B", str(build), *words], ["cmake", "--build", str(build), "-j2"]):
        done = run(*command, cwd=copy, PATH=bin_)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (module,) = build.glob("_engine*")
    shutil.copy(module, copy / "src/deltaprop")
    path = str(copy / "src")

    # Before 3 the two sets of names differ.
    done = run(sys.executable, "-c", "import deltaprop; deltaprop.Network", cwd=tmp_path, PYTHONPATH=path)
    assert "ImportError: deltaprop: the engine has" in done.stderr

    # 3: the declaration.
    insert(
        copy / "src/deltaprop/functions/activations.py",
        '        Activation(\n            "softmax"',
        DECLARATION.lstrip("\n"),
    )
    done = run(sys.executable, "-c", TRY, cwd=tmp_path, PYTHONPATH=path)
    assert done.stdout == "it works\n", done.stderr
    listed = "import deltaprop.cli; deltaprop.cli.run(['list', 'activations'])"
    assert "bent_identity" in run(sys.executable, "-c", listed, cwd=tmp_path, PYTHONPATH=path).stdout

    # 4: the page.
    tool = [sys.executable, "tools/make_functions.py"]
    assert run(*tool, "--check", cwd=copy, PYTHONPATH=path).returncode == 1
    done = run(*tool, cwd=copy, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert run(*tool, "--check", cwd=copy, PYTHONPATH=path).returncode == 0
    assert "**bent_identity**" in (copy / "docs/functions.md").read_text()
