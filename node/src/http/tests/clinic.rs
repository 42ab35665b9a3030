//! A centre that answers sign-ins of the default suite, and terminals in front of it.

use std::time::Duration;

use axum::{body::Body, http::Request};
use contract::{
    Author, BlockTime, Call, Kind, Outcome, PublicKey, Registration, SessionId, StateProof,
    Transaction,
};
use ed25519_dalek::SigningKey;
use patient::excerpt::Excerpt;
use sha2::{Digest as _, Sha256};

use protocol::{
    Aidc1, Finished, Message as _, Pending as _, Secret, Suite as _, Timestamp,
    aidc1::{
        Answer as Sealed, Certified, Credential, Keys, Me7, Me9, Peer, Seed, Status, Unanswered,
        issue::{self, Issued},
        registration::Applicant,
    },
    wu::PatientId,
};

use crate::{
    config::KeyEpoch,
    epochs::Keeper,
    http::testing::{Answer, Bench, To},
};

/// Her printed code's key, as far as a test needs one.
pub(super) fn recovery() -> SigningKey {
    SigningKey::from_bytes(&[77; 32])
}

pub(super) fn id() -> PatientId {
    PatientId::parse("Ada Lovelace".as_bytes()).unwrap()
}

pub(super) fn keys(number: u8) -> Keys {
    Seed::new(Secret::new([number; 32])).keys()
}

/// The signing key of a seed, as `docs/aidc1.md` derives it: a terminal gives it to nobody.
fn signing_key(number: u8) -> SigningKey {
    let prk = hmac(b"aidc1/seed", &[number; 32]);
    SigningKey::from_bytes(&hmac(&prk, b"sig\x01"))
}

/// HMAC-SHA-256 with a key of at most one block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// A registration centre that answers sign-ins with a key epoch of its own.
pub(super) struct Clinic {
    pub(super) bench: Bench,
    keeper: Keeper,
}

impl Clinic {
    pub(super) async fn start() -> Self {
        let bench = Bench::start("rc", Kind::Secure);
        let services = bench.app.services();
        let keeper = Keeper::open(
            bench.home.path(),
            bench.clerk.clone(),
            services.epochs.clone(),
            KeyEpoch::default(),
        );
        let mut clinic = Self {
            keeper: keeper.unwrap(),
            bench,
        };
        clinic.look().await;
        clinic
    }

    async fn look(&mut self) {
        let now = BlockTime::new(self.bench.app.now_ms());
        self.keeper.look(now).await.unwrap();
    }

    /// Says something in the centre's name.
    pub(super) async fn say(&self, call: Call) -> Outcome {
        let id = self.bench.app.services().server_id();
        let ticket = self.bench.clerk.say(id, call).await.unwrap();
        ticket.wait(Duration::from_secs(20)).await.unwrap().outcome
    }

    /// Registers the AID of these keys.
    pub(super) async fn register(&self, keys: &Keys) -> Issued {
        let mut rng = patient::dice::seeded().unwrap();
        let issued = issue::issue(keys.aid(), &id(), &mut rng).unwrap();
        let applicant = Applicant {
            keys,
            pk_recovery: PublicKey::new(recovery().verifying_key().to_bytes()),
            id: &id(),
            epoch: 0,
        };
        let chain = *self.bench.app.genesis().chain();
        let registration: Registration = applicant.prove(&issued.answer, &chain, &mut rng).unwrap();
        let outcome = self.say(Call::Register(Box::new(registration))).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        issued
    }

