"""Whatever happens to beat, to the rows or to the clock: each slot runs at most once, none early, none too late.

Each situation is a story in the local time of its campaign, driven through the real DatabaseScheduler.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import serializers
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from tests.support import beat as beats
from tests.support.campaigns import live, publish
from wagtail_lifecycle import schedules
from wagtail_lifecycle.models import Campaign, CampaignState, Run

pytestmark = pytest.mark.any_database

YEAR = 2026
LABEL = "%a %d %b %H:%M"
#: Waking up takes a moment, also for a campaign that wants to be on time.
PATIENCE = timedelta(minutes=2)


class World:
    """A site with its campaigns, its beats and a clock that may be wrong."""

    def __init__(self, clock: Any, start_beat: Callable[..., beats.Beat], zone: ZoneInfo) -> None:
        self.clock, self.zone = clock, zone
        self.start = start_beat
        self.beats: list[beats.Beat] = []
        self.campaigns: list[Campaign] = []
        #: how far the machine's clock is ahead of the true one
        self.ahead = timedelta()
        #: how often a tick reaches a worker
        self.copies = 1
        #: (campaign, slot, when it was begun); not read from the rows, which a backup takes back
        self.sent: list[tuple[int, datetime, datetime]] = []
        self.backup: list[str] = []

    @property
    def task(self) -> PeriodicTask:
        return PeriodicTask.objects.get(name=schedules.task_name(self.campaigns[0].pk))

    def deliver(self, name: str, args: list[Any], now: datetime) -> None:
        for _ in range(self.copies if name.startswith(beats.CAMPAIGN) else 1):
            for run in Run.objects.filter(pk__in=beats.work(name, args, now)):
                self.sent.append((run.campaign_id, run.slot, now))

    def run_until(self, text: str) -> None:
        end = self.instant(text) + self.ahead
        while self.beats and datetime.now(UTC) < end:
            wait = min(max(beat.tick(), 0.01) for beat in self.beats)
            self.clock.shift(min(wait, (end - datetime.now(UTC)).total_seconds()))
        self.clock.move_to(end, tick=False)

    def instant(self, text: str) -> datetime:
        moment = datetime.strptime(f"{YEAR} {text}", f"%Y {LABEL}").replace(tzinfo=self.zone)
        assert self.label(moment) == text, "a day of the week is wrong"
        return moment.astimezone(UTC)

    def label(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):{LABEL}}"


# -- What can happen ------------------------------------------------------------------------------------------

Step = Callable[[World], Any]


def beat_starts(world: World) -> None:
    world.beats.append(world.start(deliver=world.deliver))


def beat_dies(world: World) -> None:
    world.beats.pop().kill()


def beat_stops(world: World) -> None:
    world.beats.pop().stop()


def edited(**fields: Any) -> Step:
    return lambda world: publish(world.campaigns[0], **fields)


def in_beats_admin(**fields: Any) -> Step:
    def save(world: World) -> None:
        task = world.task
        for name, value in fields.items():
            setattr(task, name, value)
        task.save()

    return save


def crontab_in_beats_admin(**fields: Any) -> Step:
    return in_beats_admin_of(lambda task: task.crontab, **fields)


def in_beats_admin_of(row_of: Callable[[PeriodicTask], Any], **fields: Any) -> Step:
    def save(world: World) -> None:
        row: CrontabSchedule = row_of(world.task)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()

    return save


def resumed(world: World) -> None:
    schedules.resume(world.campaigns[0].pk)


def ticks_are_delivered(copies: int) -> Step:
    return lambda world: setattr(world, "copies", copies)


def clock_is_ahead(by: timedelta) -> Step:
    def jump(world: World) -> None:
        world.clock.shift(by - world.ahead)
        world.ahead = by

    return jump


def backup_is_made(world: World) -> None:
    world.backup = [
        serializers.serialize("json", model.objects.all())
        for model in (CampaignState, Run, CrontabSchedule, PeriodicTask)
    ]


def backup_is_restored(world: World) -> None:
    for model in (Run, CampaignState, PeriodicTask, CrontabSchedule):
        model.objects.all().delete()
    for rows in world.backup:
        for row in serializers.deserialize("json", rows):
            row.save()


def somebody_deploys(world: World) -> None:
    beat_stops(world)
    # What `migrate` calls at its end.
    schedules.sync_system_tasks()
    beat_starts(world)


# -- The table ------------------------------------------------------------------------------------------------


def daily(at: str, **fields: Any) -> dict[str, Any]:
    return {"frequency": "daily", "time_of_day": time.fromisoformat(at), **fields}


def monthly(day: int, at: str) -> dict[str, Any]:
    return {"frequency": "monthly", "month_day": day, "time_of_day": time.fromisoformat(at)}


@dataclass(frozen=True, kw_only=True)
class Situation:
    #: when the campaigns are published
    begins: str = "Tue 17 Nov 06:30"
    campaigns: list[dict[str, Any]] = field(default_factory=lambda: [daily("09:00")])
    story: list[tuple[str, Step]]
    ends: str
    sent: list[str]
    #: first, last, how many
    missed: list[tuple[str, str, int]] = field(default_factory=list)
    zone: str = "Europe/Paris"
    #: whether beat's own wake-ups of the campaign are enough
    without_recover: bool = True


TABLE = {
    "beat is down from 08:00 to 12:00 on Tuesday": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 08:00", beat_dies),
            ("Tue 17 Nov 12:00", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Wed 18 Nov 09:00"],
        missed=[("Tue 17 Nov 09:00", "Tue 17 Nov 09:00", 1)],
    ),
    "beat is down over the slot and back within the hour": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 08:00", beat_dies),
            ("Tue 17 Nov 09:40", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "an editor moves 15:00 to 09:00 at 10:00": Situation(
        campaigns=[daily("15:00")],
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 10:00", edited(time_of_day=time(9))),
        ],
        ends="Wed 18 Nov 16:00",
        sent=["Wed 18 Nov 09:00"],
    ),
    "an editor moves 15:00 to 09:00 at 13:00": Situation(
        campaigns=[daily("15:00")],
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 13:00", edited(time_of_day=time(9))),
        ],
        ends="Wed 18 Nov 16:00",
        sent=["Wed 18 Nov 09:00"],
    ),
    "somebody gives the task a start_time in the past": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            (
                "Tue 17 Nov 07:20",
                in_beats_admin(start_time=datetime(2026, 11, 10, 3, 17, tzinfo=UTC), last_run_at=None),
            ),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "monthly, and beat is down on the 1st from 05:00 to 09:00": Situation(
        begins="Wed 30 Sep 20:00",
        campaigns=[monthly(1, "06:00")],
        story=[
            ("Wed 30 Sep 20:00", beat_starts),
            ("Thu 01 Oct 05:00", beat_dies),
            ("Thu 01 Oct 09:00", beat_starts),
            ("Fri 02 Oct 12:00", beat_stops),
            ("Sat 31 Oct 20:00", beat_starts),
        ],
        ends="Sun 01 Nov 12:00",
        sent=["Sun 01 Nov 06:00"],
        missed=[("Thu 01 Oct 06:00", "Thu 01 Oct 06:00", 1)],
    ),
    "beat is killed a minute after it dispatched": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 09:01", beat_dies),
            ("Tue 17 Nov 09:02", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "24 daily campaigns, and beat is down for a day": Situation(
        begins="Mon 16 Nov 19:30",
        campaigns=[daily(f"{hour:02}:00") for hour in range(24)],
        story=[
            ("Mon 16 Nov 19:30", beat_starts),
            ("Mon 16 Nov 19:45", beat_dies),
            ("Tue 17 Nov 19:45", beat_starts),
        ],
        ends="Wed 18 Nov 01:30",
        sent=[*(f"Tue 17 Nov {hour}:00" for hour in range(19, 24)), "Wed 18 Nov 00:00", "Wed 18 Nov 01:00"],
        missed=[
            (slot, slot, 1)
            for slot in [
                *(f"Mon 16 Nov {hour}:00" for hour in range(20, 24)),
                *(f"Tue 17 Nov {hour:02}:00" for hour in range(19)),
            ]
        ],
    ),
    "the date of once is changed after it went": Situation(
        campaigns=[{"frequency": "once", "date": date(2026, 11, 17), "time_of_day": time(9)}],
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 12:00", edited(date=date(2026, 11, 18))),
        ],
        ends="Thu 19 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "two beats": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 06:30", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "day 31 in short months": Situation(
        begins="Tue 29 Sep 20:00",
        campaigns=[monthly(31, "09:00")],
        story=[
            ("Tue 29 Sep 20:00", beat_starts),
            ("Thu 01 Oct 12:00", beat_stops),
            ("Fri 30 Oct 20:00", beat_starts),
            ("Sun 01 Nov 12:00", beat_stops),
            ("Sun 29 Nov 20:00", beat_starts),
        ],
        ends="Tue 01 Dec 12:00",
        sent=["Wed 30 Sep 09:00", "Sat 31 Oct 09:00", "Mon 30 Nov 09:00"],
    ),
    "somebody sets day of month and day of week in beat's admin": Situation(
        begins="Mon 16 Nov 20:00",
        story=[
            ("Mon 16 Nov 20:00", beat_starts),
            ("Mon 16 Nov 21:00", crontab_in_beats_admin(day_of_month="13", day_of_week="5")),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
        without_recover=False,
    ),
    "02:30 in the spring gap": Situation(
        begins="Fri 27 Mar 20:00",
        campaigns=[daily("02:30")],
        story=[("Fri 27 Mar 20:00", beat_starts)],
        ends="Mon 30 Mar 06:00",
        sent=["Sat 28 Mar 02:30", "Sun 29 Mar 03:30", "Mon 30 Mar 02:30"],
    ),
    "01:30 in the autumn overlap": Situation(
        zone="America/New_York",
        begins="Fri 30 Oct 20:00",
        campaigns=[daily("01:30")],
        story=[("Fri 30 Oct 20:00", beat_starts)],
        ends="Mon 02 Nov 06:00",
        sent=["Sat 31 Oct 01:30", "Sun 01 Nov 01:30", "Mon 02 Nov 01:30"],
    ),
    "every hour over the autumn overlap": Situation(
        begins="Sat 24 Oct 23:10",
        campaigns=[{"frequency": "hours", "every": 1}],
        story=[("Sat 24 Oct 23:10", beat_starts)],
        ends="Sun 25 Oct 04:30",
        sent=[f"Sun 25 Oct 0{hour}:00" for hour in (0, 1, 2, 2, 3, 4)],
    ),
    "a pause over the slot, by disabling in beat's admin and Resume": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 08:00", in_beats_admin(enabled=False)),
            ("Tue 17 Nov 09:10", resumed),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Wed 18 Nov 09:00"],
    ),
    "a pause of days, by disabling and enabling in beat's admin": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 08:00", in_beats_admin(enabled=False)),
            ("Wed 18 Nov 09:10", in_beats_admin(enabled=True)),
        ],
        ends="Thu 19 Nov 10:00",
        sent=["Thu 19 Nov 09:00"],
        without_recover=False,
    ),
    "a restart over the slot": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 08:59", beat_stops),
            ("Tue 17 Nov 09:01", beat_starts),
            ("Tue 17 Nov 09:02", beat_stops),
            ("Tue 17 Nov 09:03", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "the campaign moves west, where it is not yet 09:00": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 10:00", edited(time_zone="America/New_York")),
        ],
        ends="Wed 18 Nov 16:00",
        sent=["Tue 17 Nov 09:00", "Tue 17 Nov 15:00", "Wed 18 Nov 15:00"],
    ),
    "the campaign moves east, where 09:00 has passed": Situation(
        begins="Mon 16 Nov 20:00",
        story=[
            ("Mon 16 Nov 20:00", beat_starts),
            ("Tue 17 Nov 01:20", edited(time_zone="Asia/Tokyo")),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Wed 18 Nov 01:00"],
    ),
    "a backup of Monday is restored on Wednesday": Situation(
        begins="Mon 16 Nov 20:00",
        story=[
            ("Mon 16 Nov 20:00", beat_starts),
            ("Mon 16 Nov 21:00", backup_is_made),
            ("Wed 18 Nov 15:00", beat_stops),
            ("Wed 18 Nov 15:00", backup_is_restored),
            ("Wed 18 Nov 15:10", beat_starts),
        ],
        ends="Thu 19 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00", "Thu 19 Nov 09:00"],
        missed=[("Tue 17 Nov 09:00", "Wed 18 Nov 09:00", 2)],
    ),
    "a week of downtime that ends in the afternoon": Situation(
        begins="Mon 16 Nov 20:00",
        story=[
            ("Mon 16 Nov 20:00", beat_starts),
            ("Mon 16 Nov 21:00", beat_dies),
            ("Mon 23 Nov 14:00", beat_starts),
        ],
        ends="Tue 24 Nov 10:00",
        sent=["Tue 24 Nov 09:00"],
        missed=[("Tue 17 Nov 09:00", "Mon 23 Nov 09:00", 7)],
    ),
    "a week of downtime that ends soon after the slot": Situation(
        begins="Mon 16 Nov 20:00",
        story=[
            ("Mon 16 Nov 20:00", beat_starts),
            ("Mon 16 Nov 21:00", beat_dies),
            ("Mon 23 Nov 09:20", beat_starts),
        ],
        ends="Tue 24 Nov 10:00",
        sent=["Mon 23 Nov 09:00", "Tue 24 Nov 09:00"],
        missed=[("Tue 17 Nov 09:00", "Sun 22 Nov 09:00", 6)],
    ),
    "a week of downtime of a campaign every ten minutes": Situation(
        begins="Mon 16 Nov 20:05",
        campaigns=[{"frequency": "minutes", "every": 10}],
        story=[("Mon 23 Nov 20:05", beat_starts)],
        ends="Mon 23 Nov 20:25",
        sent=["Mon 23 Nov 20:00", "Mon 23 Nov 20:10", "Mon 23 Nov 20:20"],
        missed=[("Mon 16 Nov 20:10", "Mon 23 Nov 19:50", 7 * 144 - 1)],
    ),
    "every tick comes twice": Situation(
        story=[
            ("Tue 17 Nov 06:30", ticks_are_delivered(copies=2)),
            ("Tue 17 Nov 06:30", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "every tick gets lost": Situation(
        story=[
            ("Tue 17 Nov 06:30", ticks_are_delivered(copies=0)),
            ("Tue 17 Nov 06:30", beat_starts),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
        without_recover=False,
    ),
    "the clock is over the slot too early, for ten minutes": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 07:00", clock_is_ahead(timedelta(hours=2, minutes=30))),
            ("Tue 17 Nov 07:10", clock_is_ahead(timedelta())),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
    "the clock is a day ahead for ten minutes": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 08:00", clock_is_ahead(timedelta(days=1))),
            ("Tue 17 Nov 08:10", clock_is_ahead(timedelta())),
        ],
        ends="Thu 19 Nov 10:00",
        sent=["Wed 18 Nov 09:00", "Thu 19 Nov 09:00"],
        missed=[("Tue 17 Nov 09:00", "Tue 17 Nov 09:00", 1)],
    ),
    "an editor publishes while the clock is a year ahead": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 07:00", clock_is_ahead(timedelta(days=365))),
            ("Tue 17 Nov 07:03", edited(time_of_day=time(10))),
            ("Tue 17 Nov 07:10", clock_is_ahead(timedelta())),
            ("Tue 17 Nov 07:20", somebody_deploys),
        ],
        ends="Wed 18 Nov 11:00",
        sent=["Tue 17 Nov 10:00", "Wed 18 Nov 10:00"],
        # In all good faith, in the following year.
        missed=[("Tue 17 Nov 09:00", "Tue 16 Nov 09:00", 365)],
        without_recover=False,
    ),
    "the clock is hours behind for a while": Situation(
        story=[
            ("Tue 17 Nov 06:30", beat_starts),
            ("Tue 17 Nov 09:20", clock_is_ahead(-timedelta(hours=5))),
            ("Tue 17 Nov 14:50", clock_is_ahead(timedelta())),
        ],
        ends="Wed 18 Nov 10:00",
        sent=["Tue 17 Nov 09:00", "Wed 18 Nov 09:00"],
    ),
}

WAYS = [pytest.param(title, True, id=title) for title in TABLE] + [
    pytest.param(title, False, id=f"{title} (ticks alone)", marks=pytest.mark.long)
    for title, situation in TABLE.items()
    if situation.without_recover
]


@pytest.fixture
def own_tasks(settings):
    """The package's own task `recover`, as the migration makes it but every twenty minutes."""

    def create():
        settings.WAGTAIL_LIFECYCLE_RECOVER_SECONDS = 1200
        schedules.sync_system_tasks()
        PeriodicTask.objects.exclude(name="wagtail_lifecycle.recover").delete()

    return create


