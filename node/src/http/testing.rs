//! Small ledgers for tests of this crate.

use contract::{BlockTime, Genesis, Kind, Member, PublicKey, Role, SpkiHash, genesis::Content};
use ed25519_dalek::SigningKey;

/// A genesis of one registration centre and three clinics, whose member keys come from the seeds 1 to 4.
pub(crate) fn genesis(kind: Kind) -> Genesis {
    let key = |seed: u8| {
        PublicKey::new(
            SigningKey::from_bytes(&[seed; 32])
                .verifying_key()
                .to_bytes(),
        )
    };
    let member = |(name, seed): (&str, u8)| Member {
        name: name.to_owned(),
        role: if seed == 1 { Role::Rc } else { Role::Server },
        key: key(seed),
        network_key: key(seed.saturating_add(100)),
        tls_spki: SpkiHash::new([seed; 32]),
        p2p: format!(
            "/ip4/127.0.0.1/tcp/{}",
            7_099_u16.saturating_add(seed.into())
        ),
        api: format!(
            "https://127.0.0.1:{}",
            8_099_u16.saturating_add(seed.into())
        ),
    };
    let members = [("rc", 1), ("clinic-a", 2), ("clinic-b", 3), ("clinic-c", 4)].map(member);
    let content = Content::new(
        kind,
        "demo",
        BlockTime::new(1_795_305_600_000),
        members.to_vec(),
    );
    Genesis::parse(&content.to_json()).unwrap()
}
