"""The blocks of the first page, pasted into one file, are a program that runs."""

from pathlib import Path

from helpers.blocks import ROOT, pasted


def test_the_page_pasted_into_a_file_runs(tmp_path: Path) -> None:
    spoken, japanese, failure = pasted(ROOT / "docs" / "getting-started.md", tmp_path)
    assert spoken == "   0.0  SPEAKER_00  Good morning."
    assert japanese == "   0.0  SPEAKER_00  おはようございます。"
    assert "transcript" in failure
    # Nothing is left beside the program.
    assert [each.name for each in tmp_path.iterdir()] == ["pasted.py"]
