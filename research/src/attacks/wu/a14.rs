//! A14: a server makes a sign-in up.

use contract::{AuthResult, BlockTime, SessionId, SignatureBytes};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Stopped, Story, some};
use crate::attacks::world::{At, WuWorld};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, forge, listen, sign_in, sp_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A14,
    name: "invented-sign-in",
    title: "A server makes up a sign-in out of the ledger and one old message",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen, Need::Insider],
    steps: &[
        Step {
            title: "Keep one old message",
            text: "The patient signed in here once, long ago. Her Me5 gives SP.",
        },
        Step {
            title: "Look her up",
            text: "The ledger has (ID, AID) in clear, and every member reads it: nothing need be guessed.",
        },
        Step {
            title: "Record a sign-in that never happened",
            text: "The result bears the server's signature alone. Nothing on the ledger comes from the patient, so \
                   nobody can tell it from a true one, and she can deny a true one.",
        },
    ],
};

pub(in crate::attacks) fn run<W: WuWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let old = listen(world, At::Here)?.me5;
    let sp = sp_of(&old)?;
    story.step([("SP", shorten(&sp))]);

    let identity = some(world.row(&old.aid)?)?;
    story.step([("ID", identity.clone())]);

    world.pass(900_000);
    let (number, invented) = forge(world, &old, (&sp, &identity));
    let (_key, session) = sign_in(world, At::Here, (&number, &invented))?;
    story.step([("session", shorten(session.as_bytes()))]);
    Ok(())
}

/// The same result at another time and in another session, with whatever signature it had.
fn moved(old: &AuthResult, now: u64, sid: [u8; 32]) -> AuthResult {
    AuthResult {
        t1: BlockTime::new(now),
        t3: BlockTime::new(now),
        sid: SessionId::new(sid),
        ..old.clone()
    }
}

/// A result under the signature of this key.
fn signed(mut result: AuthResult, digest: [u8; 32], key: &SigningKey) -> AuthResult {
    result.sigma = SignatureBytes::new(key.sign(&digest).to_bytes());
    result
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    clinic.overhear(At::Here)?;
    let old = clinic.results.last()?.clone();
    clinic.pass(900_000);
    let now = clinic.now.as_millis();
    let chain = clinic.public(At::Here).chain;
    let own = SigningKey::from_bytes(&clinic.draw());
    let key = clinic.hand().sig.unwrap_or_else(|| own.clone());
    let invented = moved(&old, now, clinic.draw());
    let digest = invented.statement_digest(&chain);
    let mut under_own_key = invented.clone();
    under_own_key.pk_sig = contract::PublicKey::new(own.verifying_key().to_bytes());
    let results = [
        old,
        invented.clone(),
        signed(invented, digest, &key),
        signed(under_own_key, digest, &own),
    ];
    let number = results.len();
    let taken = results
        .into_iter()
        .filter(|result| clinic.submit(result.clone()));
    let taken = taken.count();
    let why = format!(
        "of {number} results that a server made up the ledger took {taken}: it wants the patient's signature of \
         server, time and session under the key of her AID, and takes each session once"
    );
    Some(Attempt {
        succeeded: taken > 0,
        why,
    })
}
