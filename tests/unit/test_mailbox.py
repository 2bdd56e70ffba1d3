"""The demo's mailbox keeps every mail and shows none of them too much trust."""

import http.client
import json
import re
import smtplib
import socket
import struct
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from demo_site.supervisor.mailbox import store as store_module
from demo_site.supervisor.mailbox.pages import answer
from demo_site.supervisor.mailbox.reading import read
from demo_site.supervisor.mailbox.serving import web_server
from demo_site.supervisor.mailbox.store import MailStore

PLAIN = b"Subject: Your views\r\nFrom: News <news@example.org>\r\nMessage-ID: <1@example.org>\r\n\r\nTen.\r\n"


def keep(store, raw=PLAIN, *, to="ana@example.org"):
    return store.add(conn="1", sender="news@example.org", recipients=(to,), raw=raw)


def shown(store, target):
    return answer(store, target).body.decode()


@contextmanager
def served(store):
    with web_server(store, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_mail_sent_by_smtp_is_on_the_page(smtp_sink):
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as client:
        client.sendmail("news@example.org", ["ana@example.org"], PLAIN)

    [mail] = smtp_sink.store.after(0, wait=10)
    page = shown(smtp_sink.store, "/")
    assert mail.raw == PLAIN
    assert "Your views" in page
    assert "ana@example.org" in page


def test_an_empty_mailbox_says_that_mail_is_on_its_way():
    assert "No mail yet …" in shown(MailStore(), "/")


def test_the_newest_mail_comes_first():
    store = MailStore()
    keep(store, b"Subject: older\r\n\r\n")
    keep(store, b"Subject: newer\r\n\r\n")

    page = shown(store, "/")

    assert page.index("newer") < page.index("older")


def test_the_file_has_the_log_lines_of_the_smtp_sink(tmp_path):
    store = MailStore(tmp_path / "mails.jsonl")
    mail = keep(store)

    [line] = (tmp_path / "mails.jsonl").read_text().splitlines()

    assert json.loads(line) == {
        "event": "accepted",
        "acked": True,
        "conn": "1",
        "from": "news@example.org",
        "rcpts": ["ana@example.org"],
        "size": len(PLAIN),
        "message_id": "<1@example.org>",
        "subject": "Your views",
        "raw": PLAIN.decode(),
        "ts": mail.ts,
    }


def test_bytes_that_are_no_text_are_kept_as_base64_and_come_back(tmp_path):
    raw = b"Subject: \xff\xfe\r\n\r\n\xff\r\n"
    keep(MailStore(tmp_path / "mails.jsonl"), raw)

    line = json.loads((tmp_path / "mails.jsonl").read_text())
    again = MailStore(tmp_path / "mails.jsonl")

    assert "raw" not in line
    assert line["raw_b64"] == "U3ViamVjdDog//4NCg0K/w0K"
    assert [mail.raw for mail in again.all()] == [raw]


def test_the_mails_of_the_last_time_are_still_there_also_after_a_kill_in_mid_write(tmp_path):
    file = tmp_path / "mails.jsonl"
    keep(MailStore(file))
    with file.open("a") as half:
        half.write('{"event": "accepted", "raw": "Subj')

    again = MailStore(file)
    keep(again)

    assert [mail.number for mail in MailStore(file).all()] == [1, 2]


def test_only_the_newest_mails_are_held(monkeypatch):
    monkeypatch.setattr(store_module, "MOST_MAILS", 3)
    store = MailStore()

    for _ in range(5):
        keep(store)

    assert [mail.number for mail in store.all()] == [3, 4, 5]


def test_large_mails_push_older_ones_out_but_the_newest_stays(monkeypatch):
    monkeypatch.setattr(store_module, "MOST_BYTES", 10)
    store = MailStore()

    keep(store, b"12345678")
    keep(store, b"123456789012345")

    assert [mail.number for mail in store.all()] == [2]


HOSTILE = (
    b"Subject: =?utf-8?q?=E2=80=AE?= <script>alert('subject')</script>\r\n"
    b"From: \"<img src=x onerror=alert('from')>\" <a@b.example>\r\n"
    b"X-Evil<script>: </td><script>alert('header')</script>\r\n"
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=no-such-charset\r\n\r\n</pre><script>alert('text')</script>\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<html><head></head><script>alert('html')</script></html>\r\n--b--\r\n"
)


@pytest.mark.parametrize("target", ["/", "/mails/1/"])
def test_nothing_of_a_hostile_mail_becomes_markup_of_the_mailbox(target):
    store = MailStore()
    keep(store, HOSTILE, to="<script>alert('rcpt')</script>@example.org")

    page = shown(store, target)

    assert re.findall(r"<script[^>]*>", page) == ['<script src="/static/mailbox.js" defer>']
    assert "<img" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(&#x27;subject&#x27;)" in page


def test_the_html_of_a_mail_can_run_nothing_read_nothing_and_reach_nobody():
    store = MailStore()
    keep(store, HOSTILE)

    html = answer(store, "/mails/1/html")
    frame = re.search(r"<iframe[^>]*>", shown(store, "/mails/1/"))[0]
    policy = dict(rule.strip().partition(" ")[::2] for rule in html.policy.split(";"))

    assert b"alert('html')" in html.body
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert set(policy["img-src"].split()) == {"data:", "http://localhost:*", "http://127.0.0.1:*"}
    assert f'sandbox="{policy["sandbox"]}"' in frame


def test_the_source_is_a_download_and_nothing_a_browser_would_show():
    store = MailStore()
    keep(store, HOSTILE)

    source = answer(store, "/mails/1/source")

    assert source.body == HOSTILE
    assert source.headers["Content-Disposition"] == 'attachment; filename="mail-1.eml"'
    assert source.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"no header at all",
        b"Subject: =?utf-8?b?!!!?= =?x?q?=FF?= =?utf-8?b?YQ?=\r\n\r\n",
        b"Subject: a\r\n b\r\n\tc\r\nContent-Type: ;;;\r\n\r\nx",
        b"Content-Type: text/plain; charset*=x'y'%ff\r\n\r\nx",
        b"Content-Type: multipart/mixed\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\nx",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: uuencode\r\n\r\nbegin\r\n",
        b"Content-Type: text/html; charset=idna\r\n\r\n\xff",
        b"Content-Type: message/rfc822\r\n\r\nContent-Type: text/plain\r\n\r\nx",
        b"Subject: \xff\xfe\x00\r\n\r\n\xff",
        b"A: b\r\n" * 10_000 + b"\r\n",
    ],
)
def test_a_broken_mail_is_still_shown(raw):
    store = MailStore()
    keep(store, raw)

    for target in ("/", "/mails/1/", "/mails/1/html", "/mails/1/source", "/mails.json"):
        assert answer(store, target).status == 200


