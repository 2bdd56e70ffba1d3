"""The results as a table: python -m tests.chaos.summary"""

import json
import sys
from collections import defaultdict
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "docs" / "explanation" / "chaos-results.jsonl"
SUMS = ("people", "sent", "failed", "skipped", "uncertain", "promised", "arrived_again")


def main() -> None:
    groups = defaultdict(list)
    for line in map(json.loads, RESULTS.read_text().splitlines()):
        groups[line["database"], line["broker"], line["guarantee"]].append(line)
    sys.stdout.write(table(groups))


def table(groups: dict) -> str:
    head = ["database", "broker", "guarantee", "rounds", "violated", "faults", *SUMS, "seconds (median)"]
    rows = [head, ["---"] * len(head), *(row(key, lines) for key, lines in sorted(groups.items()))]
    everything = [line for lines in groups.values() for line in lines]
    rows.append(row(("all", "", ""), everything))
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in rows)


def row(key: tuple, lines: list) -> list:
    seconds = sorted(line["seconds"] for line in lines)
    return [
        *key,
        len(lines),
        sum(bool(line["violations"]) for line in lines),
        sum(sum(line["faults"].values()) for line in lines),
        *(sum(line[name] for line in lines) for name in SUMS),
        seconds[len(seconds) // 2],
    ]


if __name__ == "__main__":
    main()
