//! Suite Limbasiya-2020 at a member: the centre's rows where it is the RC, and what it answers sign-ins with. Research
//! ledgers whose genesis lists the suite only.
//!
//! ```text
//! row      how the centre's secrets lie in the vault
//! centre   K_rc, servers, users: on the disk before anybody hears of them
//! file     what a server keeps: P_j until it is registered, then SSK_j and its table
//! server   answers sign-ins, and asks for a newer table
//! worker   registers this member and fetches its table (L-12)
//! ```

pub(crate) mod centre;
mod file;
mod row;
pub(crate) mod server;
pub(crate) mod worker;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::{ChainId, Member, Role, SuiteId};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use protocol::limbasiya::Word;
use tokio::sync::watch;

use crate::services::Services;
use centre::Centre;
use server::Server;

/// Where the suite is spoken.
pub(crate) const PREFIX: &str = "/v1/legacy/limbasiya";
/// Names the member that asks the RC.
pub(crate) const MEMBER: &str = "aidchain-member";
/// Its signature.
pub(crate) const SIGNATURE: &str = "aidchain-signature";

/// What a member keeps of the suite.
#[derive(Debug)]
pub(crate) struct Limbasiya {
    centre: Option<Mutex<Centre>>,
    /// None where this member's name does not fit into the scheme.
    server: Option<Server>,
}

impl Limbasiya {
    /// Opens the files of a home and begins to look after them, on a ledger that has the suite.
    pub(crate) fn open(
        services: &Services,
        stopped: &watch::Receiver<bool>,
    ) -> io::Result<Option<Arc<Self>>> {
        if !services.genesis.suites().contains(&SuiteId::LIMBASIYA_2020) {
            return Ok(None);
        }
        let home = &services.config.home;
        let mut rng =
            patient::dice::seeded().map_err(|failure| io::Error::other(failure.code().title()))?;
        let centre = match services.me.role {
            Role::Rc => Some(Centre::open(home, &mut rng).map_err(io::Error::other)?),
            Role::Server => None,
        };
        let server = if let Some(names) = names(&services.me) {
            Some(Server::open(home, names, &mut rng)?)
        } else {
            tracing::warn!(
                event = "limbasiya_not_served",
                "the name of this member has more than 32 characters, so it answers no sign-in of limbasiya-2020"
            );
            None
        };
        let opened = Arc::new(Self {
            centre: centre.map(Mutex::new),
            server,
        });
        let work = worker::run(Arc::clone(&opened), services.clone(), stopped.clone());
        tokio::spawn(work);
        Ok(Some(opened))
    }

    /// The centre, where this member is the RC. A panic elsewhere leaves it whole: each change is one call.
    pub(crate) fn centre(&self) -> Option<MutexGuard<'_, Centre>> {
        let centre = self.centre.as_ref()?;
        Some(centre.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What answers sign-ins.
    pub(crate) const fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }
}

/// `ID_j` and `Loc_j` of a member: its name, and the host of its patient interface with hyphens for dots.
fn names(member: &Member) -> Option<(Word, Word)> {
    let id = Word::parse(member.name.as_bytes()).ok()?;
    let host = member.api.strip_prefix("https://").unwrap_or(&member.api);
    let end = host.rfind(':').unwrap_or(host.len());
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let place: String = host.chars().take(end).map(plain).take(32).collect();
    Some((id, Word::parse(place.as_bytes()).ok()?))
}

/// What a member signs when it asks the RC: the scheme has nothing in its messages that says which server asks, and these
/// listeners ask for no client certificate.
fn asked(chain: &ChainId, path: &str, body: &[u8]) -> Vec<u8> {
    let label: &[u8] = b"aidchain/limbasiya-2020/member\0";
    [label, chain.as_bytes(), path.as_bytes(), b"\0", body].concat()
}

/// The signature of a member's question.
fn sign(key: &SigningKey, chain: &ChainId, (path, body): (&str, &[u8])) -> String {
    hex::encode(key.sign(&asked(chain, path, body)).to_bytes())
}

/// Whether this member asks this.
pub(crate) fn is_signed(
    member: &Member,
    chain: &ChainId,
    (path, body): (&str, &[u8]),
    signature: &str,
) -> bool {
    let mut bytes = [0; 64];
    let key = VerifyingKey::from_bytes(member.key.as_bytes());
    match (hex::decode_to_slice(signature, &mut bytes), key) {
        (Ok(()), Ok(key)) => {
            let signature = Signature::from_bytes(&bytes);
            let asked = asked(chain, path, body);
            key.verify_strict(&asked, &signature).is_ok()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use contract::Kind;

    use super::*;
    use crate::http::testing;

    #[test]
    fn a_member_is_a_server_under_its_name_at_its_host() {
        let mut member = testing::genesis(Kind::Research).members()[1].clone();
        member.api = "https://10.0.0.7:8101".to_owned();

        let (id, place) = names(&member).unwrap();
        assert_eq!((id.as_str(), place.as_str()), ("clinic-a", "10-0-0-7"));

        member.name = "a".repeat(33);
        assert_eq!(names(&member), None);
    }

    #[test]
    fn a_question_counts_for_its_member_path_and_body_alone() {
        let genesis = testing::genesis(Kind::Research);
        let (key, chain) = (SigningKey::from_bytes(&[2; 32]), genesis.chain());
        let text = sign(&key, chain, ("/a", b"body"));
        let holds = |place: usize, path, body| {
            is_signed(&genesis.members()[place], chain, (path, body), &text)
        };

        assert!(holds(1, "/a", b"body"));
        assert!(!holds(2, "/a", b"body"));
        assert!(!holds(1, "/b", b"body"));
        assert!(!holds(1, "/a", b"bodz"));
        assert!(!is_signed(
            &genesis.members()[1],
            chain,
            ("/a", b"body"),
            "zz"
        ));
    }
}