def test_a_folded_and_encoded_subject_reads_as_one_line():
    raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_an_alle?=\r\n\r\n"

    assert read(raw).subject == "Grüße an alle"


@pytest.mark.parametrize("target", ["/mails/2/", "/mails/x/", "/static/../store.py", "/static/base.html", "/x"])
def test_what_is_not_there_is_a_404(target):
    store = MailStore()
    keep(store)

    assert answer(store, target).status == 404


def test_a_page_elsewhere_that_names_itself_localhost_by_dns_gets_nothing():
    store = MailStore()
    keep(store)
    with served(store) as url:
        request = urllib.request.Request(url, headers={"Host": "evil.example:80"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)

        with refused.value:
            assert refused.value.code == 421
            assert "Your views" not in refused.value.read().decode()


def test_waiting_for_the_next_mail_ends_when_it_comes():
    store = MailStore()
    keep(store)
    with served(store) as url:
        threading.Timer(0.2, keep, [store]).start()
        with urllib.request.urlopen(f"{url}/mails.json?after=1&wait=20") as response:
            mails = json.load(response)

    assert [mail["number"] for mail in mails] == [2]
    assert mails[0]["rcpts"] == ["ana@example.org"]


def test_a_tab_that_is_closed_while_it_waits_is_no_news(capfd):
    store = MailStore()
    with served(store) as url:
        tab = http.client.HTTPConnection(urlsplit(url).netloc)
        tab.request("GET", "/")
        tab.getresponse().read()
        [handler] = [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
        tab.request("GET", "/newest.json?after=0&wait=20")
        # A reset, as a browser sends it that is closed.
        tab.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tab.close()
        keep(store)
        handler.join(10)
        assert not handler.is_alive()
    assert capfd.readouterr() == ("", "")


def test_any_other_fault_of_the_mailbox_is_told(capfd):
    with web_server(MailStore(), port=0) as server:
        try:
            int("no number")
        except ValueError:
            server.handle_error(None, ("127.0.0.1", 1))
    assert "no number" in capfd.readouterr().err


def test_times_are_those_of_the_site_and_say_so(settings):
    settings.TIME_ZONE = "Asia/Kolkata"
    store = MailStore()
    mail = keep(store)
    there = datetime.fromtimestamp(mail.ts, ZoneInfo("Asia/Kolkata"))
    assert f"{there:%H:%M:%S}</time>" in shown(store, "/")
    assert "times of Asia/Kolkata" in shown(store, "/")
    assert f"{there:%H:%M:%S} IST</time>" in shown(store, "/mails/1/")


def test_numbers_that_are_none_are_refused():
    assert answer(MailStore(), "/mails.json?after=x").status == 400
