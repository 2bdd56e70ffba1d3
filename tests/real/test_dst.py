"""Every change of a clock in 2026, as the IANA database has it, and a campaign that goes in the middle of it."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest

from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import Campaign, CampaignState
from wagtail_lifecycle.schedules import Schedule, notes

pytestmark = pytest.mark.data

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Transition:
    zone: str
    at: datetime
    kind: str
    #: what the clocks on the wall show just before and just after
    before: datetime
    after: datetime

    @property
    def middle(self):
        """A time of day that does not exist that day, or exists twice."""
        return min(self.before, self.after) + abs(self.after - self.before) / 2

    @property
    def slot(self):
        """When it has to go: as much later as the gap is long; the first of two."""
        if self.kind == "gap":
            return self.at + (self.middle - self.before)
        return self.at - (self.before - self.middle)

    @property
    def campaign(self):
        return Campaign(live=True, frequency="daily", time_of_day=self.middle.time(), time_zone=self.zone)


@pytest.fixture(scope="module")
def transitions(real_data):
    with (real_data / "schedules" / "dst_transitions.csv").open(newline="") as rows:
        return [
            Transition(
                zone=row["zone"],
                at=datetime.fromisoformat(row["utc_instant"]),
                kind=row["kind"],
                before=datetime.fromisoformat(row["wall_before"]),
                after=datetime.fromisoformat(row["wall_after"]),
            )
            for row in csv.DictReader(rows)
        ]


def test_there_are_all_of_them(transitions):
    assert len(transitions) == 364
    assert {transition.kind for transition in transitions} == {"gap", "overlap"}
    assert len({transition.zone for transition in transitions}) == 182


def test_a_campaign_in_a_gap_goes_later_and_one_in_an_overlap_the_first_time_each_once(transitions):
    for transition in transitions:
        slots = list(schedules.slots_between(transition.campaign, transition.slot - DAY, transition.slot + DAY))

        assert slots.count(transition.slot) == 1, transition
        near = [slot for slot in slots if abs(slot - transition.slot) < 20 * HOUR]
        assert near == [transition.slot], transition


def test_the_days_around_are_as_ever(transitions):
    for transition in transitions:
        zone = Schedule.of(transition.campaign).zone
        around = schedules.next_slots(transition.campaign, transition.slot - 2 * DAY, count=5)

        others = [slot.astimezone(zone) for slot in around if slot != transition.slot]
        # No zone changes its clocks twice within five days.
        assert {local.time() for local in others} == {transition.middle.time()}, transition
        assert len({local.date() for local in others}) == 4, transition


def test_what_is_due_is_the_slot_and_only_from_then_on_and_only_once(transitions):
    for transition in transitions:
        campaign, slot = transition.campaign, transition.slot
        state = CampaignState(changed_at=slot - 6 * HOUR, fingerprint=Schedule.of(campaign).fingerprint)

        def pending(now, last_run=None, campaign=campaign, state=state):
            return schedules.pending(campaign, state, now=now, last_run=last_run)

        assert pending(slot - SECOND) == schedules.Pending(), transition
        assert pending(slot).due == slot, transition
        assert pending(slot + HOUR, last_run=slot) == schedules.Pending(), transition
        # The hour that the clocks show twice, for the second time.
        assert pending(slot + 5 * HOUR, last_run=slot) == schedules.Pending(), transition


def test_the_editor_is_told(transitions):
    for transition in transitions:
        told = notes(transition.campaign, transition.slot - 3 * DAY)

        expected = "the clocks go forward" if transition.kind == "gap" else "the clocks go back"
        assert expected in told[0], transition


def test_every_hour_goes_on_over_all_of_them(transitions):
    for transition in transitions:
        campaign = Campaign(live=True, frequency="hours", every=1, time_zone=transition.zone)

        slots = list(schedules.slots_between(campaign, transition.at - 3 * HOUR, transition.at + 3 * HOUR))

        assert len(slots) == 6, transition
        assert all(slot.astimezone(UTC).minute == slots[0].minute for slot in slots), transition


def test_midnight_is_no_exception(transitions):
    """Some zones change at midnight, so that a day has none."""
    at_midnight = [t for t in transitions if t.kind == "gap" and t.before.time() == time()]
    assert at_midnight
    for transition in at_midnight:
        campaign = Campaign(live=True, frequency="daily", time_of_day=time(), time_zone=transition.zone)

        [slot] = schedules.slots_between(campaign, transition.at - SECOND, transition.at + 20 * HOUR)

        assert slot == transition.at, transition
