"""The dialogue about a message, against servers that follow a script."""

import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.smtp_servers import CLOSE, EHLO_PLAIN
from wagtail_lifecycle.transport import Fault, Scope, Verdict
from wagtail_lifecycle.transport.replies import Garbled, Wire
from wagtail_lifecycle.transport.session import Envelope, stuffed

ANA = Envelope("news@example.org", ("ana@reader.example.com",))
BEN = Envelope("news@example.org", ("ben@reader.example.com",))
RAW = b"Subject: News\r\n\r\nHello\r\n.a line with a dot\r\nBye\r\n"


@contextlib.contextmanager
def session_with(server, **options):
    session = server.backend(**options).connect()
    try:
        yield session
    finally:
        session.quit()


# -- The order of things -------------------------------------------------------------------------------------


def test_a_message_arrives_as_it_was_prepared(scripted_smtp):
    server = scripted_smtp()
    with session_with(server) as session:
        assert session.send(ANA, RAW).verdict is Verdict.ACCEPTED
    assert server.messages == [RAW]
    assert server.verbs == ["EHLO", "MAIL", "RCPT", "DATA", "DOT", "QUIT"]


def test_a_server_that_does_not_pipeline_is_asked_step_by_step(scripted_smtp):
    server = scripted_smtp(EHLO=EHLO_PLAIN, MAIL=[b"250 ok\r\n", b"451 4.7.1 slow down\r\n"])
    with session_with(server) as session:
        assert session.send(ANA, RAW).verdict is Verdict.ACCEPTED
        assert session.send(ANA, RAW).verdict is Verdict.TEMPORARY
    # No RCPT and no DATA after the refused MAIL.
    assert server.verbs == ["EHLO", "MAIL", "RCPT", "DATA", "DOT", "MAIL", "QUIT"]


@pytest.mark.parametrize("ehlo", [EHLO_PLAIN, b"250-a\r\n250 PIPELINING\r\n"])
def test_after_a_refusal_the_session_is_reset_and_goes_on(scripted_smtp, ehlo):
    server = scripted_smtp(
        EHLO=ehlo, RCPT=[b"550 5.1.1 unknown\r\n", b"250 ok\r\n"], DATA=[b"503 5.5.1 no\r\n", b"354 go\r\n"]
    )
    if ehlo == EHLO_PLAIN:
        server._answers["DATA"] = [b"354 go\r\n"]
    with session_with(server) as session:
        assert session.send(ANA, RAW).verdict is Verdict.PERMANENT
        assert session.send(BEN, RAW).verdict is Verdict.ACCEPTED
    assert "RSET" in server.verbs
    assert server.messages == [RAW]


def test_the_body_is_out_and_the_dot_is_not_when_before_dot_is_called(scripted_smtp):
    server = scripted_smtp()
    seen = []
    with session_with(server) as session:
        session.send(ANA, RAW, before_dot=lambda: seen.append(server.messages))
    assert seen == [[]]
    assert server.messages == [RAW]


def test_an_error_before_the_dot_keeps_the_message_back_and_is_passed_on(scripted_smtp):
    server = scripted_smtp()

    def fail():
        raise ConnectionError("the database is gone")

    with session_with(server) as session:
        with pytest.raises(ConnectionError, match="the database is gone"):
            session.send(ANA, RAW, before_dot=fail)
        assert not session.is_usable
    server.stop()
    assert server.messages == []
    assert server.verbs[-1] == "CUT"


# -- The next envelope with this body ------------------------------------------------------------------------


def test_the_next_envelope_can_travel_with_the_dot(scripted_smtp):
    server = scripted_smtp()
    with session_with(server) as session:
        assert session.send(ANA, RAW, following=BEN).verdict is Verdict.ACCEPTED
        assert session.is_ready_for(BEN)
        assert not session.is_ready_for(ANA)
        assert session.send(BEN, RAW).verdict is Verdict.ACCEPTED
    assert server.verbs == ["EHLO", "MAIL", "RCPT", "DATA", "DOT", "MAIL", "RCPT", "DATA", "DOT", "QUIT"]


def test_another_letter_than_the_announced_one_is_not_sent_over_that_session(scripted_smtp):
    server = scripted_smtp()
    with session_with(server) as session:
        session.send(ANA, RAW, following=BEN)
        assert session.send(ANA, RAW).verdict is Verdict.CONNECTION
        assert not session.is_usable
    server.stop()
    assert server.messages == [RAW]


