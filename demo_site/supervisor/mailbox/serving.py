"""The HTTP side: GET only, for this machine's own browser only."""

import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from demo_site.supervisor.mailbox.pages import Answer, answer, page
from demo_site.supervisor.mailbox.store import MailStore

#: Another name in the Host header means a web page elsewhere is trying to read mails through this browser.
OWN_NAMES = {"localhost", "127.0.0.1", "[::1]"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mailbox"
    sys_version = ""
    timeout = 60

    def __init__(self, *arguments: object, store: MailStore) -> None:
        self.store = store
        super().__init__(*arguments)  # type: ignore[arg-type] # the server's own three

    def do_GET(self) -> None:
        if self.headers.get("Host", "").rpartition(":")[0] in OWN_NAMES:
            self._send(answer(self.store, self.path))
        else:
            self._send(page("message.html", {"text": "This mailbox answers at localhost only."}, status=421))

    do_HEAD = do_GET  # noqa: N815

    def _send(self, what: Answer) -> None:
        self.send_response(what.status)
        for name, value in what.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(what.body)

    def log_message(self, *arguments: object) -> None:
        """Nothing: a request to read a mail is no news."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        # A page that waits for the next mail and is closed is no fault, and no news either.
        if not isinstance(sys.exception(), (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # typed apart from sockets


def web_server(store: MailStore, *, port: int, host: str = "127.0.0.1") -> Server:
    return Server((host, port), partial(Handler, store=store))