@pytest.mark.parametrize(("title", "recovers"), WAYS)
def test_each_slot_runs_at_most_once_none_early_and_missed_ones_are_told(title, recovers, clock, start_beat, own_tasks):
    situation = TABLE[title]
    world = World(clock, start_beat, ZoneInfo(situation.zone))
    clock.move_to(world.instant(situation.begins), tick=False)
    if recovers:
        own_tasks()
    world.campaigns = [live(**{"time_zone": situation.zone, **fields}) for fields in situation.campaigns]

    for moment, step in situation.story:
        world.run_until(moment)
        step(world)
    world.run_until(situation.ends)

    assert [
        world.label(slot) for _campaign, slot, _begun in sorted(world.sent, key=lambda run: run[1])
    ] == situation.sent
    assert len({run[:2] for run in world.sent}) == len(world.sent)
    assert_in_time(world)
    told = [
        (world.label(run.missed_from), world.label(run.slot), run.missed_count)
        for run in Run.objects.filter(status="skipped", reason="missed").order_by("slot")
    ]
    # Where nobody looks, what was missed is told by the next tick, which may lie ahead.
    assert told == situation.missed if recovers else set(told) <= set(situation.missed)


def assert_in_time(world):
    late_within = {campaign.pk: campaign.late_within for campaign in world.campaigns}
    for campaign_id, slot, begun in world.sent:
        assert slot <= begun <= slot + max(late_within[campaign_id], PATIENCE)
        assert slot.astimezone(world.zone).fold == 0 or world.campaigns[0].frequency == "hours"


def test_what_somebody_set_in_beats_admin_is_put_right_by_recover(clock, start_beat, own_tasks):
    world = World(clock, start_beat, ZoneInfo("Europe/Paris"))
    clock.move_to(world.instant("Tue 17 Nov 06:30"), tick=False)
    own_tasks()
    world.campaigns = [live()]
    beat_starts(world)
    in_beats_admin(start_time=datetime(2026, 11, 10, tzinfo=UTC), one_off=True)(world)
    crontab_in_beats_admin(day_of_month="13", day_of_week="5")(world)

    world.run_until("Tue 17 Nov 07:20")

    task = world.task
    assert (task.start_time, task.one_off) == (None, False)
    assert (task.crontab.day_of_month, task.crontab.day_of_week, task.enabled) == ("*", "*", True)
