"""The reference of the pre-flight has every check as the code has it."""

from pathlib import Path

from wagtail_lifecycle import registry

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "preflight.md"


def test_the_table_has_every_check_as_the_code_has_it():
    rows = [line for line in REFERENCE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{check.name}` | {check.severity} | {check.passed} | {check.remedy} |" for check in registry.checks
    ]