def test_the_announced_recipient_may_be_refused(scripted_smtp):
    server = scripted_smtp(
        RCPT=[b"250 ok\r\n", b"550 5.1.1 no\r\n", b"250 ok\r\n"], DATA=[b"354 a\r\n", b"503 b\r\n", b"354 c\r\n"]
    )
    with session_with(server) as session:
        assert session.send(ANA, RAW, following=BEN).verdict is Verdict.ACCEPTED
        assert session.send(BEN, RAW).verdict is Verdict.PERMANENT
        assert session.send(ANA, RAW).verdict is Verdict.ACCEPTED


def test_a_refused_message_leaves_the_announced_one_alone(scripted_smtp):
    server = scripted_smtp(DOT=[b"554 5.7.1 spam\r\n", b"250 ok\r\n"])
    with session_with(server) as session:
        assert session.send(ANA, RAW, following=BEN).scope is Scope.MESSAGE
        assert session.send(BEN, RAW).verdict is Verdict.ACCEPTED


# -- Refusals ------------------------------------------------------------------------------------------------


def test_a_server_that_wants_a_message_to_nobody_gets_a_lone_dot(scripted_smtp):
    server = scripted_smtp(RCPT=[b"550 5.1.1 no\r\n", b"250 ok\r\n"], DOT=[b"554 5.5.1 nobody\r\n", b"250 ok\r\n"])
    with session_with(server) as session:
        outcome = session.send(ANA, RAW)
        assert (outcome.verdict, outcome.detail) == (Verdict.PERMANENT, "550 5.1.1 no")
        assert session.send(BEN, RAW).verdict is Verdict.ACCEPTED
    assert server.messages == [b"", RAW]


def test_a_refusal_counts_even_if_the_server_hangs_up_right_after_it(scripted_smtp):
    server = scripted_smtp(MAIL=b"550 5.7.515 not authenticated\r\n" + CLOSE)
    with session_with(server) as session:
        outcome = session.send(ANA, RAW)
        assert (outcome.verdict, outcome.reason) == (Verdict.SENDER_FAULT, Fault.REJECTED)
        assert not session.is_usable


def test_one_of_two_recipients_is_enough(scripted_smtp):
    server = scripted_smtp(RCPT=[b"550 5.1.1 no\r\n", b"250 ok\r\n"])
    with session_with(server) as session:
        both = Envelope("news@example.org", ("ana@example.com", "ben@example.com"))
        assert session.send(both, RAW).verdict is Verdict.ACCEPTED


def test_a_message_that_is_too_big_is_not_even_offered(scripted_smtp):
    server = scripted_smtp(EHLO=b"250-a\r\n250 SIZE 10\r\n")
    with session_with(server) as session:
        outcome = session.send(ANA, RAW)
        assert (outcome.verdict, outcome.scope) == (Verdict.PERMANENT, Scope.MESSAGE)
        assert "at most 10" in outcome.detail
        assert session.is_usable
    assert "MAIL" not in server.verbs


def test_the_size_is_told_where_the_server_asks_for_it(scripted_smtp):
    server = scripted_smtp(EHLO=b"250-a\r\n250 SIZE 1000\r\n")
    with session_with(server) as session:
        session.send(ANA, RAW)
    assert ("MAIL", b"MAIL FROM:<news@example.org> SIZE=%d\r\n" % len(RAW)) in server.heard


# -- Losses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ehlo", [EHLO_PLAIN, b"250-a\r\n250 PIPELINING\r\n"])
@pytest.mark.parametrize(
    "answer", [CLOSE, b"421 4.3.2 closing\r\n" + CLOSE, b"hello?\r\n", b"334 what\r\n", b"250-a\r\n251 b\r\n"]
)
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_before_the_dot_only_the_connection_is_lost(scripted_smtp, ehlo, answer, verb):
    server = scripted_smtp(EHLO=ehlo, **{verb: answer})
    with session_with(server) as session:
        outcome = session.send(ANA, RAW)
        assert (outcome.verdict, outcome.scope) == (Verdict.CONNECTION, Scope.CONNECTION)
        assert not session.is_usable
    server.stop()
    assert server.messages == []


@pytest.mark.parametrize(
    "answer",
    [
        CLOSE,
        b"garbage\r\n",
        b"250",
        b"250 almost" + CLOSE,
        b"250-more to come\r\n" + CLOSE,
        b"250-a\r\n550 b\r\n",
        b"354 again\r\n",
        b"199 what\r\n",
        b"2500 ok\r\n",
        b"-1\r\n",
        b"\r\n",
    ],
)
def test_after_the_dot_anything_but_a_clear_reply_is_uncertain(scripted_smtp, answer):
    server = scripted_smtp(DOT=answer)
    with session_with(server, timeout=0.3) as session:
        outcome = session.send(ANA, RAW)
        assert (outcome.verdict, outcome.scope) == (Verdict.UNCERTAIN, Scope.AMBIGUOUS)
        assert not session.is_usable


