#!/usr/bin/env python3
"""A fast SMTP sink with fault injection, for tests on one machine.

Standard library only (Python 3.9+).  Binds to loopback unless told otherwise,
never relays, and writes one JSON object per event to a JSONL file.

Faults chosen by recipient
--------------------------
The first label of the recipient's domain names the behaviour, optionally
followed by ``-NUMBER``; every other domain is simply accepted:

    anna@example.org             accepted
    anna@tempfail.test           451 at RCPT, always
    anna@tempfail-2.test         451 at RCPT for the first 2 attempts, then accepted
    anna@tempdata-2.test         451 after DATA for the first 2 attempts, then accepted
    anna@greylist-30.test        451 until 30 s after the first attempt, then accepted
    anna@permfail.test           550 5.1.1 at RCPT
    anna@permdata.test           554 5.7.1 after DATA
    anna@full.test               452 4.2.2 mailbox full at RCPT
    anna@reset.test              421 at RCPT, then the server closes the connection
    anna@drop.test               DATA received, discarded, connection closed, no reply
    anna@drop-1.test             the same for the first attempt, then accepted
    anna@unacked.test            message ACCEPTED AND LOGGED, connection closed, no reply
    anna@unacked-1.test          the same for the first attempt, then normal
    anna@hang-1.test             message ACCEPTED AND LOGGED, no reply until the client gives up
    anna@slow-5.test             the reply to DATA is delayed by 5 s, then accepted
    anna@slowrcpt-5.test         the reply to RCPT is delayed by 5 s
    anna@garbage.test            an invalid reply line after DATA

``--rule 'REGEX=BEHAVIOUR[-N]'`` (repeatable, first match wins, tried before the
domain convention) gives any address a behaviour.  An attempt is counted per
(recipient, behaviour).  With more than one recipient in a transaction the
after-DATA behaviour of the first faulty recipient applies to all of them.

Faults of the whole server
--------------------------
Command-line options, changeable while running through the control port
(``--control PORT``; plain HTTP on loopback):

    GET  /stats                      counters
    GET  /config                     the current settings
    POST /config  {"auth": "fail"}   change settings
    POST /reset                      forget counters, attempts and greylist times

    auth          off | require | fail (535) | tempfail (454)
    refuse        true: 421 in place of the greeting
    max_conns     421 for connections above this many (0: no limit)
    max_per_conn  421 and close at the MAIL after this many messages
    max_rcpts     452 for recipients above this many in one transaction
    rate          more than this many messages in one second get 451 4.7.1
    max_size      552 for larger messages (bytes)
    latency       seconds added to the reply after DATA
    mail_reply    e.g. "550 5.7.515 sender not authenticated": reply to every MAIL

Log lines
---------
``{"event": "accepted", "acked": true, "ts", "conn", "from", "rcpts",
"message_id", "subject", "size", "raw"?}`` — a message the server took
responsibility for.  ``acked: false`` marks the ambiguous case: stored, but the
client never got the 250.  ``{"event": "rejected", "stage", "code", "rcpt", ...}``
for everything refused, ``{"event": "auth"}``, and ``{"event": "lost"}`` for a
message received and discarded without a reply.

Example
-------
    faulty_smtpd.py --port 2525 --log mail.jsonl --store raw --control 2526
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import signal
import socket
import ssl
import sys
import time
from collections import Counter, deque

BEHAVIOURS = {
    "tempfail", "tempdata", "greylist", "permfail", "permdata", "full", "reset",
    "drop", "unacked", "hang", "slow", "slowrcpt", "garbage",
}
STATEFUL = {"tempfail", "tempdata", "greylist", "drop", "unacked", "hang"}
HOSTNAME = b"sink.localhost"
_ADDR = re.compile(rb"<([^<>]*)>")
_BEHAVIOUR = re.compile(r"^([a-z]+)(?:-(\d+(?:\.\d+)?))?$")
_MID = re.compile(rb"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^>\r\n]*>|[^\r\n]*)")
_SUBJECT = re.compile(rb"(?im)^subject:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")


class Config:
    """Settings of the whole server; every attribute can be changed over the control port."""

    FIELDS = {
        "auth": str, "refuse": bool, "max_conns": int, "max_per_conn": int, "max_rcpts": int,
        "rate": float, "max_size": int, "latency": float, "mail_reply": str,
    }

    def __init__(self, **values):
        self.auth, self.refuse, self.mail_reply = "off", False, ""
        self.max_conns = self.max_per_conn = self.max_rcpts = self.max_size = 0
        self.rate = self.latency = 0.0
        self.update(values)

    def update(self, values):
        """Set known fields; raise ValueError for an unknown one or a bad value."""
        for key, value in values.items():
            if key not in self.FIELDS:
                raise ValueError(f"unknown setting {key!r}; known: {', '.join(sorted(self.FIELDS))}")
            if key == "auth" and value not in ("off", "require", "fail", "tempfail"):
                raise ValueError("auth is one of off, require, fail, tempfail")
            setattr(self, key, self.FIELDS[key](value))

    def as_dict(self):
        return {key: getattr(self, key) for key in self.FIELDS}


class Sink:
    """Shared state: configuration, log, counters, and what each address should suffer."""

    def __init__(self, config, log_path, store="none", rules=(), tls=None, credentials=None):
        self.config, self.store, self.rules = config, store, rules
        self.tls, self.credentials = tls, credentials
        self.fd = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if log_path else None
        self.counts, self.attempts, self.first_seen = Counter(), Counter(), {}
        self.recent, self.open_conns, self.conn_seq = deque(), 0, 0
        self.pid = os.getpid()

    def reset(self):
        self.counts.clear(), self.attempts.clear(), self.first_seen.clear(), self.recent.clear()

    def log(self, **entry):
        """Append one event; a single O_APPEND write, so several processes can share the file."""
        entry["ts"] = round(time.time(), 6)
        if self.fd is not None:
            os.write(self.fd, (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape"))

    def behaviour(self, rcpt):
        """Return (name, number or None) for an address; ('', None) means accept."""
        for pattern, name, number in self.rules:
            if pattern.search(rcpt):
                return name, number
        label = rcpt.rpartition("@")[2].lower().partition(".")[0]
        match = _BEHAVIOUR.match(label)
        if match and match[1] in BEHAVIOURS:
            return match[1], float(match[2]) if match[2] else None
        return "", None

    def still_failing(self, rcpt, name, number):
        """Count an attempt; true while the address is within its first ``number`` (None: always)."""
        key = (rcpt, name)
        self.attempts[key] += 1
        return number is None or self.attempts[key] <= number

    def over_rate(self):
        if not self.config.rate:
            return False
        now = time.monotonic()
        while self.recent and self.recent[0] < now - 1:
            self.recent.popleft()
        if len(self.recent) >= self.config.rate:
            return True
        self.recent.append(now)
        return False


class Session(asyncio.Protocol):
    """One SMTP connection.  Commands are handled in order; a delayed reply holds back the rest."""

    def __init__(self, sink):
        self.sink, self.config = sink, sink.config
        self.buffer, self.busy, self.closed = bytearray(), False, False
        self.in_data, self.auth_step, self.authenticated = False, None, False
        self.auth_user, self.messages, self.scan_from = b"", 0, 0
        self.greeted = self.counted = False

    # -- connection -------------------------------------------------------
    def connection_made(self, transport):
        self.transport = transport
        if self.counted:            # the same session again, after STARTTLS
            return
        self.counted = True
        self.sink.conn_seq += 1
        self.conn = f"{self.sink.pid}-{self.sink.conn_seq}"
        self.sink.open_conns += 1
        self.sink.counts["connections"] += 1
        self.clear()
        raw_socket = transport.get_extra_info("socket")
        if raw_socket is not None:
            raw_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        too_many = self.config.max_conns and self.sink.open_conns > self.config.max_conns
        if self.config.refuse or too_many:
            self.reject("connect", 421, "4.3.2 " + ("too many connections" if too_many else "service not available"))
            self.close()
        else:
            self.reply(b"220 " + HOSTNAME + b" ESMTP test sink")

    def connection_lost(self, exc):
        if not self.closed or self.counted:
            self.sink.open_conns -= 1
        self.closed, self.counted = True, False

    def clear(self):
        self.mail_from, self.rcpts, self.data_fault = None, [], ("", None, "")

    def reply(self, line):
        if not self.closed:
            self.transport.write(line + b"\r\n")

    def reject(self, stage, code, text, **extra):
        self.sink.counts[f"rejected_{stage}_{code}"] += 1
        self.sink.log(event="rejected", stage=stage, code=code, conn=self.conn, text=text, **extra)
        self.reply(f"{code} {text}".encode())

    def close(self):
        if not self.closed:
            self.closed = True
            self.transport.close()

    # -- input ------------------------------------------------------------
    def data_received(self, data):
        self.buffer += data
        if not self.busy:
            self.process()

    def process(self):
        while not self.busy and not self.closed:
            if self.in_data:
                if not self.finish_data():
                    return
                continue
            end = self.buffer.find(b"\n")
            if end < 0:
                if len(self.buffer) > 8192:
                    self.reply(b"500 5.5.6 line too long")
                    self.close()
                return
            line = bytes(self.buffer[:end]).rstrip(b"\r")
            del self.buffer[: end + 1]
            self.command(line)

    def later(self, delay, action):
        """Run ``action`` after ``delay`` seconds; read nothing more until then."""
        self.busy = True

        def resume():
            self.busy = False
            if not self.closed:
                action()
                self.process()

        asyncio.get_running_loop().call_later(delay, resume)

    # -- commands ---------------------------------------------------------
    def command(self, line):
        if self.auth_step is not None:
            return self.auth_continue(line)
        verb, _, rest = line.partition(b" ")
        handler = getattr(self, "do_" + verb.decode("ascii", "replace").lower(), None)
        if handler is None:
            return self.reply(b"502 5.5.2 command not recognized")
        handler(rest.strip())

    def do_helo(self, rest):
        self.greeted = True
        self.reply(b"250 " + HOSTNAME)

    def do_ehlo(self, rest):
        self.greeted = True
        lines = [HOSTNAME, b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"ENHANCEDSTATUSCODES"]
        if self.config.max_size:
            lines.append(b"SIZE %d" % self.config.max_size)
        if self.sink.tls and not self.transport.get_extra_info("ssl_object"):
            lines.append(b"STARTTLS")
        if self.config.auth != "off":
            lines.append(b"AUTH PLAIN LOGIN")
        self.transport.write(b"".join(b"250-" + item + b"\r\n" for item in lines[:-1]) + b"250 " + lines[-1] + b"\r\n")

    def do_starttls(self, rest):
        if not self.sink.tls:
            return self.reply(b"502 5.5.1 not available")
        self.reply(b"220 2.0.0 ready")
        self.buffer.clear()
        self.busy = True

        async def upgrade():
            loop = asyncio.get_running_loop()
            try:
                transport = await loop.start_tls(self.transport, self, self.sink.tls, server_side=True)
            except (OSError, ssl.SSLError):
                return self.transport.abort()
            if transport is not None:
                self.transport, self.busy = transport, False
                # Local change: the client's EHLO may be here already, as part of the handshake's last flight.
                self.process()
        asyncio.ensure_future(upgrade())

    def do_auth(self, rest):
        mechanism, _, initial = rest.partition(b" ")
        if mechanism.upper() == b"PLAIN":
            if initial:
                self.auth_step = "plain"
                return self.auth_continue(initial)
            self.auth_step = "plain"
            return self.reply(b"334 ")
        if mechanism.upper() == b"LOGIN":
            self.auth_step = "user"
            if initial:
                return self.auth_continue(initial)
            return self.reply(b"334 VXNlcm5hbWU6")
        self.reply(b"504 5.5.4 mechanism not supported")

    def auth_continue(self, line):
        try:
            value = base64.b64decode(line, validate=True)
        except ValueError:
            self.auth_step = None
            return self.reply(b"501 5.5.2 bad base64")
        if self.auth_step == "user":
            self.auth_user, self.auth_step = value, "password"
            return self.reply(b"334 UGFzc3dvcmQ6")
        if self.auth_step == "plain":
            parts = value.split(b"\0")
            self.auth_user, password = parts[1] if len(parts) > 1 else b"", parts[-1]
        else:
            password = value
        self.auth_step = None
        user = self.auth_user.decode("utf-8", "replace")
        if self.config.auth == "tempfail":
            return self.reject("auth", 454, "4.7.0 temporary authentication failure", user=user)
        wrong = self.sink.credentials and (user, password.decode("utf-8", "replace")) != self.sink.credentials
        if self.config.auth == "fail" or wrong:
            return self.reject("auth", 535, "5.7.8 authentication credentials invalid", user=user)
        self.authenticated = True
        self.sink.counts["auth_ok"] += 1
        self.reply(b"235 2.7.0 authenticated")

    def do_mail(self, rest):
        config = self.config
        if config.auth != "off" and not self.authenticated:
            return self.reject("mail", 530, "5.7.0 authentication required")
        if config.max_per_conn and self.messages >= config.max_per_conn:
            self.reject("mail", 421, "4.4.2 too many messages in one session")
            return self.close()
        if config.mail_reply:
            code, _, text = config.mail_reply.partition(" ")
            return self.reject("mail", int(code), text)
        if self.sink.over_rate():
            return self.reject("mail", 451, "4.7.1 message rate exceeded, try again later")
        match = _ADDR.search(rest)
        if self.mail_from is not None or not match:
            return self.reply(b"503 5.5.1 nested MAIL" if match else b"501 5.5.4 bad address")
        self.clear()
        self.mail_from = match[1].decode("utf-8", "replace")
        self.reply(b"250 2.1.0 ok")

    def do_rcpt(self, rest):
        match = _ADDR.search(rest)
        if self.mail_from is None:
            return self.reply(b"503 5.5.1 MAIL first")
        if not match or not match[1]:
            return self.reply(b"501 5.5.4 bad address")
        rcpt = match[1].decode("utf-8", "replace")
        if self.config.max_rcpts and len(self.rcpts) >= self.config.max_rcpts:
            return self.reject("rcpt", 452, "4.5.3 too many recipients", rcpt=rcpt)
        name, number = self.sink.behaviour(rcpt)
        if not name:
            pass
        elif name == "tempfail" and self.sink.still_failing(rcpt, name, number):
            return self.reject("rcpt", 451, "4.3.0 temporary failure", rcpt=rcpt)
        elif name == "greylist":
            first = self.sink.first_seen.setdefault(rcpt, time.monotonic())
            if time.monotonic() - first < (number or 60):
                return self.reject("rcpt", 451, "4.7.1 greylisted, try again later", rcpt=rcpt)
        elif name == "permfail":
            return self.reject("rcpt", 550, "5.1.1 no such user", rcpt=rcpt)
        elif name == "full":
            return self.reject("rcpt", 452, "4.2.2 mailbox full", rcpt=rcpt)
        elif name == "reset":
            self.reject("rcpt", 421, "4.3.2 closing connection", rcpt=rcpt)
            return self.close()
        elif name == "slowrcpt":
            self.rcpts.append(rcpt)
            return self.later(number or 1, lambda: self.reply(b"250 2.1.5 ok"))
        elif not self.data_fault[0]:
            self.data_fault = (name, number, rcpt)
        self.rcpts.append(rcpt)
        self.reply(b"250 2.1.5 ok")

    def do_data(self, rest):
        if not self.rcpts:
            return self.reply(b"503 5.5.1 RCPT first" if self.mail_from is not None else b"503 5.5.1 MAIL first")
        self.in_data, self.scan_from = True, 0
        self.reply(b"354 go ahead")

    def do_rset(self, rest):
        self.clear()
        self.reply(b"250 2.0.0 ok")

    def do_noop(self, rest):
        self.reply(b"250 2.0.0 ok")

    def do_vrfy(self, rest):
        self.reply(b"252 2.1.5 cannot verify")

    def do_quit(self, rest):
        self.reply(b"221 2.0.0 bye")
        self.close()

    # -- message ----------------------------------------------------------
    def finish_data(self):
        """Handle a complete message; false while its final dot has not arrived."""
        buffer = self.buffer
        if buffer.startswith(b".\r\n"):
            end, skip = 0, 3
        else:
            end = buffer.find(b"\r\n.\r\n", max(0, self.scan_from - 5))
            if end < 0:
                self.scan_from = len(buffer)
                return False
            end, skip = end + 2, 3
        raw = bytes(buffer[:end])
        del buffer[: end + skip]
        self.in_data = False
        if b"\n." in raw or raw.startswith(b"."):
            raw = re.sub(rb"(?m)^\.", b"", raw)
        self.deliver(raw)
        return True

    def deliver(self, raw):
        sink, config = self.sink, self.config
        name, number, rcpt = self.data_fault
        mail_from, rcpts = self.mail_from, self.rcpts
        self.messages += 1
        self.clear()
        head_end = raw.find(b"\r\n\r\n")
        head = raw if head_end < 0 else raw[:head_end]
        mid, subject = _MID.search(head), _SUBJECT.search(head)
        facts = {
            "conn": self.conn, "from": mail_from, "rcpts": rcpts, "size": len(raw),
            "message_id": mid[1].decode("utf-8", "replace") if mid else None,
            "subject": subject[1].decode("utf-8", "replace") if subject else None,
        }
        if config.max_size and len(raw) > config.max_size:
            return self.reject("data", 552, "5.3.4 message too big", **_without(facts, "conn"))
        if name == "permdata":
            return self.reject("data", 554, "5.7.1 message refused", **_without(facts, "conn"))
        if name == "tempdata" and sink.still_failing(rcpt, name, number):
            return self.reject("data", 451, "4.3.0 try again later", **_without(facts, "conn"))
        if name == "drop" and sink.still_failing(rcpt, name, number):
            sink.counts["lost"] += 1
            sink.log(event="lost", **facts)
            return self.close()
        unacked = name in ("unacked", "hang") and sink.still_failing(rcpt, name, number)
        if sink.store == "raw":
            facts["raw"] = raw.decode("utf-8", "surrogateescape") if _is_utf8(raw) else None
            if facts["raw"] is None:
                facts["raw_b64"] = base64.b64encode(raw).decode()
                del facts["raw"]
        elif sink.store == "headers":
            facts["raw_headers"] = head.decode("utf-8", "replace")
        sink.counts["accepted"] += 1
        sink.log(event="accepted", acked=not (unacked or name == "garbage"), **facts)
        if unacked:
            sink.counts["accepted_unacked"] += 1
            if name == "unacked":
                return self.close()
            self.busy = True    # hang: say nothing, keep the connection until the client leaves
            return None
        line = b"garbage" if name == "garbage" else b"250 2.0.0 accepted"
        delay = config.latency + ((number or 1) if name == "slow" else 0)
        if delay:
            return self.later(delay, lambda: self.reply(line))
        self.reply(line)


def _without(mapping, key):
    return {k: v for k, v in mapping.items() if k != key}


def _is_utf8(raw):
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


async def control(sink, reader, writer):
    """Serve one request on the control port."""
    try:
        request = (await reader.readline()).decode("latin-1").split()
        length = 0
        while True:
            header = (await reader.readline()).decode("latin-1").strip()
            if not header:
                break
            if header.lower().startswith("content-length:"):
                length = int(header.partition(":")[2])
        body = await reader.readexactly(length) if length else b""
        status, answer = "200 OK", None
        key = tuple(request[:2])
        try:
            if key == ("GET", "/stats"):
                answer = {**sink.counts, "open_connections": sink.open_conns}
            elif key == ("GET", "/config"):
                answer = sink.config.as_dict()
            elif key in (("POST", "/config"), ("PUT", "/config")):
                sink.config.update(json.loads(body))
                answer = sink.config.as_dict()
            elif key == ("POST", "/reset"):
                sink.reset()
                answer = {}
            else:
                status, answer = "404 Not Found", {"error": "see --help for the control requests"}
        except (ValueError, TypeError, AttributeError) as error:
            status, answer = "400 Bad Request", {"error": str(error)}
        payload = json.dumps(answer).encode() + b"\n"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n".encode() + payload)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, IndexError, ValueError):
        pass
    finally:
        writer.close()


def parse_rule(text):
    """Turn 'REGEX=BEHAVIOUR[-N]' into (pattern, name, number)."""
    pattern, _, behaviour = text.rpartition("=")
    match = _BEHAVIOUR.match(behaviour)
    if not pattern or not match or match[1] not in BEHAVIOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is not REGEX=BEHAVIOUR[-N]; known: {', '.join(sorted(BEHAVIOURS))}")
    return re.compile(pattern), match[1], float(match[2]) if match[2] else None


async def serve(args, config):
    tls = None
    if args.tls_cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(args.tls_cert, args.tls_key or args.tls_cert)
    credentials = tuple(args.user.split(":", 1)) if args.user else None
    sink = Sink(config, args.log, args.store, args.rule or (), None if args.implicit_tls else tls, credentials)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Session(sink), args.host, args.port, reuse_port=args.workers > 1 or None,
        backlog=1024, ssl=tls if args.implicit_tls else None)
    servers = [server]
    if args.control and args.workers == 1:
        servers.append(await asyncio.start_server(lambda r, w: control(sink, r, w), "127.0.0.1", args.control))
    port = server.sockets[0].getsockname()[1]
    print(f"listening on {args.host}:{port}", file=sys.stderr, flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for item in servers:
        item.close()
    print(json.dumps(dict(sink.counts)), file=sys.stderr, flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525, help="0 takes a free port and prints it")
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="control port on loopback")
    parser.add_argument("--log", help="JSONL file to append to")
    parser.add_argument("--store", choices=("none", "headers", "raw"), default="none",
                        help="how much of an accepted message goes into the log")
    parser.add_argument("--rule", action="append", type=parse_rule, metavar="REGEX=BEHAVIOUR[-N]")
    parser.add_argument("--workers", type=int, default=1,
                        help="processes sharing the port; stateful faults and --control need 1")
    parser.add_argument("--user", metavar="NAME:PASSWORD", help="the only credentials AUTH accepts")
    parser.add_argument("--tls-cert", help="PEM file; offers STARTTLS")
    parser.add_argument("--tls-key")
    parser.add_argument("--implicit-tls", action="store_true", help="TLS from the first byte")
    parser.add_argument("--auth", choices=("off", "require", "fail", "tempfail"), default="off")
    parser.add_argument("--refuse", action="store_true")
    for name, kind in (("max-conns", int), ("max-per-conn", int), ("max-rcpts", int), ("max-size", int),
                       ("rate", float), ("latency", float)):
        parser.add_argument("--" + name, type=kind, default=0)
    parser.add_argument("--mail-reply", default="")
    args = parser.parse_args(argv)
    if args.workers > 1 and (args.control or any(rule[1] in STATEFUL for rule in args.rule or ())):
        parser.error("--control and stateful rules need --workers 1")
    config = Config(**{key: getattr(args, key) for key in Config.FIELDS})
    children = []
    for _ in range(args.workers - 1):
        pid = os.fork()
        if pid == 0:
            children = []
            break
        children.append(pid)
    try:
        asyncio.run(serve(args, config))
    finally:
        for pid in children:
            try:
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


if __name__ == "__main__":
    main()
