"""The table of the faults: every fault has its row, and a page keeps what is around the table."""

from pathlib import Path

from faults.table import BEGIN, FAULTS, HOSTILE, STANDBY, Row, lines, write

FOUND = {HOSTILE: Row(1_000, 900, 0, 2, None).and_(Row(1, 5, 1, 0, 1.234))}


def test_every_fault_has_a_row_whether_it_was_tried_or_not() -> None:
    _, _, *rows = lines(FOUND)
    assert len(rows) == len(FAULTS)
    cells = {row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:-1]] for row in rows}
    assert cells[HOSTILE] == ["1,001", "905", "1", "2", "1.23 s"]
    assert cells[STANDBY] == ["not run", "", "", "", ""]


def test_the_page_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"before\n{BEGIN}\nold\n<!-- end -->\nafter\n")
    write(page, FOUND, seed=4, seconds=90.0)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith("\n<!-- end -->\nafter\n")
    assert "old" not in text
    assert "seed 4; 1.5 minutes" in text