def test_421_in_answer_to_the_dot_is_a_refusal_of_the_connection(scripted_smtp):
    server = scripted_smtp(DOT=b"421 4.3.2 shutting down\r\n" + CLOSE)
    with session_with(server) as session:
        assert session.send(ANA, RAW).verdict is Verdict.CONNECTION
        assert not session.is_usable


def test_after_250_and_421_this_one_is_sent_and_the_next_never_begun(scripted_smtp):
    server = scripted_smtp(DOT=b"250 2.0.0 ok\r\n421 4.4.2 enough\r\n" + CLOSE)
    with session_with(server) as session:
        assert session.send(ANA, RAW).verdict is Verdict.ACCEPTED
        assert not session.is_ready_for(BEN)
        assert session.send(BEN, RAW).verdict is Verdict.CONNECTION
    assert server.verbs.count("MAIL") <= 2
    assert server.messages == [RAW]


def test_a_server_that_hangs_up_during_the_body_never_gets_the_dot(scripted_smtp):
    server = scripted_smtp(DATA=b"354 go\r\n421 4.4.2 too late\r\n" + CLOSE)
    with session_with(server) as session:
        assert session.send(ANA, RAW).verdict is Verdict.CONNECTION
    server.stop()
    assert server.messages == []


def test_replies_of_several_lines_are_one_reply(scripted_smtp):
    server = scripted_smtp(DOT=b"554-5.7.1 first\r\n554-second\r\n554 third\r\n")
    with session_with(server) as session:
        assert session.send(ANA, RAW).detail == "554 5.7.1 first second third"


# -- Octets --------------------------------------------------------------------------------------------------


def unstuffed(wire: bytes) -> bytes:
    """What a server makes of it (RFC 5321 4.5.2)."""
    lines = wire.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


@given(st.lists(st.text(alphabet=".ab ", max_size=6), max_size=12))
def test_stuffed_dots_are_taken_out_again_and_no_line_ends_the_message(lines):
    raw = "".join(f"{line}\r\n" for line in lines).encode()
    wire = stuffed(raw)
    assert unstuffed(wire) == raw
    assert b"." not in wire.split(b"\r\n")


def test_a_message_without_an_end_of_line_gets_one():
    assert stuffed(b"a") == b"a\r\n"
    assert stuffed(b"") == b""


@pytest.mark.parametrize(
    "address", ["a@b>\r\nRCPT TO:<c@d", "a@b\r\nDATA", "ä@example.org", "a<b@example.org", "a\x00@b"]
)
def test_an_envelope_takes_no_address_that_could_be_a_command(address):
    with pytest.raises(ValueError, match="characters that SMTP does not take"):
        Envelope("news@example.org", (address,))
    with pytest.raises(ValueError, match="characters that SMTP does not take"):
        Envelope(address, ("ana@example.org",))


# -- Replies -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def wire_that_hears(*pieces):
    ours, theirs = socket.socketpair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: [theirs.sendall(piece) for piece in pieces])
        yield Wire(ours)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_reply_may_come_in_pieces(size):
    said = b"250-one\r\n250 two\r\n354\r\n"
    with wire_that_hears(*[said[i : i + size] for i in range(0, len(said), size)]) as wire:
        assert str(wire.read(5)) == "250 one\ntwo"
        assert wire.read(5).code == 354


def test_a_line_without_end_is_no_reply():
    with wire_that_hears(b"250 " + b"x" * 10_000) as wire, pytest.raises(Garbled):
        wire.read(5)


def test_a_reply_without_end_is_no_reply():
    with wire_that_hears(b"250-x\r\n" * 1000) as wire, pytest.raises(Garbled):
        wire.read(5)


def test_a_server_that_trickles_does_not_get_more_time_for_it():
    with wire_that_hears(b"2") as wire, pytest.raises(TimeoutError):
        wire.read(0.05)


def test_what_was_not_asked_for_is_heard():
    with wire_that_hears() as wire:
        assert wire.is_silent
    with wire_that_hears(b"421 bye\r\n250 x\r\n") as wire:
        wire.read(5)
        assert not wire.is_silent