    /// What the terminal reads before it signs in.
    pub(super) async fn excerpt(&self) -> Excerpt {
        let answer = self.bench.get(To::Patients, "/v1/server").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// An unlocked terminal in front of this server that knows block `height`, or the newest.
    pub(super) async fn credential(&self, keys: &Keys, height: Option<u64>) -> Credential {
        let excerpt = self.excerpt().await;
        let header = contract::Header::decode(&excerpt.header.0).unwrap();
        let record = entry(&excerpt, 1, &header.state_root).unwrap();
        let record: contract::ServerRecord = contract::encoding::decode(&record, 1_024).unwrap();
        let height = height.map_or(header.height, contract::Height::new);
        let certified = Certified {
            height,
            time: Timestamp::from_millis(header.time.get()),
        };
        let peer = Peer::new(*self.bench.app.genesis().chain(), record, certified).unwrap();
        Credential::new(keys.clone(), peer)
    }

    /// A first message of now, and what waits for its answer.
    pub(super) fn open(
        &self,
        credential: &Credential,
    ) -> (Vec<u8>, <Aidc1 as protocol::Suite>::Patient) {
        let now = Timestamp::from_millis(self.bench.app.now_ms());
        let mut rng = patient::dice::seeded().unwrap();
        let opened = Aidc1::open(credential, now, &mut rng);
        (opened.message.encode(), opened.state)
    }

    pub(super) async fn hello(&self, me5: Vec<u8>) -> Answer {
        let request = Request::post("/v1/sign-in/hello")
            .header("content-type", "application/octet-stream")
            .header("aidchain-suite", "0x0001")
            .body(Body::from(me5));
        self.bench.ask(To::Patients, request.unwrap()).await
    }

    pub(super) async fn confirm(&self, session: &str, query: &str, me9: Vec<u8>) -> Answer {
        let request = Request::post(format!("/v1/sign-in/confirm{query}"))
            .header("content-type", "application/octet-stream")
            .header("aidchain-suite", "0x0001")
            .header("aidchain-session", session)
            .body(Body::from(me9));
        self.bench.ask(To::Patients, request.unwrap()).await
    }

    /// Through the first two messages.
    pub(super) async fn until_me9(&self, credential: &Credential) -> Finished<Me9, Unanswered> {
        let (me5, state) = self.open(credential);
        let answer = self.hello(me5).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let me7 = Me7::parse(&answer.body).unwrap();
        let now = Timestamp::from_millis(self.bench.app.now_ms());
        state.finish(&me7, now).unwrap()
    }

    /// A whole sign-in that is recorded.
    pub(super) async fn sign_in(&self, keys: &Keys) -> SessionId {
        let finished = self.until_me9(&self.credential(keys, None).await).await;
        let sid = finished.session;
        let answer = self
            .confirm(&sid.to_string(), "", finished.confirm.encode())
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let status = finished.after.open(&Sealed::parse(&answer.body).unwrap());
        assert!(matches!(status, Ok(Status::Recorded(_))), "{status:?}");
        sid
    }

    /// The code of a refusal, and the one that its operator sees.
    pub(super) fn refusal(&self, answer: &Answer) -> (String, String) {
        let problem = answer.json();
        let support = problem["support_code"].as_str().unwrap().parse().unwrap();
        loop {
            let found = crate::refusals::find(self.bench.home.path(), support).unwrap();
            if let Some(refusal) = found.first() {
                let code = problem["code"].as_str().unwrap().to_owned();
                return (code, refusal.code.clone());
            }
            std::thread::yield_now();
        }
    }

    /// A transaction in a patient's name.
    pub(super) async fn as_patient(&self, number: u8, call: Call, query: &str) -> Answer {
        let until = BlockTime::new(self.bench.app.now_ms()).plus_ms(60_000);
        let author = Author::Patient(*keys(number).aid());
        let chain = *self.bench.app.genesis().chain();
        let signed =
            Transaction::new(chain, author, until, [1; 8], call).sign(&signing_key(number));
        self.post_transaction(signed.as_bytes().to_vec(), query)
            .await
    }

    pub(super) async fn post_transaction(&self, bytes: Vec<u8>, query: &str) -> Answer {
        let request = Request::post(format!("/v1/patient/transactions{query}"))
            .header("content-type", "application/octet-stream")
            .body(Body::from(bytes));
        self.bench.ask(To::Patients, request.unwrap()).await
    }
}

/// The value of an excerpt's entry under its own header.
pub(super) fn entry(excerpt: &Excerpt, at: usize, root: &contract::Root) -> Option<Vec<u8>> {
    let entry = &excerpt.entries[at];
    let proof = StateProof::decode(&entry.proof.0).unwrap();
    let contract: contract::ContractId = entry.contract.parse().unwrap();
    let value = proof.verify(root, &contract, &entry.key.0).unwrap();
    value.map(<[u8]>::to_vec)
}
