"""What is imported when."""

import subprocess
import sys

HEAVY = ("sklearn", "scipy", "typer", "rich", "pyarrow", "matplotlib", "pandas", "sympy", "safetensors")


def loaded_by(code: str) -> set[str]:
    report = f"{code}\nimport sys\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True)
    return set(run.stdout.splitlines()[-1].split())


def test_import_deltaprop_loads_nothing_heavy() -> None:
    assert not loaded_by("import deltaprop") & set(HEAVY)


def test_training_and_predicting_load_nothing_heavy() -> None:
    code = "import deltaprop; net = deltaprop.Network([2, 1]); net.fit([[1, 2]], [1], epochs=1); net.predict([[1, 2]])"
    assert not loaded_by(code) & set(HEAVY)


def test_the_help_of_the_command_line_loads_no_library_for_data() -> None:
    loaded = loaded_by("from deltaprop.cli import run; run(['fit', '--help'])")
    assert "typer" in loaded
    assert not loaded & {"sklearn", "scipy", "pyarrow", "matplotlib", "pandas", "safetensors"}


def test_the_textbook_imports_numpy_alone() -> None:
    import ast
    from pathlib import Path

    from deltaprop import textbook

    tree = ast.parse(Path(textbook.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} == {"collections", "typing", "numpy"}


def test_functions_of_the_engine_and_of_python_must_be_the_same() -> None:
    code = (
        "import deltaprop.functions as f\n"
        "del f.ACTIVATIONS['tanh']\n"
        "try:\n    import deltaprop.model\n"
        "except ImportError as error:\n    print(error)"
    )
    # deltaprop itself imports the model, so the package is stood in for by a bare one
    bare = (
        "import sys, types, importlib.util\n"
        "spec = importlib.util.find_spec('deltaprop')\n"
        "package = types.ModuleType('deltaprop')\n"
        "package.__path__ = spec.submodule_search_locations\n"
        "sys.modules['deltaprop'] = package\n"
    )
    run = subprocess.run([sys.executable, "-c", bare + code], check=True, capture_output=True, text=True)
    assert "is not what deltaprop.functions and deltaprop.descent declare" in run.stdout
