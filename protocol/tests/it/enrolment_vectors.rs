//! Enrolment under AIDC-1 against values that a program without a line of this crate
//! computed from `docs/aidc1-enrolment.md`.

use contract::record::Consent;
use contract::{Aid, ChainId, PublicKey, ServerId};
use ed25519_dalek::SigningKey;
use protocol::aidc1::deal::{self, Dealt, Enrolment};
use protocol::aidc1::issue::{DataKey, duplicate_index, issue};
use protocol::aidc1::oprf::shares::{self, Evaluators};
use protocol::aidc1::oprf::{Evaluation, EvaluatorKey};
use protocol::aidc1::registration::Applicant;
use protocol::aidc1::{
    AidIndex, Binding, Card, Confirmation, Cost, DeviceSecret, EpochSecret, EvaluationId, Factor,
    Handle, Holder, Lock, Password, Question, RecoveryCode, Root, TerminalKey, unlock,
};
use protocol::suite::Message as _;
use protocol::wu::PatientId;
use protocol::{Embedding, Secret, Template, Timestamp, fuzzy};
use serde_json::Value;

use crate::seeded::Played;

struct Vector(Value);

impl Vector {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("../vectors/aidc1_enrolment.json")).unwrap())
    }

    fn long(&self, name: &str) -> Vec<u8> {
        hex::decode(self.0[name].as_str().expect(name)).unwrap()
    }

    fn fixed<const N: usize>(&self, name: &str) -> [u8; N] {
        self.long(name).try_into().expect(name)
    }

    fn secret<const N: usize>(&self, name: &str) -> Secret<N> {
        Secret::new(self.fixed(name))
    }

    fn list<const N: usize>(&self, name: &str) -> Vec<[u8; N]> {
        let bytes = self.long(name);
        let (chunks, rest) = bytes.as_chunks::<N>();
        assert!(rest.is_empty(), "{name}");
        chunks.to_vec()
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().expect(name)
    }

    fn dice(&self, name: &str) -> Played {
        Played::new(self.long(name))
    }

    fn chain(&self) -> ChainId {
        ChainId::new(self.fixed("chain_id"))
    }

    fn device(&self) -> DeviceSecret {
        DeviceSecret::new(self.secret("d"))
    }

    fn root(&self) -> Root {
        Root::new(self.secret("root"))
    }

    fn code(&self) -> RecoveryCode {
        RecoveryCode::new(self.secret("code"))
    }

    fn handle(&self) -> Handle {
        Handle::new(self.fixed("handle"))
    }

    fn id(&self) -> PatientId {
        PatientId::parse(&self.long("ID")).unwrap()
    }

    fn servers(&self) -> Vec<ServerId> {
        let ids = self.list("server_ids");
        ids.into_iter().map(ServerId::new).collect()
    }

    fn dealt(&self) -> (Evaluators, Vec<EvaluatorKey>) {
        shares::deal(2, &self.servers(), &mut self.dice("coefficients drawn")).unwrap()
    }

    fn question(&self) -> Question {
        let password = Password::parse(&self.long("PW typed")).unwrap();
        Question::new(&password, self.handle(), &mut self.dice("blind drawn")).unwrap()
    }

    fn answers(&self) -> Vec<(ServerId, Evaluation)> {
        let answers = self.list::<97>("answers");
        let answers = answers
            .iter()
            .map(|bytes| Evaluation::parse(bytes).unwrap());
        self.servers().into_iter().zip(answers).collect()
    }

    fn binding(&self) -> Binding {
        let memory = u32::try_from(self.number("memory_kib")).unwrap();
        let passes = u8::try_from(self.number("passes")).unwrap();
        Binding {
            aid: Aid::new(self.fixed("AID")),
            handle: self.handle(),
            salt: self.fixed("salt16"),
            cost: Cost::new(memory, passes).unwrap(),
        }
    }

    fn capture(&self, number: usize) -> Embedding {
        let bytes: [u8; 128] = self.fixed(&format!("capture {number}"));
        Embedding::new(bytes.map(u8::cast_signed))
    }

    fn tk(&self) -> TerminalKey {
        TerminalKey::new(self.secret("tk"))
    }

    fn lock(&self) -> Lock {
        let captures = [0, 1, 2].map(|number| self.capture(number));
        let draw = [self.long("message"), self.long("salt of PP")].concat();
        Lock::seal(
            self.binding(),
            self.tk(),
            &self.root(),
            (&self.code(), Some(captures.each_ref())),
            &mut Played::new(draw),
        )
    }
}

