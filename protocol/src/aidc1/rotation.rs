//! Which of her sixteen AIDs a patient shows to whom (R0): one for each server, or one
//! that nobody saw before. The ledger's readers cannot tell that two belong together.

use contract::ServerId;
use thiserror::Error;

use super::root::{AIDS, AidIndex};
use crate::error::Malformed;
use crate::fields::Fields;

/// Bytes of an encoded rotation.
pub const ROTATION_BYTES: usize = AIDS * 33;

/// No AID is left that nobody saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("all sixteen AIDs are in use: renew the credential")]
pub struct UsedUp;

/// What became of one AID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    /// Nobody saw it.
    Unused,
    /// This server knows it, and no other.
    Kept(ServerId),
    /// It was shown once, to a server that must not recognise it.
    Spent,
}

/// The uses of all AIDs. It changes before a sign-in, and the card with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation([Use; AIDS]);

impl Default for Rotation {
    fn default() -> Self {
        Self([Use::Unused; AIDS])
    }
}

impl Rotation {
    /// The AID for this server: the one it knows, else a new one that is kept for it.
    pub fn for_server(&mut self, server: ServerId) -> Result<AidIndex, UsedUp> {
        let known = AidIndex::all()
            .zip(&self.0)
            .find(|(_, one)| **one == Use::Kept(server));
        match known {
            Some((index, _)) => Ok(index),
            None => self.take(Use::Kept(server)),
        }
    }

    /// An AID that nobody saw, for one sign-in.
    pub fn fresh(&mut self) -> Result<AidIndex, UsedUp> {
        self.take(Use::Spent)
    }

    /// How many AIDs nobody saw.
    pub fn unused(&self) -> usize {
        self.0.iter().filter(|one| **one == Use::Unused).count()
    }

    /// The AIDs that somebody saw, each with the server that it is kept for, if it is kept.
    pub fn used(&self) -> impl Iterator<Item = (AidIndex, Option<ServerId>)> {
        AidIndex::all()
            .zip(&self.0)
            .filter_map(|(index, one)| match one {
                Use::Unused => None,
                Use::Kept(server) => Some((index, Some(*server))),
                Use::Spent => Some((index, None)),
            })
    }

    fn take(&mut self, becomes: Use) -> Result<AidIndex, UsedUp> {
        let mut all = AidIndex::all().zip(&mut self.0);
        let (index, slot) = all.find(|(_, one)| **one == Use::Unused).ok_or(UsedUp)?;
        *slot = becomes;
        Ok(index)
    }

    /// 16 × (use 1 ‖ `server_id` 32).
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        for one in &self.0 {
            let (kind, server) = match one {
                Use::Unused => (0, ServerId::new([0; 32])),
                Use::Kept(server) => (1, *server),
                Use::Spent => (2, ServerId::new([0; 32])),
            };
            bytes.push(kind);
            bytes.extend(server.as_bytes());
        }
    }

    /// What [`Rotation::write`] wrote.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut rotation = Self::default();
        for at in 0..AIDS {
            let [kind] = *fields.take("use of an AID")?;
            let server = ServerId::new(*fields.take("server of an AID")?);
            let nobody = server.as_bytes() == &[0; 32];
            let one = match (kind, nobody) {
                (0, true) => Use::Unused,
                (1, _) => Use::Kept(server),
                (2, true) => Use::Spent,
                _ => return Err(fields.wrong("use of an AID", "fits no use")),
            };
            if matches!(one, Use::Kept(_)) && rotation.0.contains(&one) {
                return Err(fields.wrong("server of an AID", "stands twice"));
            }
            if let Some(slot) = rotation.0.get_mut(at) {
                *slot = one;
            }
        }
        Ok(rotation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(number: u8) -> ServerId {
        ServerId::new([number; 32])
    }

    #[test]
    fn a_server_sees_one_aid_again_and_again_and_no_two_servers_the_same() {
        let mut rotation = Rotation::default();

        let one = rotation.for_server(server(1)).unwrap();
        let other = rotation.for_server(server(2)).unwrap();

        assert_ne!(one, other);
        assert_eq!(rotation.for_server(server(1)), Ok(one));
        assert_eq!(rotation.unused(), AIDS - 2);
        let fresh = rotation.fresh().unwrap();
        let used: Vec<_> = rotation.used().collect();
        let kept = |number| Some(server(number));
        assert_eq!(used, [(one, kept(1)), (other, kept(2)), (fresh, None)]);
    }

    #[test]
    fn a_fresh_aid_is_never_shown_again() {
        let mut rotation = Rotation::default();
        let mut seen = vec![rotation.for_server(server(1)).unwrap()];

        while let Ok(index) = rotation.fresh() {
            assert!(!seen.contains(&index));
            seen.push(index);
        }

        assert_eq!(seen.len(), AIDS);
        assert_eq!(rotation.fresh(), Err(UsedUp));
        assert_eq!(rotation.for_server(server(2)), Err(UsedUp));
        assert_eq!(rotation.for_server(server(1)), Ok(AidIndex::FIRST));
    }

    #[test]
    fn it_is_stored_whole_and_read_strictly() {
        let mut rotation = Rotation::default();
        rotation.for_server(server(1)).unwrap();
        rotation.fresh().unwrap();
        let mut bytes = Vec::new();
        rotation.write(&mut bytes);
        let read = |bytes: &[u8]| Rotation::read(&mut Fields::of("a test", bytes));

        assert_eq!(read(&bytes), Ok(rotation));
        for (at, value) in [(0, 3), (33, 1), (33 + 5, 1), (66, 2 | 4), (66 + 1, 1)] {
            let mut bent = bytes.clone();
            bent[at] = value;
            let twice = at == 33;
            assert_eq!(read(&bent).is_err(), !twice, "{at}");
        }
        let mut twice = bytes.clone();
        twice.copy_within(0..33, 66);
        read(&twice).unwrap_err();
    }
}
