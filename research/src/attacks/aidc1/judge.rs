//! What is known of the victim: what the judge compares a claim with, what every member reads, and what a thief takes.

use super::Weakness;
use super::clinic::Clinic;
use crate::attacks::world::At;

impl Clinic {
    /// Her AID.
    pub(in crate::attacks) const fn aid(&self) -> [u8; 32] {
        *self.victim.aid().as_bytes()
    }

    /// Her SP, which the judge knows.
    pub(in crate::attacks) const fn anchor(&self) -> [u8; 32] {
        self.victim.sp
    }

    /// Whether this is her SP.
    pub(in crate::attacks) fn is_anchor(&self, found: Option<[u8; 32]>) -> bool {
        found == Some(self.victim.sp)
    }

    /// Whether this is her ID.
    pub(in crate::attacks) fn is_identity(&self, found: &str) -> bool {
        found == self.victim.id
    }

    /// The ledger's record of her, field by field.
    pub(in crate::attacks) fn row(&self) -> Vec<Vec<u8>> {
        let record = &self.victim.record;
        vec![
            record.aid.as_bytes().to_vec(),
            record.pk_dh.as_bytes().to_vec(),
            record.pk_sig.as_bytes().to_vec(),
            record.c_id.as_bytes().to_vec(),
            record.id_commit.as_bytes().to_vec(),
        ]
    }

    /// Salts that an attacker may try: none, her AID, and hers if it is known.
    pub(in crate::attacks) fn salts(&self) -> Vec<[u8; 32]> {
        let mut salts = vec![[0; 32], self.aid()];
        salts.extend(self.has(Weakness::Salt).then_some(self.victim.salt));
        salts
    }

    /// A copy of her card.
    pub(in crate::attacks) fn card(&mut self) -> Vec<u8> {
        let mut card = self.victim.card.encode(&self.victim.device);
        if self.has(Weakness::SecretOnCard) {
            card.extend(self.station(At::Here).secret.expose());
        }
        card
    }

    /// Secrets of patients, servers and evaluators: what no card may show.
    pub(in crate::attacks) fn secrets(&mut self) -> Vec<(&'static str, Vec<u8>)> {
        let here = self.station(At::Here).secret.expose().to_vec();
        let there = self.station(At::There).secret.expose().to_vec();
        let mut secrets = vec![
            ("a server's epoch key", here),
            ("a server's epoch key", there),
        ];
        for (_member, share) in &self.victim.shares {
            secrets.push(("an evaluator's share", share.to_secret().expose().to_vec()));
        }
        let victim = &self.victim;
        let mut add = |what, bytes: &[u8]| secrets.push((what, bytes.to_vec()));
        add("ID", victim.id.as_bytes());
        add("password", victim.password.as_bytes());
        let seed = victim.seed();
        add("her seed", seed.expose());
        add("the device's secret", victim.device.expose());
        add("SP", &victim.sp);
        add("PP", &victim.pp.to_bytes());
        add("BIO", victim.bio.expose());
        add("the salt", &victim.salt);
        secrets
    }
}