#[test]
fn keys_and_aids_come_out_of_root_device_and_code() {
    let vector = Vector::read();
    let (root, code) = (vector.root(), vector.code());
    let (seeds, aids) = (vector.list::<32>("seeds"), vector.list::<32>("AIDs"));
    let recovery = vector.list::<32>("pk_recovery");

    for (at, index) in AidIndex::all().enumerate() {
        let seed = root.seed(index);
        assert_eq!(*seed.expose(), seeds[at]);
        assert_eq!(*seed.keys().aid().as_bytes(), aids[at]);
        assert_eq!(*code.public(index).as_bytes(), recovery[at]);
    }
    let first = root.seed(AidIndex::FIRST).keys();
    assert_eq!(*first.pk_dh().as_bytes(), vector.fixed("pk_dh"));
    assert_eq!(*first.pk_sig().as_bytes(), vector.fixed("pk_sig"));
    assert_eq!(*vector.device().public().as_bytes(), vector.fixed("pk_dev"));
    let confirm = root.confirm_public(&vector.handle());
    assert_eq!(*confirm.as_bytes(), vector.fixed("pk_confirm"));
    assert_eq!(*code.to_text(), vector.0["code text"]);
}

#[test]
fn two_of_three_evaluators_give_r() {
    let vector = Vector::read();
    let (evaluators, shares) = vector.dealt();
    let (publics, numbers) = (vector.list::<32>("pk_j"), vector.list::<32>("k_j"));
    let question = vector.question();
    let first = vector.servers()[0];
    let time = Timestamp::from_millis(vector.number("T"));

    for (at, share) in shares.iter().enumerate() {
        assert_eq!(*evaluators.members()[at].public.as_bytes(), publics[at]);
        assert_eq!(*share.to_secret().expose(), numbers[at]);
    }
    let request = question.request(&vector.device(), &vector.chain(), first, time);
    assert_eq!(request.encode(), vector.long("request"));
    let id = request.evaluation_id(&vector.chain());
    assert_eq!(*id.as_bytes(), vector.fixed("evaluation id"));
    let blinded = protocol::aidc1::oprf::Element::parse(&vector.fixed("blinded element")).unwrap();
    let mut dice = vector.dice("proofs drawn");
    let answers = vector.answers();
    for (share, (_, expected)) in shares.iter().zip(&answers) {
        assert_eq!(share.evaluate(&blinded, &mut dice), *expected);
    }
    for pair in [[0, 1], [2, 1], [0, 2]] {
        let answers = pair.map(|at| answers[at]);
        let combined = question.combine(&evaluators, &answers).unwrap();
        assert_eq!(*combined.output.expose(), vector.fixed("r"));
    }
}

#[test]
fn the_confirmation_is_the_expected_one() {
    let vector = Vector::read();
    let id = EvaluationId::new(vector.fixed("evaluation id"));

    let confirmation = vector.root().confirm(&vector.chain(), vector.handle(), id);

    assert_eq!(confirmation.encode(), vector.long("confirmation"));
    assert_eq!(
        Confirmation::parse(&vector.long("confirmation")),
        Ok(confirmation)
    );
}

#[test]
fn r_and_device_give_tk_and_tk_gives_projection_and_template() {
    let vector = Vector::read();

    let tk = TerminalKey::derive(&vector.secret("r"), &vector.device(), &vector.binding());
    assert_eq!(tk, Ok(vector.tk()));
    let projection = vector.tk().projection();
    let mut axis = [0; 128];
    axis[0] = 1;
    let first_row = projection.project(&Embedding::new(axis));
    assert_eq!(*first_row.expose(), vector.fixed("W first row"));
    let templates = [0, 1, 2].map(|number| projection.project(&vector.capture(number)));
    let majority = Template::majority(templates.each_ref());
    assert_eq!(*majority.expose(), vector.fixed("template"));
    let draw = [vector.long("message"), vector.long("salt of PP")].concat();
    let (sp, pp) = fuzzy::generate(&majority, &mut Played::new(draw));
    assert_eq!(*sp.expose(), vector.fixed("SP"));
    assert_eq!(pp.to_bytes(), vector.fixed("PP"));
}

#[test]
fn the_lock_opens_by_face_and_by_code() {
    let vector = Vector::read();
    let lock = vector.lock();
    let now = Timestamp::from_millis(vector.number("T"));
    let (probe, code) = (vector.capture(3), vector.code());

    for factor in [Factor::Face(&probe), Factor::Code(&code)] {
        let root = unlock::open(vector.tk(), &lock, factor, now).unwrap();
        assert_eq!(root, vector.root());
    }
}

