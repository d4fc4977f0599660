"""The shape of the code: what DESIGN says of layers, and what the package shows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import convsight

SOURCE = Path(convsight.__file__).parent
LEVELS = {
    "errors": 0, "files": 0, "pictures": 0, "precision": 0, "activations": 0, "architecture": 0, "receptive_field": 0,
    "frozen": 0, "layers": 0, "state_dict": 0, "assets": 0, "tiles": 0, "animation": 0, "memory": 0, "input_spec": 0,
    "published": 0, "spacy_vectors": 0,
    "network": 1, "objectives": 1, "optimizers": 1, "parametrization": 1, "spectrum": 1, "transforms": 1, "visualization": 1,
    "visualize": 2, "training": 2,
    "image": 3, "go": 3, "speech": 3, "text": 3,
    "fit": 4, "cli": 5, "tour": 5, "studio": 5,
}  # fmt: skip
MODULES = [
    path for path in sorted(SOURCE.rglob("*.py")) if path.relative_to(SOURCE).parts[0] not in ("__init__.py", "__main__.py")
]


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("convsight"):
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "convsight" else [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("convsight")]
        found |= {name.split(".")[1] for name in names if "." in name}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down_or_sideways_at_the_bottom(path: Path) -> None:
    own = room(path)
    for other in imported(path) & LEVELS.keys() - {own}:
        sideways = LEVELS[own] == LEVELS[other] and (LEVELS[own] in (0, 1) or own == "cli")
        assert LEVELS[other] < LEVELS[own] or sideways, f"{own} imports {other}"


def test_what_is_visible_is_what_is_promised() -> None:
    visible = {name for name in vars(convsight) if not name.startswith("_")}
    modules = {path.stem for path in SOURCE.glob("*.py")} | {path.name for path in SOURCE.iterdir() if path.is_dir()}
    assert visible - modules - {"version"} | {"visualize"} == set(convsight.__all__)
    assert convsight.__all__ == sorted(convsight.__all__)


def test_no_module_is_too_long_to_read() -> None:
    assert not [path for path in MODULES if len(path.read_text().splitlines()) > 300]
