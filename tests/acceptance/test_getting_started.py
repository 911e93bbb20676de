"""The blocks of the first page, pasted into one file, are a program that runs."""

import subprocess
import sys
from pathlib import Path

from helpers.blocks import ROOT, blocks_of


def test_the_page_pasted_into_a_file_runs(tmp_path: Path) -> None:
    page = ROOT / "docs" / "getting-started.md"
    program = "\n\n".join(each.text for each in blocks_of(page) if each.language == "python")
    (tmp_path / "pasted.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "pasted.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spoken, japanese, failure = done.stdout.splitlines()
    assert spoken == "   0.0  SPEAKER_00  Good morning."
    assert japanese == "   0.0  SPEAKER_00  おはようございます。"
    assert "transcript" in failure
    # Nothing is left beside the program.
    assert [each.name for each in tmp_path.iterdir()] == ["pasted.py"]