#[test]
fn the_card_is_the_expected_one_byte_for_byte() {
    let vector = Vector::read();
    let salts = vector.list::<32>("salts");
    let salts = core::array::from_fn(|at| Secret::new(salts[at]));
    let mut holder = Holder::new(vector.id(), salts).unwrap();
    let kept = ServerId::new(vector.fixed("kept server"));
    holder.rotation().for_server(kept).unwrap();
    holder.rotation().fresh().unwrap();
    let (evaluators, _) = vector.dealt();

    let card = Card::new(
        (vector.chain(), evaluators),
        vector.lock(),
        &vector.root(),
        &holder,
        &mut vector.dice("nonce"),
    );

    let bytes = card.encode(&vector.device());
    assert_eq!(bytes, vector.long("card"));
    let found = |part: &str| {
        let part = vector.long(part);
        bytes.windows(part.len()).any(|window| window == part)
    };
    assert!(["box", "V_u", "V_c", "identity"].into_iter().all(found));
    assert_eq!(Card::parse(&bytes, &vector.device()), Ok(card));
}

#[test]
fn the_deal_is_the_expected_one_and_opens() {
    let vector = Vector::read();
    let (evaluators, shares) = vector.dealt();
    let member = vector.servers()[1];
    let secret = [vector.long("epoch seed"), vec![0; 32]].concat();
    let epoch = EpochSecret::new(Secret::new(secret.try_into().unwrap()));
    let rc = SigningKey::from_bytes(&vector.fixed("rc"));
    let handle = Handle::new(vector.fixed("new handle"));
    let enrolment = Enrolment::new(handle, vector.device().public(), &vector.root()).in_place_of(
        vector.handle(),
        &vector.root(),
        &vector.chain(),
    );
    let dealt = Dealt {
        enrolment,
        evaluators,
        share: shares[1].clone(),
    };
    assert_eq!(*epoch.public().as_bytes(), vector.fixed("B_j"));

    let chain = vector.chain();
    let mut dice = vector.dice("e drawn");
    let bytes = deal::seal(&dealt, member, &epoch.public(), (&chain, &rc), &mut dice).unwrap();

    assert_eq!(bytes, vector.long("deal"));
    let rc = PublicKey::new(rc.verifying_key().to_bytes());
    let opened = deal::open(&bytes, member, &epoch, &chain, &rc).unwrap();
    assert_eq!(opened.share.to_secret(), shares[1].to_secret());
    assert_eq!(opened.enrolment, dealt.enrolment);
}

#[test]
fn identity_registration_and_consent_are_the_expected_ones() {
    let vector = Vector::read();
    let keys = vector.root().seed(AidIndex::FIRST).keys();
    let salts = vector.list::<32>("salts");
    let draw = [vector.long("k_0"), salts[0].to_vec()].concat();
    let issued = issue(keys.aid(), &vector.id(), &mut Played::new(draw)).unwrap();
    let applicant = Applicant {
        keys: &keys,
        pk_recovery: vector.code().public(AidIndex::FIRST),
        id: &vector.id(),
        epoch: 0,
    };

    let answer = &issued.answer;
    assert_eq!(answer.c_id.as_bytes(), vector.long("C_ID"));
    assert_eq!(*answer.id_commit.as_bytes(), vector.fixed("id_commit"));
    assert_eq!(issued.data_key, DataKey::new(vector.secret("k_0")));
    let index = duplicate_index(&vector.secret("k_rc"), &vector.id());
    assert_eq!(index, vector.fixed("index"));
    let chain = vector.chain();
    let registration = applicant
        .prove(answer, &chain, &mut vector.dice("auxiliary"))
        .unwrap();
    let digest = registration.record.possession_digest(&chain);
    assert_eq!(digest, vector.fixed("possession"));
    assert_eq!(registration.proof_dh.to_bytes(), vector.fixed("proof_dh"));
    assert_eq!(registration.proof_sig.to_bytes(), vector.fixed("proof_sig"));
    let new = Aid::new(vector.fixed("new AID"));
    let by_code = vector
        .code()
        .consent(&chain, (AidIndex::FIRST, keys.aid()), &new);
    for (consent, expected) in [
        (keys.consent(&chain, &new), "consent by key"),
        (by_code, "consent by code"),
    ] {
        let (Consent::SigningKey(signature) | Consent::RecoveryKey(signature)) = consent;
        assert_eq!(signature.to_bytes(), vector.fixed(expected));
    }
}
