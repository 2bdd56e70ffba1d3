"""What arrived, set against what the rows say: the promises of a round, one by one."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

#: Rows announced together: what is in doubt when a crash took the outcomes of a group and its worker died as well.
GROUP = 50
#: Seconds between the two: the lease of a round and a little.
NEAR = 8.0
#: Attempts of a mail that may arrive twice (`outcomes.MAX_UNCERTAIN_ATTEMPTS`).
MAX_COPIES = 5
AMBIGUOUS = ("drop-", "unacked-", "hang-")
ENDED = {"sent", "failed", "skipped", "cancelled", "uncertain"}
#: Why a mail may have failed, by the domain of its recipient.
REFUSED = {"permfail": {"refused"}, "permdata": {"refused"}}
SHOWN = 5


@dataclass
class Damage:
    """What a round has done, as far as it decides what may be in doubt."""

    #: SMTP connections of processes that were killed or stopped
    connections: int = 0
    #: when these processes were killed or stopped, one entry each
    deaths: list[float] = field(default_factory=list)
    #: when the database crashed
    crashes: list[float] = field(default_factory=list)
    #: after this many seconds temporary faults may end a mail
    give_up: float = 120.0
    faults: Counter[str] = field(default_factory=Counter)
    #: workers that lived, did not answer, and were restarted
    deaf: int = 0

    @property
    def crashed_groups(self) -> int:
        """Processes that died so near to a crash of the database that nobody knows what became of their group."""
        return sum(any(abs(death - crash) <= NEAR for crash in self.crashes) for death in self.deaths)


def is_ambiguous(address: str) -> bool:
    return address.partition("@")[2].startswith(AMBIGUOUS)


class Ledger:
    """Judges one round."""

    def __init__(self, facts: dict[str, Any], events: list[dict], people: list[str], damage: Damage) -> None:
        self.facts, self.people, self.damage = facts, people, damage
        self.rows = {row["address"]: row for row in facts["rows"]}
        self.accepted: dict[str, list[dict]] = defaultdict(list)
        for event in events:
            for address in event["rcpts"]:
                self.accepted[address].append(event)
        self.violations: list[str] = []

    def judge(self, *, is_transactional: bool) -> list[str]:
        self._everybody_has_an_end()
        self._the_balance_is_exact()
        self._rows_and_arrivals_agree()
        self._only_the_refused_failed()
        self._copies_are_bounded() if is_transactional else self._nobody_twice()
        self._doubt_is_bounded()
        return self.violations

    @property
    def counts(self) -> Counter[str]:
        return Counter(row["status"] for row in self.facts["rows"])

    @property
    def copies(self) -> int:
        """How many mails arrived again."""
        return sum(len(events) - 1 for events in self.accepted.values())

    @property
    def promised(self) -> int:
        """How many mails may be in doubt: killed connections and recipients whose fault is ambiguous by design."""
        return self.damage.connections + sum(map(is_ambiguous, self.people))

    @property
    def allowed(self) -> int:
        return self.promised + GROUP * self.damage.crashed_groups

    def _everybody_has_an_end(self) -> None:
        self._complain("the run is not finished", [] if self.facts["status"] == "finished" else [self.facts["status"]])
        self._complain("without a row", set(self.people) - self.rows.keys())
        self._complain("a row without a person", self.rows.keys() - set(self.people))
        self._complain("more than one run", [] if self.facts["runs"] == 1 else [self.facts["runs"]])
        self._complain(
            "without an end",
            [f"{a} {row['status']} {row['reason']}" for a, row in self.rows.items() if row["status"] not in ENDED],
        )

    def _the_balance_is_exact(self) -> None:
        if self.facts["totals"] != dict(self.counts) or len(self.facts["rows"]) != len(self.people):
            self._complain("the balance is wrong", [self.facts["totals"], dict(self.counts), len(self.people)])

    def _rows_and_arrivals_agree(self) -> None:
        arrived = self.accepted.keys()
        status = {address: row["status"] for address, row in self.rows.items()}
        self._complain("arrived at nobody we know", arrived - status.keys())
        self._complain("sent but never arrived", {a for a, s in status.items() if s == "sent"} - arrived)
        wrong = [f"{a} {status[a]}" for a in arrived if status.get(a) not in {"sent", "uncertain"}]
        self._complain("arrived but neither sent nor uncertain", wrong)
        other = [a for a, events in self.accepted.items() if {e["message_id"] for e in events} != {self._id(a)}]
        self._complain("arrived under another Message-ID", other)

    def _only_the_refused_failed(self) -> None:
        failed = [row for row in self.facts["rows"] if row["status"] == "failed"]
        wrong = [
            f"{r['address']} {r['reason']} {r['detail'][:60]} {r['seconds']}" for r in failed if not self._may_fail(r)
        ]
        self._complain("failed without being refused", wrong)

    def _may_fail(self, row: dict[str, Any]) -> bool:
        domain = row["address"].partition("@")[2].partition(".")[0]
        if row["reason"] in {"temporary", "unreachable"}:
            return bool(row["seconds"] >= self.damage.give_up - 5)
        return row["reason"] in REFUSED.get(domain, set())

    def _nobody_twice(self) -> None:
        twice = {address: events for address, events in self.accepted.items() if len(events) > 1}
        self._complain(
            "sent twice",
            [
                f"{a} {self.rows.get(a, {}).get('status')} {[(e['ts'], e['acked']) for e in e_]}"
                for a, e_ in twice.items()
            ],
        )

    def _copies_are_bounded(self) -> None:
        often = [f"{a} {len(events)} times" for a, events in self.accepted.items() if len(events) > MAX_COPIES]
        self._complain("sent too often", often)
        surplus = sum(max(0, sum(event["acked"] for event in events) - 1) for events in self.accepted.values())
        if surplus > self.allowed:
            self._complain("more copies than doubtful mails", [surplus, self.allowed])

    def _doubt_is_bounded(self) -> None:
        uncertain = self.counts["uncertain"]
        if uncertain > self.allowed:
            self._complain("more in doubt than allowed", [uncertain, self.allowed])

    def _id(self, address: str) -> str:
        return str(self.rows[address]["message_id"]) if address in self.rows else ""

    def _complain(self, what: str, evidence: Any) -> None:
        found = list(evidence)
        if found:
            self.violations.append(f"{what}: {len(found)}: {'; '.join(map(str, found[:SHOWN]))}")
