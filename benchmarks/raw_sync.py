"""The SMTP dialogue and nothing else, each command after the answer to the last: what a process can do at most.

``python -m benchmarks.raw_sync PORT COUNT FILE`` sends the message in FILE that often.
"""

import os
import socket
import sys
from pathlib import Path


def main(port: int, count: int, message: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        answers = connection.makefile("rb")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def say(line: bytes) -> None:
            connection.sendall(line + b"\r\n")
            while answers.readline()[3:4] == b"-":
                pass

        answers.readline()
        say(b"EHLO bench.example")
        # Whoever measures says when.
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for number in range(count):
            say(b"MAIL FROM:<news@example.org>")
            say(b"RCPT TO:<raw%d.%d@bench.example>" % (os.getpid(), number))
            say(b"DATA")
            say(message + b".")
        say(b"QUIT")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes())
