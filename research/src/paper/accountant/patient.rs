//! The accountant's patient at a real server. ss is kept, as a terminal keeps it while the server's epoch lasts.

use chacha20::ChaCha20Rng;
use contract::{Aid, PublicKey};
use ed25519_dalek::{Signer as _, SigningKey};
use protocol::aidc1::{EpochSecret, Gate, Me5, Me9, Server, Status};
use protocol::suite::{Answered, Message as _, Pending as _, Suite as _};
use protocol::{Aidc1, Timestamp};
use rand_core::Rng as _;

use super::transcript::{Kind, Transcript, header};
use super::unsigned;
use crate::contest::Failure;
use crate::contest::aidc1::{
    BEGIN_MS, CHAIN, Ledger, SERVER, certified, patient_record, server_record,
};
use crate::paper::group;
use crate::paper::tally::{Counts, Tally};

/// What a patient does in one sign-in.
pub(super) fn count(rng: &mut ChaCha20Rng) -> Result<Counts, Failure> {
    let now = Timestamp::from_millis(BEGIN_MS);
    let secret = EpochSecret::draw(rng);
    let record = server_record(secret.public());
    let mut server = Server::new(CHAIN, SERVER);
    server.install(record.clone(), &secret)?;

    let own = group::draw(rng);
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let signer = SigningKey::from_bytes(&seed);
    let keys = (
        PublicKey::new(group::base(&own)),
        PublicKey::new(signer.verifying_key().to_bytes()),
    );
    let patient = patient_record(Aid::new([0xA1; 32]), keys);
    let servers = group::lift_x(record.dh_epoch_key.as_bytes()).ok_or("no epoch key")?;
    let kept = group::times(&servers, &own);
    let mut drawn = [0; 32];
    rng.fill_bytes(&mut drawn);

    let tally = Tally::default();
    let mut state = Transcript::start(&record, &tally);
    let (m_i, m1) = state.ephemeral(&drawn, &[b"aidc1/eph", &[1]])?;
    let (hdr, t1) = (header(Kind::Me5), now.to_bytes());
    state.mix_hash(&[&hdr, &t1]);
    state.mix_hash(&[&m1]);
    let key = state.mix_dh(&m_i, &servers)?;
    let c1 = state.seal(&key, patient.aid.as_bytes())?;
    state.mix_hash(&[patient.pk_dh.as_bytes()]);
    let key = state.mix_key(&kept)?;
    let height = certified().height.get().to_be_bytes();
    let m2 = state.seal(&key, &[&[0; 4], height.as_slice(), &[0; 4]].concat())?;
    let me5 = [hdr.as_slice(), &t1, &m1, &c1, &m2].concat();

    let hello = Aidc1::admit(&mut Gate::default(), Me5::parse(&me5)?, now)?;
    let ledger = Ledger(patient.clone());
    let answered = Aidc1::answer(&server, &ledger, hello, now, rng)?;
    let Answered::AwaitConfirm(serving) = answered.state else {
        return Err("accepted without a confirmation".into());
    };
    let me7 = answered.message;

    let m3 = state.lift(&me7.m3)?;
    state.mix_hash(&[&header(Kind::Me7), &me7.t3.to_bytes()]);
    state.mix_hash(&[&me7.m3]);
    state.mix_dh(&m_i, &m3)?;
    let key = state.mix_dh(&own, &m3)?;
    state.open(&key, &me7.m4.parts().concat())?;
    let ended = state.end();
    let times = (now.as_millis(), me7.t3.as_millis());
    let statement = unsigned(&record, &patient, times, ended.sid);
    tally.add(|counts| &mut counts.hash);
    let digest = statement.statement_digest(&CHAIN);
    tally.add(|counts| &mut counts.sign);
    let sigma = signer.sign(&digest).to_bytes();
    let sealed = ended.seal(&ended.statement_key()?, &sigma)?;
    let session_key = ended.session_key()?;

    let me9 = [header(Kind::Me9).as_slice(), &sealed].concat();
    let accepted = serving.finish(&Me9::parse(&me9)?, now)?;
    if accepted.key.expose() != &session_key {
        return Err("the two sides have different keys".into());
    }
    let status = Status::Accepted(certified().height);
    let answer = accepted.evidence.answering.answer(status);

    ended.open(&ended.answer_key()?, &answer.status.parts().concat())?;
    Ok(tally.counts())
}
