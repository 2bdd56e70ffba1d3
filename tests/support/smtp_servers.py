"""Real SMTP servers that misbehave: one by the address of a recipient, one by what a test has written down."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import Request, urlopen

from tests.support.embedded import free_port
from wagtail_lifecycle.transport.smtp import EmailBackend

PROGRAM = Path(__file__).parent / "faulty_smtpd.py"


class FaultySmtp:
    """`faulty_smtpd.py` in a process of its own; its settings can be changed while it runs."""

    host = "127.0.0.1"

    def __init__(self, folder, *arguments):
        self.log = folder / "smtp.jsonl"
        self.log.touch()
        self.control = free_port()
        command = [sys.executable, str(PROGRAM), "--port=0", f"--control={self.control}", f"--log={self.log}"]
        self._process = subprocess.Popen([*command, "--store=raw", *arguments], stderr=subprocess.PIPE, text=True)
        self.port = int(self._process.stderr.readline().rpartition(":")[2])

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.stop()

    def stop(self):
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stderr.close()

    def configure(self, **changes):
        return self._ask("/config", json.dumps(changes).encode())

    @property
    def stats(self):
        return self._ask("/stats")

    def events(self, name):
        return [event for line in self.log.read_text().splitlines() if (event := json.loads(line))["event"] == name]

    @property
    def accepted(self):
        return self.events("accepted")

    def backend(self, **changes):
        return backend(self, **changes)

    def use(self, settings, **changes):
        """Let the site send over this server."""
        settings.EMAIL_BACKEND = "wagtail_lifecycle.transport.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = self.host, self.port
        for name, value in changes.items():
            setattr(settings, name, value)

    def _ask(self, path, body=None):
        with urlopen(Request(f"http://{self.host}:{self.control}{path}", data=body), timeout=10) as answer:
            return json.loads(answer.read())


def backend(server, **changes):
    """Our backend to that server, plain and without a log-in unless the test asks for them."""
    options = {"username": "", "password": "", "use_tls": False, "use_ssl": False, "timeout": 10}
    return EmailBackend(host=server.host, port=server.port, **{**options, **changes})


#: closes the connection where it stands in an answer
CLOSE = b"<close>"
EHLO = b"250-scripted.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
EHLO_PLAIN = b"250 scripted.test\r\n"
ANSWERS = {
    "GREETING": b"220 scripted.test\r\n",
    "EHLO": EHLO,
    "MAIL": b"250 2.1.0 ok\r\n",
    "RCPT": b"250 2.1.5 ok\r\n",
    "DATA": b"354 go ahead\r\n",
    "DOT": b"250 2.0.0 accepted\r\n",
    "RSET": b"250 2.0.0 ok\r\n",
    "QUIT": b"221 2.0.0 bye\r\n",
}


class ScriptedSmtp:
    """Answers each command with what the test wrote down for it: one answer, or a list used up one by one."""

    def __init__(self, **answers):
        self._answers = {verb: list(given) if isinstance(given, list) else [given] for verb, given in answers.items()}
        #: the commands of all connections, and each message as ("DOT", octets)
        self.heard = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def verbs(self):
        return [verb for verb, _ in self.heard]

    @property
    def messages(self):
        return [octets for verb, octets in self.heard if verb == "DOT"]

    def backend(self, **changes):
        return backend(self, **changes)

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(ConnectionError), connection.makefile("rb") as lines:
                self._converse(connection, lines)

    def _converse(self, connection, lines):
        if not self._answer(connection, "GREETING"):
            return
        for line in lines:
            verb = line.split()[0].decode("ascii").upper()
            self.heard.append((verb, line))
            answer = self._next(verb)
            if not self._say(connection, answer):
                return
            if answer.startswith(b"354") and not self._message(connection, lines):
                return
            if verb == "QUIT":
                return

    def _message(self, connection, lines):
        received = []
        for line in lines:
            if line == b".\r\n":
                self.heard.append(("DOT", b"".join(received)))
                return self._answer(connection, "DOT")
            received.append(re.sub(rb"^\.", b"", line))
        self.heard.append(("CUT", b"".join(received)))
        return False

    def _next(self, verb):
        given = self._answers.get(verb, [])
        if not given:
            return ANSWERS.get(verb, b"502 5.5.2 what?\r\n")
        return given.pop(0) if len(given) > 1 else given[0]

    def _answer(self, connection, verb):
        return self._say(connection, self._next(verb))

    @staticmethod
    def _say(connection, answer):
        connection.sendall(answer.replace(CLOSE, b""))
        return CLOSE not in answer
