"""What is skipped on a cluster exists: an entry that matches no test is a leftover."""

import ast
from pathlib import Path

import pytest
from cluster.does_not_apply import DOES_NOT_APPLY, reason_to_skip

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("place", DOES_NOT_APPLY)
def test_every_skipped_place_has_tests(place: str) -> None:
    file, _, test = place.partition("::")
    files = [CHECKOUT / file] if file.endswith(".py") else list((CHECKOUT / file).glob("test_*.py"))
    defined = {
        node.name
        for each in files
        for node in ast.walk(ast.parse(each.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }
    assert test in defined if test else defined


def test_a_place_means_the_file_the_folder_or_the_test_with_all_its_parameters() -> None:
    [file, *_] = [place for place in DOES_NOT_APPLY if place.endswith(".py")]
    why = DOES_NOT_APPLY[file]
    assert reason_to_skip(f"{file}::test_anything[1-a/b]") == why
    assert reason_to_skip(f"{file.removesuffix('.py')}_more.py::test_anything") is None
