"""The README tells the truth: its program works when pasted."""

from pathlib import Path

from helpers.blocks import ROOT, blocks_of, pasted

README = ROOT / "README.md"


def test_the_program_in_the_readme_works_when_pasted(tmp_path: Path) -> None:
    assert [each.language for each in blocks_of(README)].count("python") == 1
    assert pasted(README, tmp_path) == [
        "   0.0 s  en  Good morning.",
        "   0.0 s  es  Buenos días.",
        "   0.0 s  ja  おはようございます。",
    ]
