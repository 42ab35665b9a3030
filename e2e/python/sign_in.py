#!/usr/bin/env python3
"""Signs a patient in at a member under AIDC-1: a second reading of docs/aidc1.md and docs/aidc1-api.md.

  python3 e2e/python/sign_in.py --genesis genesis.json --member clinic-a --seed-file FILE [--receipt OUT.json]
  python3 e2e/python/sign_in.py --genesis genesis.json --member clinic-a --server-excerpt OUT.json
  python3 e2e/python/sign_in.py --genesis genesis.json --member clinic-a --read-excerpt FILE.json

Exit codes: 0 it worked, 2 given wrongly, 3 nobody answered, 4 refused, 5 something did not check, 7 no receipt in
time, 8 a file is wrong, 9 the clocks disagree. An error is one JSON object on standard output and a line on standard
error.
"""

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

try:
    import aidc1
    import receipt as receipts
    from excerpt import Excerpt
    from ledger import Ahead, Genesis, NotValid, aid_text, must, parse_json
    from net import ANSWER_BYTES_MAX, Member, Refused, Unreachable, WrongKey
except ImportError as missing:
    print(f"sign_in: {missing}: `pip install -r e2e/python/requirements.txt` installs what it needs", file=sys.stderr)
    sys.exit(8)

UNREACHABLE, REFUSED, NOT_VALID, TOO_LATE, BAD_FILE, CLOCK = 3, 4, 5, 7, 8, 9
SUITE = "0x0001"
# What a member tells besides that it refused: the clocks disagree; it does not answer for this key epoch.
CLOCK_CODE, EPOCH_CODE = "AC0430", "AC0433"
RECEIPT_PATIENCE_S = 60


class Ended(Exception):
    def __init__(self, exit_code, why, code=None):
        super().__init__(why)
        self.exit_code, self.code = exit_code, code


def now_ms():
    return time.time_ns() // 1_000_000


def read(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Ended(BAD_FILE, f"{path}: {error.strerror}") from None


def founded(path):
    try:
        return Genesis(read(path))
    except NotValid as error:
        raise Ended(BAD_FILE, f"{path}: {error}") from None


def member_of(genesis, name):
    for member in genesis.members:
        if member.name == name:
            return member
    raise Ended(BAD_FILE, f"the genesis file names no member {name!r}")


def seed_of(path):
    digits = read(path).decode("ascii", "replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise Ended(BAD_FILE, f"{path}: a seed is 64 hex digits")
    return bytes.fromhex(digits)


def certified_record(body, genesis, member, now):
    """The server's record in force, and the header under which it stands."""
    excerpt = Excerpt(body, genesis, now)
    found = excerpt.server_record(member.server_id, now)
    found.admissible(excerpt.header.time)
    return found, excerpt.header


def said(**values):
    print(json.dumps({"schema": "aidchain.second/1", **values}))


def read_excerpt(genesis, member, body):
    found, header = certified_record(body, genesis, member, now_ms())
    said(server=member.name, key_epoch=found.key_epoch, height=header.height)


def handshake(connection, genesis, member, keys):
    """The session and the server's answer to it."""
    _, body = connection.ask("GET", "/v1/server")
    found, header = certified_record(body, genesis, member, now_ms())
    hello = aidc1.Hello(keys, genesis.chain, found, header.height, header.time, now_ms(), os.urandom(32))
    _, me7 = connection.ask("POST", "/v1/sign-in/hello", hello.me5, aidchain_suite=SUITE)
    session = hello.verify(me7, now_ms())
    _, answer = connection.ask(
        "POST", "/v1/sign-in/confirm", session.me9(), aidchain_suite=SUITE, aidchain_session=session.sid.hex()
    )
    return session, session.answer(answer)


def receipt_of(connection, genesis, session):
    """The receipt's JSON and the height that it proves."""
    last = time.monotonic() + RECEIPT_PATIENCE_S
    while time.monotonic() < last:
        status, body = connection.ask("GET", f"/v1/sessions/{session.sid.hex()}?wait_ms=5000")
        if status == 200:
            answer = parse_json(body, "the session", ANSWER_BYTES_MAX)
            must(isinstance(answer, dict) and answer.get("status") == "committed", "the session is not committed")
            return answer.get("receipt"), receipts.height_of(answer.get("receipt"), genesis, session.result(), now_ms())
        time.sleep(0.1)
    raise Ended(TOO_LATE, f"no receipt within {RECEIPT_PATIENCE_S} s; the server goes on handing the sign-in in")


def sign_in(connection, genesis, member, arguments):
    keys = aidc1.Keys(seed_of(arguments.seed_file))
    if arguments.aid is not None:
        keys.aid = bytes.fromhex(arguments.aid)
    try:
        session, (status, height) = handshake(connection, genesis, member, keys)
    except Refused as error:
        if error.code != EPOCH_CODE:
            raise
        # Its key was renewed since it told its record: it is read again, once.
        session, (status, height) = handshake(connection, genesis, member, keys)
    proof, proved = receipt_of(connection, genesis, session)
    if status == aidc1.RECORDED:
        must(proved == height, f"the server said block {height}, its receipt proves block {proved}")
    if arguments.receipt:
        Path(arguments.receipt).write_text(json.dumps(proof))
    name = {aidc1.RECORDED: "recorded", aidc1.ACCEPTED: "accepted"}[status]
    said(server=member.name, aid=aid_text(keys.aid), sid=session.sid.hex(), status=name, height=proved)


def run(arguments):
    genesis = founded(arguments.genesis)
    member = member_of(genesis, arguments.member)
    if arguments.read_excerpt:
        return read_excerpt(genesis, member, read(arguments.read_excerpt))
    connection = Member(member)
    try:
        if not arguments.server_excerpt:
            return sign_in(connection, genesis, member, arguments)
        _, body = connection.ask("GET", "/v1/server")
        read_excerpt(genesis, member, body)
        return Path(arguments.server_excerpt).write_bytes(body)
    finally:
        connection.close()


def judged(arguments):
    """Runs, and turns every way in which it may end into its exit code."""
    try:
        return run(arguments)
    except Unreachable as error:
        raise Ended(UNREACHABLE, str(error)) from None
    except Refused as error:
        busy, clock = error.status == 503, error.code == CLOCK_CODE
        raise Ended(UNREACHABLE if busy else CLOCK if clock else REFUSED, str(error), error.code) from None
    except (WrongKey, NotValid) as error:
        raise Ended(CLOCK if isinstance(error, Ahead) else NOT_VALID, str(error)) from None
    except aidc1.Failed as error:
        clock = error.reason == aidc1.EXPIRED
        why = "this clock and the ledger's disagree, or the server's record has ended" if clock else error
        raise Ended(CLOCK if clock else NOT_VALID, f"what the server sent is not taken: {why}") from None


def parsed(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genesis", required=True, metavar="FILE")
    parser.add_argument("--member", required=True, metavar="NAME")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed-file", metavar="FILE", help="sign in with this seed, 64 hex digits")
    what.add_argument("--server-excerpt", metavar="OUT", help="only write the servers' certified records")
    what.add_argument("--read-excerpt", metavar="FILE", help="only check such a file, without a network")
    parser.add_argument("--receipt", metavar="OUT", help="where the receipt goes")
    parser.add_argument("--aid", metavar="HEX", help="claim this AID in place of the seed's own: must be refused")
    return parser.parse_args(words)


def main(words=None):
    try:
        judged(parsed(words))
    except Ended as ended:
        said(error=str(ended), code=ended.code, exit=ended.exit_code)
        print(f"sign_in: {ended}", file=sys.stderr)
        return ended.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
