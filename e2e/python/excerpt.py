"""Reads an excerpt of the certified state with the genesis file alone (docs/aidc1-api.md, "Excerpts")."""

import struct

from aidc1 import ServerRecord
from ledger import certified_header, must, parse_json, record, sequence, state_value, text, unhex

EXCERPT_BYTES_MAX = 4 << 20
ENTRIES_MAX = 4096
KEYS = ("schema", "version", "chain", "kind", "entries", "header", "certificate", "epochs")


class Excerpt:
    """Entries under one certified header. None of them is believed before it is asked for."""

    def __init__(self, body, genesis, now):
        schema, version, chain, kind, entries, header, certificate, epochs = record(
            parse_json(body, "the excerpt", EXCERPT_BYTES_MAX), "the excerpt", KEYS
        )
        must(schema == "aidchain.excerpt/1" and version == 1, "this is no excerpt that this program reads")
        must(unhex(chain, "chain", 32) == genesis.chain, "the excerpt is of another ledger than the genesis file")
        must(kind == genesis.kind, f"the excerpt says {kind}, the genesis file {genesis.kind}")
        self.header = certified_header(genesis, header, certificate, epochs, now)
        self.proofs = dict(self.entry(raw) for raw in sequence(entries, "entries", ENTRIES_MAX))
        must(len(self.proofs) == len(entries), "the excerpt has an entry twice")

    @staticmethod
    def entry(raw):
        contract, key, proof = record(raw, "an entry", ("contract", "key", "proof"))
        return (text(contract, "contract"), unhex(key, "a key")), unhex(proof, "a proof")

    def value(self, contract, key):
        """The value under a key, None if its absence is proved; refused if the excerpt says nothing about it."""
        must((contract, key) in self.proofs, f"the excerpt says nothing about {contract} {key.hex()}")
        return state_value(self.proofs[contract, key], self.header.state_root, contract, key)

    def server_record(self, server_id, now):
        """The record of a server that is in force: the one of the greatest key epoch whose window has begun."""
        newest = self.value("servers", b"newest/" + server_id)
        must(newest is not None, "this server has published no key")
        must(len(newest) == 4, "the number of the newest key epoch has not 4 bytes")
        (newest,) = struct.unpack("<I", newest)
        prefix = b"record/" + server_id
        keys = [key for contract, key in self.proofs if contract == "servers" and key[:-4] == prefix]
        epochs = sorted((int.from_bytes(key[-4:], "big") for key in keys), reverse=True)
        must(epochs[:1] == [newest], "the excerpt has not the record of the newest key epoch as its last one")
        records = [self.record_of(server_id, epoch) for epoch in epochs]
        time = max(now, self.header.time)
        begun = [found for found in records if found.not_before <= time]
        return begun[0] if begun else records[0]

    def record_of(self, server_id, epoch):
        stored = self.value("servers", b"record/" + server_id + struct.pack(">I", epoch))
        must(stored is not None, f"there is no record of key epoch {epoch}")
        found = ServerRecord.decode(stored)
        must(found.server_id == server_id and found.key_epoch == epoch, "the record is of another server or key epoch")
        return found
