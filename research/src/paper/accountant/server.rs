//! The accountant's server and a real patient.

use chacha20::ChaCha20Rng;
use contract::{PublicKey, SignatureBytes};
use protocol::aidc1::{Answer, Credential, Me7, Peer, Seed};
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::{Aidc1, Secret, Timestamp};
use rand_core::Rng as _;

use super::transcript::{Kind, Transcript, header};
use super::unsigned;
use crate::contest::Failure;
use crate::contest::aidc1::{BEGIN_MS, CHAIN, certified, patient_record, server_record};
use crate::paper::group;
use crate::paper::tally::{Counts, Tally};

/// What a server does in one sign-in.
pub(super) fn count(rng: &mut ChaCha20Rng) -> Result<Counts, Failure> {
    let now = Timestamp::from_millis(BEGIN_MS);
    let own = group::draw(rng);
    let record = server_record(PublicKey::new(group::base(&own)));
    let keys = Seed::new(Secret::new([0x60; 32])).keys();
    let patient = patient_record(*keys.aid(), (*keys.pk_dh(), *keys.pk_sig()));
    let credential = Credential::new(keys, Peer::new(CHAIN, record.clone(), certified())?);
    let mut drawn = [0; 32];
    rng.fill_bytes(&mut drawn);
    let Opened {
        message: me5,
        state: waiting,
    } = Aidc1::open(&credential, now, rng);

    let tally = Tally::default();
    let mut state = Transcript::start(&record, &tally);
    let m1 = state.lift(&me5.m1)?;
    state.mix_hash(&[&header(Kind::Me5), &me5.t1.to_bytes()]);
    state.mix_hash(&[&me5.m1]);
    let key = state.mix_dh(&own, &m1)?;
    let aid = state.open(&key, &me5.c1.parts().concat())?;
    if aid != patient.aid.as_bytes() {
        return Err("another patient's AID".into());
    }
    let hers = state.lift(patient.pk_dh.as_bytes())?;
    state.mix_hash(&[patient.pk_dh.as_bytes()]);
    let key = state.mix_dh(&own, &hers)?;
    state.open(&key, &me5.m2.parts().concat())?;
    let (m_j, m3) = state.ephemeral(&drawn, &[b"aidc1/eph", &[2]])?;
    let (hdr, t3) = (header(Kind::Me7), now.to_bytes());
    state.mix_hash(&[&hdr, &t3]);
    state.mix_hash(&[&m3]);
    state.mix_dh(&m_j, &m1)?;
    let key = state.mix_dh(&m_j, &hers)?;
    let height = certified().height.get().to_be_bytes();
    let m4 = state.seal(&key, &height)?;
    let ended = state.end();
    let me7 = [hdr.as_slice(), &t3, &m3, &m4].concat();

    let finished = waiting.finish(&Me7::parse(&me7)?, now)?;
    let me9 = finished.confirm.encode();

    let (_header, sealed) = me9.split_first_chunk::<8>().ok_or("a short Me9")?;
    let sigma = ended.open(&ended.statement_key()?, sealed)?;
    let times = (me5.t1.as_millis(), now.as_millis());
    let mut statement = unsigned(&record, &patient, times, ended.sid);
    statement.sigma = SignatureBytes::new(sigma.as_slice().try_into()?);
    tally.add(|counts| &mut counts.hash);
    tally.add(|counts| &mut counts.verify);
    if !statement.statement(&CHAIN).holds() {
        return Err("the statement does not hold".into());
    }
    if finished.key.expose() != &ended.session_key()? {
        return Err("the two sides have different keys".into());
    }
    let status = [[2].as_slice(), &height].concat();
    let sealed = ended.seal(&ended.answer_key()?, &status)?;

    let answer = [header(Kind::Answer).as_slice(), &sealed].concat();
    finished.after.open(&Answer::parse(&answer)?)?;
    Ok(tally.counts())
}
