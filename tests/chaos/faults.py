"""What can happen to a run under way. Each fault takes the round, does its harm and says what may be in doubt by it."""

import contextlib
import signal
import time
from collections.abc import Callable
from threading import Event, Timer
from typing import TYPE_CHECKING

import psutil

from tests.chaos.crew import JobFailed
from tests.chaos.grief_points import NAMES, OFTEN

if TYPE_CHECKING:
    from tests.chaos.rounds import Round

Fault = Callable[["Round"], object]


BULK_WORKERS = ("worker-bulk", "worker-second")


def kill_child(it: "Round") -> None:
    """One of those that send bulk mail, sometimes the one that recovers."""
    pool = it.crew.pool(*it.random.choice([(), BULK_WORKERS, BULK_WORKERS]))
    if pool:
        it.lose(it.crew.kill(it.random.choice(pool)))


def kill_pool(it: "Round") -> None:
    it.lose(it.crew.kill(*it.crew.pool()))


def kill_worker(it: "Round") -> None:
    """A worker and its children, as when a container is taken away."""
    name = it.random.choice(BULK_WORKERS)
    children = it.crew.pool(name)
    it.crew.kill(it.crew.members[name])
    it.lose(it.crew.kill(*children))


def kill_parent(it: "Round") -> None:
    """Only the parent: its children finish what they are at."""
    it.crew.kill(it.crew.members[it.random.choice(BULK_WORKERS)])


def kill_beat(it: "Round") -> None:
    it.crew.kill(it.crew.members["beat"])


def grieve(it: "Round") -> None:
    """Let the next children come to grief at a named point; the present ones make room for them."""
    point = it.random.choice(NAMES)
    times = it.random.randint(1, 60) if point in OFTEN else it.random.randint(1, 4)
    it.drop_point(point, times)
    kill_child(it)


def stop_child(it: "Round") -> None:
    """Stop one for a moment, or for longer than its lease."""
    pool = it.crew.pool()
    if not pool:
        return
    process = it.random.choice(pool)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGSTOP)
        it.lose(1)
        it.later(it.random.choice([0.5, 7.0]), lambda: _go_on(process))


def cut_database(it: "Round") -> None:
    backends = it.database.backends(it.name)
    for pid in it.random.sample(backends, min(len(backends), it.random.randint(1, 3))):
        it.database.terminate(pid)


def crash_database(it: "Round") -> None:
    it.damage.crashes.append(time.time())
    it.database.crash()


def kill_backend(it: "Round") -> None:
    backends = it.database.backends(it.name)
    if backends:
        it.damage.crashes.append(time.time())
        it.database.kill_backend(it.random.choice(backends))


def crash_database_and_pool(it: "Round") -> None:
    """The workers cannot tell any more what became of their groups."""
    it.lose(it.crew.kill(*it.crew.pool()))
    crash_database(it)


def lock_database(it: "Round") -> None:
    it.crew.ask("hold_lock", seconds=it.random.choice([0.5, 2.0]))


def call_again(it: "Round") -> None:
    """Batches of the run are enqueued again, as a doubled message does."""
    it.crew.ask("call", run_id=it.run_id)


def empty_broker(it: "Round") -> None:
    it.broker.empty(it.name)


def restart_broker(it: "Round") -> None:
    it.broker.restart()


def cut_broker(it: "Round") -> None:
    it.broker.proxy.cut()


def silence_broker(it: "Round") -> None:
    it.broker.proxy.mode("blackhole")
    it.later(1.0, lambda: it.broker.proxy.mode("ok"))


def fail_sender(it: "Round") -> None:
    """The server takes nothing from this sender for a moment."""
    what = it.random.choice(
        [{"mail_reply": "550 5.7.515 sender not authenticated"}, {"refuse": True}, {"auth": "require"}]
    )
    it.sink.configure(**what)
    it.later(1.0, lambda: it.sink.configure(mail_reply="", refuse=False, auth="off"))


def hold(it: "Round") -> None:
    """A person pauses the run, and lets it go on."""
    if it.crew.ask("pause", run_id=it.run_id):
        Event().wait(it.random.uniform(0.2, 1.0))
        it.crew.ask_patiently("resume", run_id=it.run_id)


def opt_out(it: "Round") -> None:
    it.crew.ask("opt_out", run_id=it.run_id, seed=it.random.randrange(1 << 30), count=5)


def deactivate(it: "Round") -> None:
    it.crew.ask("deactivate", run_id=it.run_id, seed=it.random.randrange(1 << 30), count=5)


ALWAYS: dict[Fault, int] = {
    kill_child: 6, grieve: 8, kill_worker: 3, kill_pool: 2, kill_parent: 2, kill_beat: 1, stop_child: 3,
    empty_broker: 3, restart_broker: 2, cut_broker: 3, silence_broker: 1, fail_sender: 2, hold: 1, call_again: 6,
}  # fmt: skip
#: A transactional mail that was sent already, and nobody knew, must not turn out to be skipped.
BULK: dict[Fault, int] = {opt_out: 2, deactivate: 2}
POSTGRES: dict[Fault, int] = {cut_database: 5}
CRASHES: dict[Fault, int] = {crash_database: 2, kill_backend: 2, crash_database_and_pool: 1}
SQLITE: dict[Fault, int] = {lock_database: 3}


def inflict(fault: Fault, it: "Round") -> None:
    """Do it; where what it needs is not there at the moment, that is chaos enough."""
    it.damage.faults[fault.__name__] += 1
    with contextlib.suppress(JobFailed, psutil.NoSuchProcess, OSError):
        fault(it)


def start_timer(seconds: float, action: Callable[[], object]) -> Timer:
    timer = Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer


def _go_on(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGCONT)
