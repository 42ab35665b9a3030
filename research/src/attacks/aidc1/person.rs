//! A patient of AIDC-1 with all that is hers: what an attack looks for, and what a thief takes.

use chacha20::ChaCha20Rng;
use contract::encoding::Blob;
use contract::{Aid, ChainId, PatientRecord, PublicKey, ServerId, Status};
use ed25519_dalek::SigningKey;
use protocol::aidc1::issue::issue;
use protocol::aidc1::oprf::shares::{self, Evaluators};
use protocol::aidc1::oprf::{Blinding, EvaluatorKey};
use protocol::aidc1::{
    AidIndex, Binding, Card, Cost, DeviceSecret, Handle, Holder, Keys, Lock, RecoveryCode, Root,
    Seed, TerminalKey,
};
use protocol::synthetic::Subject;
use protocol::wu::PatientId;
use protocol::{Auxiliary, Embedding, Template, fuzzy};
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use super::noise::{exponent, hkdf};
use crate::attacks::arithmetic::Number;

/// Members that evaluate passwords.
pub(super) const EVALUATORS: u8 = 4;
/// So many of them are needed.
const THRESHOLD: u8 = 2;

/// The shares of an evaluators' key, by member.
pub(super) type Shares = Vec<(ServerId, EvaluatorKey)>;

/// A patient.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) password: String,
    pub(super) face: [Embedding; 4],
    pub(super) root: Root,
    pub(super) device: DeviceSecret,
    pub(super) card: Card,
    pub(super) shares: Shares,
    pub(super) salt: [u8; 32],
    pub(super) record: PatientRecord,
    /// SP, as the terminal had it at enrolment and nowhere else.
    pub(super) sp: [u8; 32],
    /// BIO and PP of it.
    pub(super) bio: Template,
    pub(super) pp: Auxiliary,
}

/// Members' identities.
pub(super) fn members() -> Vec<ServerId> {
    (1..=EVALUATORS)
        .map(|number| ServerId::new([number; 32]))
        .collect()
}

/// r, as the evaluators who hold these shares make it of a password.
pub(super) fn evaluate(
    password: &str,
    (evaluators, shares): (&Evaluators, &Shares),
    rng: &mut ChaCha20Rng,
) -> Option<protocol::Secret<64>> {
    let length = u16::try_from(password.len()).ok()?.to_be_bytes();
    let input = [b"aidc1/pw".as_slice(), &length, password.as_bytes()].concat();
    let blinding = Blinding::new(Zeroizing::new(input), rng).ok()?;
    let mut answers = Vec::new();
    for (member, share) in shares {
        answers.push((*member, share.evaluate(blinding.element(), rng)));
    }
    let combined = blinding.combine(evaluators, &answers).ok()?;
    Some(combined.output)
}

impl Person {
    /// Somebody who enrols: a synthetic face, an ID of five digits and a password of four.
    pub(super) fn enrol(face: &Subject, chain: &ChainId, rng: &mut ChaCha20Rng) -> Option<Self> {
        let mut below = |limit: u32| rng.next_u64().checked_rem(limit.into());
        let id = format!("{:05}", below(super::IDENTITIES)?);
        let password = format!("{:04}", below(super::PASSWORDS)?);
        let captures = face.captures.first_chunk::<4>()?;
        let face = captures.each_ref().map(|shot| shot.embedding.clone());

        let (root, device) = (Root::draw(rng), DeviceSecret::draw(rng));
        let (evaluators, keys) = shares::deal(THRESHOLD, &members(), rng).ok()?;
        let shares: Shares = members().into_iter().zip(keys).collect();
        let keys = root.seed(AidIndex::FIRST).keys();
        let binding = Binding {
            cost: Cost::new(Cost::MEMORY_KIB_MIN, 1)?,
            ..Binding::draw(*keys.aid(), Handle::draw(rng), rng)
        };
        let output = evaluate(&password, (&evaluators, &shares), rng)?;
        let tk = TerminalKey::derive(&output, &device, &binding).ok()?;
        let code = RecoveryCode::draw(rng);
        let [one, two, three, _fresh] = &face;
        let projection = tk.projection();
        let templates = [one, two, three].map(|capture| projection.project(capture));
        let bio = Template::majority(templates.each_ref());
        // Gen draws first of all in the lock, so the same dice give the same SP here.
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let [mut mine, mut same] = [seed, seed].map(ChaCha20Rng::from_seed);
        let (sp, pp) = fuzzy::generate(&bio, &mut same);
        let captures = Some([one, two, three]);
        let lock = Lock::seal(binding, tk, &root, (&code, captures), &mut mine);
        let (holder, salt, record) = register(&root, &id, rng)?;
        Some(Self {
            card: Card::new((*chain, evaluators), lock, &root, &holder, rng),
            id,
            password,
            root,
            device,
            shares,
            salt,
            record,
            sp: *sp.expose(),
            bio,
            pp,
            face,
        })
    }

    /// What her first AID's keys are made of.
    pub(super) fn seed(&self) -> Seed {
        self.root.seed(AidIndex::FIRST)
    }

    /// Her keys under her first AID.
    pub(super) fn keys(&self) -> Keys {
        self.seed().keys()
    }

    pub(super) const fn aid(&self) -> &Aid {
        &self.record.aid
    }

    /// One of her secrets, by its label.
    fn expand<const N: usize>(&self, label: &[u8]) -> [u8; N] {
        hkdf((b"aidc1/seed", self.seed().expose()), &[label])
    }

    /// a.
    pub(super) fn number(&self) -> Option<Number> {
        exponent(&self.expand(b"dh"))
    }

    /// What enters each of her `m_i`.
    pub(super) fn hedge(&self) -> [u8; 32] {
        self.expand(b"hedge")
    }

    /// What signs her statements.
    pub(super) fn sig(&self) -> SigningKey {
        SigningKey::from_bytes(&self.expand(b"sig"))
    }
}

/// The RC's part: a salt and a sealed ID for each AID, and the first one's record.
fn register(
    root: &Root,
    id: &str,
    rng: &mut ChaCha20Rng,
) -> Option<(Holder, [u8; 32], PatientRecord)> {
    let id = PatientId::parse(id.as_bytes()).ok()?;
    let keys = root.seed(AidIndex::FIRST).keys();
    let first = issue(keys.aid(), &id, rng).ok()?.answer;
    let salts = core::array::from_fn(|_at| first.salt.clone());
    let record = PatientRecord {
        aid: *keys.aid(),
        pk_dh: *keys.pk_dh(),
        pk_sig: *keys.pk_sig(),
        pk_recovery: PublicKey::new([4; 32]),
        status: Status::Active,
        epoch: 0,
        c_id: Blob::new(first.c_id.as_bytes().to_vec()),
        id_commit: first.id_commit,
    };
    Some((Holder::new(id, salts).ok()?, *first.salt.expose(), record))
}
