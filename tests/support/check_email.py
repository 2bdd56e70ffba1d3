#!/usr/bin/env python3
# A copy of the standards checker; kept as it came.
"""Check raw email messages against the standards and the bulk-sender rules.

Standard library only (Python 3.9+).  Input: ``.eml`` files, folders of them, or
JSONL files whose lines hold a message as ``raw`` (text) or ``raw_b64`` (as
written by ``faulty_smtpd.py --store raw``); the envelope fields ``from`` and
``rcpts`` of such a line are checked against the message too.

Each failure names a check, its severity and the clause it rests on.  ``--list``
prints every check.  The exit status is 1 if any error (with ``--strict``: any
error or warning) was found, 0 if none, and 2 if nothing could be read.

    check_email.py --profile bulk --domain example.org mail.jsonl
    check_email.py --profile transactional --json verification.eml

Profiles: ``bulk`` adds the list and unsubscribe checks (B..); ``transactional``
applies the rest only.  ``auto`` (default) takes a message that carries
List-Unsubscribe or List-Id as bulk.  A transactional message is never reported
for lacking an unsubscribe header.
"""

from __future__ import annotations

import argparse
import base64
import email
import email.policy
import email.utils
import json
import os
import re
import sys
from collections import Counter
from email.header import decode_header, make_header
from html.parser import HTMLParser
from urllib.parse import urlsplit

#: id -> (severity, clause, what it asserts)
CHECKS = {
    "S01": ("error", "RFC 5322 2.3", "CR and LF occur only together"),
    "S02": ("error", "RFC 5322 2.1.1", "no line is longer than 998 octets"),
    "S03": ("error", "RFC 5322 2.2", "every header line is 'Name: value' or a folded continuation"),
    "S04": ("error", "RFC 5322 2.2 / RFC 6532", "headers hold ASCII only (unless --smtputf8)"),
    "S05": ("error", "RFC 5322 3.6", "each single-occurrence header occurs at most once"),
    "S06": ("error", "RFC 5322 3.6", "Date, From and Message-ID are present"),
    "S07": ("error", "RFC 5322 3.3", "Date is valid and carries a zone"),
    "S08": ("error", "RFC 5322 3.6.4", "Message-ID is <left@right>, right being a public-looking domain"),
    "S09": ("error", "RFC 5322 3.6.2", "From holds a valid address (and Sender if several)"),
    "S10": ("error", "RFC 5322 3.6.3", "To names the envelope recipient and nobody else; no Bcc"),
    "S11": ("error", "RFC 2047 2, 5", "encoded-words are well formed, decodable and outside quoted strings"),
    "S12": ("error", "RFC 5322 2.2", "decoded header values hold no control characters"),
    "S13": ("error", "product", "Subject is present and not empty"),
    "S14": ("error", "product", "no unrendered template syntax in Subject or body"),
    "S15": ("error", "RFC 5322 3.6.4", "Message-ID is used for one message and recipient only"),
    "S16": ("error", "product", "From uses the expected domain (--domain)"),
    "S17": ("warning", "RFC 2047 2", "encoded-words have at most 75 characters, on lines of at most 76 "
            "(Python's and Django's default folding at 78 breaks this)"),
    "M01": ("error", "RFC 2045 4", "MIME-Version: 1.0 is present"),
    "M02": ("error", "RFC 2046 5.1.4", "alternatives: text/plain first, text/html after it"),
    "M03": ("error", "RFC 2045 5.2, RFC 2046 4.1.2", "each text part names a charset and decodes under it"),
    "M04": ("error", "RFC 2045 6", "transfer encodings are valid and match their content"),
    "M05": ("error", "RFC 2045 6.7, 6.8", "quoted-printable and base64 lines have at most 76 characters"),
    "M06": ("error", "RFC 2046 5.1", "the MIME structure parses without defects"),
    "M07": ("error", "product", "text and HTML bodies are not empty; the text body holds no markup"),
    "M08": ("error", "Gmail clipping", "the HTML body is at most 102 kB (102 * 1024 octets)"),
    "M09": ("error", "product", "links and images are absolute http(s), mailto or tel; none points at loopback"),
    "M10": ("error", "product", "no script, form, iframe, object, event handler or javascript: in HTML"),
    "M11": ("warning", "WCAG 1.1.1, 3.1.1", "images have alt; html has lang; title is set"),
    "B01": ("error", "RFC 2369 3.2, RFC 8058 3.1", "List-Unsubscribe holds exactly one https URI in angle brackets"),
    "B02": ("error", "RFC 8058 3.1", "List-Unsubscribe-Post is 'List-Unsubscribe=One-Click'"),
    "B03": ("error", "RFC 8058 3.1", "the unsubscribe URI is opaque: a token, no address in clear"),
    "B04": ("error", "RFC 8058 4", "a valid-looking DKIM-Signature covers both headers (--dkim, or when signed)"),
    "B05": ("error", "RFC 2919 2", "List-Id is '[phrase] <label.domain>'"),
    "B06": ("error", "RFC 3834 5.1", "Auto-Submitted is auto-generated (applies to every automatic message)"),
    "B07": ("error", "CAN-SPAM 16 CFR 316, Gmail", "HTML and text bodies both show an unsubscribe link"),
    "B08": ("error", "CAN-SPAM 15 USC 7704(a)(5)", "both bodies hold the postal address (--postal REGEX)"),
    "B09": ("warning", "Gmail Feedback Loop", "Feedback-ID has 1-4 fields, the last the sender id"),
    "B10": ("warning", "convention", "Precedence: bulk or list"),
    "E01": ("warning", "RFC 7489 3.1", "MAIL FROM is set and shares the organisational domain of From"),
    "E02": ("error", "RFC 5321 4.5.3.1", "addresses: local part at most 64, whole at most 254 octets"),
}

SINGLE = {"date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references",
          "subject", "mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe",
          "list-unsubscribe-post", "list-id", "auto-submitted", "feedback-id", "precedence"}
ENCODED_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?\s]*)\?=")
LOOSE_WORD = re.compile(r"=\?[^\s?]+\?[bBqQ]\?")
TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}|<mj-|<mjml", re.I)
MARKUP = re.compile(r"</?(?:p|div|span|td|tr|table|a|br|img|strong|em|h[1-6])\b[^>]*>|&(?:nbsp|amp|lt|gt|quot|#\d+);", re.I)
LOOPBACK = re.compile(r"^(localhost|127\.|0\.0\.0\.0|\[?::1\]?$)", re.I)
ADDR_SPEC = re.compile(r"^[^\s@<>\"(),:;\[\]\\]+@[^\s@<>()]+$")


class Page(HTMLParser):
    """Collect from an HTML body what the checks look at."""

    URL_ATTRS = {"href", "src", "background", "action", "poster", "formaction"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.urls, self.active, self.missing_alt = [], [], 0
        self.lang = self.title = False
        self.in_title, self.text, self.skip = False, [], 0

    def handle_starttag(self, tag, attrs):
        values = {k: v or "" for k, v in attrs}
        if tag == "html":
            self.lang = bool(values.get("lang"))
        if tag in ("script", "form", "iframe", "object", "embed", "base", "applet") or (
                tag == "meta" and values.get("http-equiv", "").lower() == "refresh"):
            self.active.append(f"<{tag}>")
        if tag == "img" and "alt" not in values:
            self.missing_alt += 1
        for key, value in values.items():
            if key.startswith("on"):
                self.active.append(f"{tag} {key}=")
            if key in self.URL_ATTRS and not (tag == "link"):
                self.urls.append((tag, value.strip()))
            if "javascript:" in re.sub(r"[\s\0]", "", value).lower():
                self.active.append(f"{tag} {key}=javascript:")
        self.in_title = self.in_title or tag == "title"
        self.skip += tag in ("style", "title")

    def handle_endtag(self, tag):
        if tag in ("style", "title"):
            self.skip, self.in_title = max(0, self.skip - 1), False

    def handle_data(self, data):
        if self.in_title and data.strip():
            self.title = True
        if not self.skip:
            self.text.append(data)


class Checker:
    """Run every check over messages and keep what is needed across them."""

    def __init__(self, options):
        self.options, self.seen_ids = options, {}

    def check(self, raw, envelope_from=None, rcpts=None):
        """Return the failures of one message: a list of (id, detail)."""
        found = []

        def fail(check, detail):
            if check not in self.options.ignore:
                found.append((check, detail))

        head, _, body = raw.partition(b"\r\n\r\n")
        fields = self.wire(raw, head, fail)
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        get = {}
        for name, value in fields:
            get.setdefault(name.lower(), []).append(value)
        self.headers(get, fields, rcpts, fail)
        text, html = self.mime(message, fail)
        profile = self.options.profile
        if profile == "auto":
            profile = "bulk" if "list-unsubscribe" in get or "list-id" in get else "transactional"
        page = self.html(html, fail) if html is not None else None
        subject = decoded(get.get("subject", [""])[0])
        for where, value in (("subject", subject), ("text", text or ""), ("html", html or "")):
            match = TEMPLATE.search(value)
            if match:
                fail("S14", f"{where}: {value[max(0, match.start() - 20):match.end() + 20]!r}")
        auto = [v.split(";")[0].strip().lower() for v in get.get("auto-submitted", [])]
        if auto != ["auto-generated"]:
            fail("B06", f"Auto-Submitted is {auto or 'absent'}")
        if profile == "bulk":
            self.bulk(get, text, page, rcpts, fail)
        self.envelope(get, envelope_from, rcpts, fail)
        return found

    # -- octets and header lines ------------------------------------------
    def wire(self, raw, head, fail):
        if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
            fail("S01", "bare CR or LF")
        longest = max((len(line) for line in re.split(rb"\r?\n", raw)), default=0)
        if longest > 998:
            fail("S02", f"a line of {longest} octets")
        if b"\0" in raw:
            fail("S12", "NUL octet")
        fields = []
        for line in re.split(rb"\r?\n", head):
            if line[:1] in (b" ", b"\t"):
                if not fields:
                    fail("S03", "continuation before the first header")
                else:
                    fields[-1][1] += "\n" + line.decode("utf-8", "replace")
                    if not line.strip():
                        fail("S03", "continuation line of white space only")
                continue
            name, colon, value = line.partition(b":")
            if not colon or not re.fullmatch(rb"[!-9;-~]+", name):
                fail("S03", f"not a header: {line[:60]!r}")
                continue
            fields.append([name.decode("ascii"), value.decode("utf-8", "replace")])
        if re.search(rb"[\x80-\xff]", head) and not self.options.smtputf8:
            fail("S04", "octets above 127 in the headers")
        for name, value in fields:
            for line in (name + ":" + value).split("\n"):
                if LOOSE_WORD.search(line) and len(line) > 76:
                    fail("S17", f"{name}: line of {len(line)} characters with an encoded-word")
            words = ENCODED_WORD.findall(value)
            if len(LOOSE_WORD.findall(value)) != len(words) and name.lower() in (
                    "subject", "from", "to", "sender", "reply-to", "list-id"):
                fail("S11", f"{name}: malformed encoded-word")
            for match in ENCODED_WORD.finditer(value):
                if len(match[0]) > 75:
                    fail("S17", f"{name}: encoded-word of {len(match[0])} characters")
                try:
                    str(make_header(decode_header(match[0])))
                except (LookupError, ValueError, email.errors.HeaderParseError) as error:
                    fail("S11", f"{name}: {error}")
            if re.search(r'"[^"]*=\?[^"]*\?="', value):
                fail("S11", f"{name}: encoded-word inside a quoted string")
            if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", decoded(value)):
                fail("S12", f"{name}: control character after decoding")
        return [(name, value) for name, value in fields]

    def headers(self, get, fields, rcpts, fail):
        for name, values in get.items():
            if name in SINGLE and len(values) > 1:
                fail("S05", f"{name} occurs {len(values)} times")
        for name in ("date", "from", "message-id"):
            if name not in get:
                fail("S06", f"{name} is missing")
        if "date" in get:
            parts = email.utils.parsedate_tz(get["date"][0])
            if not parts or not re.search(r"(?:[+-]\d{4}|UT|GMT|[ECMP][SD]T|Z)\s*(?:\([^()]*\)\s*)?$", get["date"][0].rstrip()):
                fail("S07", f"Date: {get['date'][0].strip()!r}")
        if "message-id" in get:
            value = get["message-id"][0].strip()
            match = re.fullmatch(r"<([^\s<>@]+)@([A-Za-z0-9.-]+)>", value)
            if not match:
                fail("S08", value)
            elif "." not in match[2].strip(".") or re.search(r"(^|\.)(localhost|localdomain|local|internal)$", match[2], re.I):
                fail("S08", f"{value}: not a public domain")
            key = (tuple(rcpts or ()), get.get("date", [""])[0].strip())
            if self.seen_ids.setdefault(value, key)[0] != key[0]:
                fail("S15", f"{value} also sent to {', '.join(self.seen_ids[value][0])}")
        if "from" in get:
            boxes = email.utils.getaddresses([unfold(get["from"][0])])
            if not boxes or not all(ADDR_SPEC.match(box[1]) for box in boxes):
                fail("S09", f"From: {get['from'][0].strip()!r}")
            elif len(boxes) > 1 and "sender" not in get:
                fail("S09", "several authors and no Sender")
            elif self.options.domain and not aligned(boxes[0][1], self.options.domain):
                fail("S16", boxes[0][1])
        if "bcc" in get:
            fail("S10", "Bcc header present")
        if rcpts:
            named = [box[1] for name in ("to", "cc") for value in get.get(name, ())
                     for box in email.utils.getaddresses([unfold(value)]) if box[1]]
            if sorted({n.lower() for n in named}) != sorted({r.lower() for r in rcpts}):
                fail("S10", f"To/Cc {named} for envelope {rcpts}")
            if len(rcpts) > 1:
                fail("S10", f"{len(rcpts)} recipients in one message")
        if not decoded(get.get("subject", [""])[0]).strip():
            fail("S13", "no subject")

    # -- MIME --------------------------------------------------------------
    def mime(self, message, fail):
        if [v.strip() for v in message.get_all("MIME-Version", [])] != ["1.0"]:
            fail("M01", f"MIME-Version: {message.get('MIME-Version')}")
        text = html = None
        for part in message.walk():
            kind = part.get_content_type()
            for defect in part.defects:
                fail("M06", f"{kind}: {type(defect).__name__}")
            encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
            if part.is_multipart():
                if encoding not in ("7bit", "8bit", "binary"):
                    fail("M04", f"{kind} with {encoding}")
                boundary = part.get_boundary()
                if boundary is None or len(boundary) > 70:
                    fail("M06", f"{kind}: boundary {boundary!r}")
                if kind == "multipart/alternative":
                    kinds = [leaf(child) for child in part.get_payload()]
                    if kinds[:1] != ["text/plain"] or "text/html" not in kinds[1:]:
                        fail("M02", f"alternatives in order {kinds}")
                continue
            self.transfer(part, kind, encoding, fail)
            if part.get_content_maintype() != "text" or part.get_filename():
                continue
            charset = part.get_content_charset()
            if not charset:
                fail("M03", f"{kind} without charset")
            try:
                value = (part.get_payload(decode=True) or b"").decode(charset or "us-ascii")
            except (LookupError, UnicodeDecodeError) as error:
                fail("M03", f"{kind}: {error}")
                value = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
            if kind == "text/plain" and text is None:
                text = value
            elif kind == "text/html" and html is None:
                html = value
        if html is not None and text is None:
            fail("M02", "HTML without a text alternative")
        if text is not None and not text.strip() or html is not None and not html.strip():
            fail("M07", "an empty body")
        if text is not None and html is not None:
            match = MARKUP.search(text)
            if match:
                fail("M07", f"markup in the text body: {match[0][:60]!r}")
        if html is not None and len(html.encode("utf-8", "replace")) > 102 * 1024:
            fail("M08", f"{len(html.encode('utf-8', 'replace'))} octets of HTML")
        return text, html

    def transfer(self, part, kind, encoding, fail):
        payload = part.get_payload()
        if not isinstance(payload, str):
            return
        lines = payload.replace("\r\n", "\n").split("\n")
        eight = any(ord(c) > 127 for c in payload)
        if encoding not in ("7bit", "8bit", "quoted-printable", "base64", "binary"):
            fail("M04", f"{kind}: unknown encoding {encoding!r}")
        if encoding != "8bit" and encoding != "binary" and eight:
            fail("M04", f"{kind}: octets above 127 under {encoding}")
        if encoding == "quoted-printable":
            if re.search(r"=(?![0-9A-Fa-f]{2}|\n|\r\n|$)", payload):
                fail("M04", f"{kind}: invalid quoted-printable escape")
            if any(line.endswith((" ", "\t")) for line in lines):
                fail("M04", f"{kind}: white space at the end of a quoted-printable line")
        if encoding == "base64" and re.search(r"[^A-Za-z0-9+/=\s]", payload):
            fail("M04", f"{kind}: characters outside base64")
        if encoding in ("quoted-printable", "base64") and max(map(len, lines), default=0) > 76:
            fail("M05", f"{kind}: a line of {max(map(len, lines))} characters")

    def html(self, html, fail):
        page = Page()
        page.feed(html)
        page.close()
        for tag, url in page.urls:
            parts = urlsplit(url) if _splits(url) else None
            if url.startswith("#") and tag == "a":
                continue
            if parts is None or parts.scheme.lower() not in ("http", "https", "mailto", "tel", "cid"):
                fail("M09", f"{tag}: {url[:80]!r}")
            elif parts.scheme.lower() in ("http", "https") and not parts.hostname:
                fail("M09", f"{tag}: {url[:80]!r} has no host")
            elif LOOPBACK.match(parts.hostname or "") and not self.options.allow_loopback:
                fail("M09", f"{tag}: {url[:80]!r} points at this machine")
        for item in page.active[:5]:
            fail("M10", item)
        if page.missing_alt:
            fail("M11", f"{page.missing_alt} images without alt")
        if not page.lang:
            fail("M11", "html without lang")
        if not page.title:
            fail("M11", "no title")
        return page

    # -- lists and envelope --------------------------------------------------
    def bulk(self, get, text, page, rcpts, fail):
        header = unfold(get.get("list-unsubscribe", [""])[0])
        uris = re.findall(r"<([^<>]*)>", header)
        https = [re.sub(r"\s", "", uri) for uri in uris if uri.strip().lower().startswith("https:")]
        plain = [uri for uri in uris if uri.strip().lower().startswith("http:")]
        if self.options.allow_http and not https:
            https, plain = plain, []
        if len(https) != 1 or plain:
            fail("B01", f"List-Unsubscribe: {header.strip()[:120]!r}")
        post = "".join(unfold(v).strip() for v in get.get("list-unsubscribe-post", []))
        if post != "List-Unsubscribe=One-Click":
            fail("B02", f"List-Unsubscribe-Post: {post!r}")
        if https:
            parts = urlsplit(https[0])
            if not re.search(r"[A-Za-z0-9_\-.:~%]{16,}", parts.path.rpartition("unsub")[2] + "?" + parts.query):
                fail("B03", f"no token of 16 characters in {https[0][:100]}")
            for rcpt in rcpts or ():
                for form in (rcpt, rcpt.replace("@", "%40"), base64.urlsafe_b64encode(rcpt.encode()).decode().rstrip("=")):
                    if form.lower() in https[0].lower():
                        fail("B03", "the address is readable in the unsubscribe URI")
                        break
        signatures = [re.sub(r"\s", "", v) for v in get.get("dkim-signature", [])]
        covered = any({"list-unsubscribe", "list-unsubscribe-post", "from"} <=
                      set((re.search(r"(?:^|;)h=([^;]*)", s) or ["", ""])[1].lower().split(":")) for s in signatures)
        if (signatures or self.options.dkim) and not covered:
            fail("B04", "no DKIM-Signature covers List-Unsubscribe and List-Unsubscribe-Post" if signatures else "not signed")
        list_id = unfold(get.get("list-id", [""])[0]).strip()
        if len(list_id) > 255 or not re.fullmatch(
                r"(?:[^<>]*\s)?<[A-Za-z0-9_~!#$%&'*+/=?^`{|}-]+(?:\.[A-Za-z0-9_-]+)+>", list_id):
            fail("B05", f"List-Id: {list_id!r}")
        pattern = re.compile(self.options.unsubscribe_words, re.I)
        if page is not None and not (pattern.search("".join(page.text)) and any(
                tag == "a" and pattern.search(url) or tag == "a" and https and url == https[0] for tag, url in page.urls)):
            fail("B07", "HTML body: no unsubscribe link")
        if text is not None and not any(pattern.search(line) for line in text.splitlines()):
            fail("B07", "text body: no unsubscribe link")
        elif text is not None and not re.search(r"https?://\S*", text):
            fail("B07", "text body: no link at all")
        if self.options.postal:
            postal = re.compile(self.options.postal, re.S)
            for where, value in (("text", text), ("HTML", "".join(page.text) if page else None)):
                if value is not None and not postal.search(value):
                    fail("B08", f"{where} body without the postal address")
        feedback = unfold(get.get("feedback-id", [""])[0]).strip()
        if not re.fullmatch(r"(?:[^:\s]*:){0,3}[^:\s]{3,}", feedback):
            fail("B09", f"Feedback-ID: {feedback!r}")
        if unfold(get.get("precedence", [""])[0]).strip().lower() not in ("bulk", "list"):
            fail("B10", "no Precedence")

    def envelope(self, get, envelope_from, rcpts, fail):
        author = email.utils.parseaddr(unfold(get.get("from", [""])[0]))[1]
        if envelope_from is not None and (not envelope_from or organisation(envelope_from) != organisation(author)):
            fail("E01", f"MAIL FROM {envelope_from!r}, From {author!r}")
        for address in [author, *(rcpts or ())]:
            local, _, _domain = address.rpartition("@")
            if len(local.encode()) > 64 or len(address.encode()) > 254:
                fail("E02", f"{address[:80]}")


def _splits(url):
    try:
        return urlsplit(url).hostname is None or True
    except ValueError:
        return False


def unfold(value):
    return re.sub(r"\r?\n(?=[ \t])", "", value)


def decoded(value):
    try:
        return str(make_header(decode_header(unfold(value).strip())))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return unfold(value).strip()


def leaf(part):
    """Type of a part, looking through multipart/related to its root."""
    if part.get_content_type() == "multipart/related" and part.get_payload():
        return leaf(part.get_payload()[0])
    return part.get_content_type()


def organisation(address):
    """The last two labels of a domain: enough for alignment in tests, no public suffix list."""
    return ".".join(address.rpartition("@")[2].lower().split(".")[-2:])


def aligned(address, domain):
    host = address.rpartition("@")[2].lower()
    return host == domain.lower() or host.endswith("." + domain.lower())


def messages(paths, crlf):
    """Yield (label, raw, envelope_from, rcpts) for every message found under ``paths``."""
    for path in paths:
        if os.path.isdir(path):
            yield from messages(sorted(os.path.join(path, n) for n in os.listdir(path)
                                       if n.endswith((".eml", ".jsonl", ".log"))), crlf)
        elif path.endswith((".jsonl", ".log")):
            with open(path, encoding="utf-8", errors="surrogateescape") as lines:
                for number, line in enumerate(lines, 1):
                    entry = json.loads(line) if line.strip() else {}
                    if "raw_b64" in entry:
                        raw = base64.b64decode(entry["raw_b64"])
                    elif entry.get("raw") is not None:
                        raw = entry["raw"].encode("utf-8", "surrogateescape")
                    else:
                        continue
                    yield f"{path}:{number}", raw, entry.get("from"), entry.get("rcpts")
        else:
            with open(path, "rb") as handle:
                raw = handle.read()
            if crlf or (b"\r\n" not in raw):
                raw = re.sub(rb"\r?\n", b"\r\n", raw)
            yield path, raw, None, None


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--profile", choices=("auto", "bulk", "transactional"), default="auto")
    parser.add_argument("--domain", help="domain expected in From")
    parser.add_argument("--postal", metavar="REGEX", help="postal address expected in bulk bodies")
    parser.add_argument("--unsubscribe-words", metavar="REGEX",
                        default=r"unsubscri|opt[ -]?out|preferences|abmelden|désabonn|désinscri",
                        help="what an unsubscribe link or its text looks like")
    parser.add_argument("--dkim", action="store_true", help="require a DKIM signature")
    parser.add_argument("--smtputf8", action="store_true", help="allow UTF-8 in headers (RFC 6532)")
    parser.add_argument("--allow-http", action="store_true", help="accept http: in List-Unsubscribe (test hosts)")
    parser.add_argument("--allow-loopback", action="store_true", help="accept links to this machine (test hosts)")
    parser.add_argument("--crlf", action="store_true", help="turn line ends of .eml files into CRLF first "
                        "(always done for a file without any CRLF)")
    parser.add_argument("--ignore", action="append", default=[], metavar="ID")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")
    parser.add_argument("--limit", type=int, default=50, help="failures printed in full; 0: all")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--list", action="store_true", help="print the checks and stop")
    options = parser.parse_args(argv)
    if options.list:
        for key, (severity, clause, text) in CHECKS.items():
            print(f"{key}  {severity:7}  {clause:32}  {text}")
        return 0
    checker, total, counts, report = Checker(options), 0, Counter(), []
    for label, raw, envelope_from, rcpts in messages(options.paths, options.crlf):
        total += 1
        for check, detail in checker.check(raw, envelope_from, rcpts):
            counts[check] += 1
            report.append({"message": label, "check": check, "severity": CHECKS[check][0],
                           "clause": CHECKS[check][1], "detail": detail})
    if not total:
        print("no message found", file=sys.stderr)
        return 2
    failing = sum(n for key, n in counts.items() if options.strict or CHECKS[key][0] == "error")
    if options.json:
        print(json.dumps({"messages": total, "counts": dict(sorted(counts.items())), "failures": report}, indent=1))
    else:
        for item in report[: options.limit or None]:
            print(f"{item['message']}: {item['check']} {item['severity']} ({item['clause']}): {item['detail']}")
        print(f"{total} messages; " + (", ".join(f"{k} x{n}" for k, n in sorted(counts.items())) or "no failures"))
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
