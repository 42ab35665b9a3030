//! The registry as an object: an AID that is registered once, revoked once, and read.

use contract::Refused;

use super::linear::Model;

/// What stands under an AID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// Nothing yet.
    Absent,
    /// A record that may sign in; which of the competing ones is told by its number.
    Active(u32),
    /// The same record, revoked.
    Revoked(u32),
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Put this record there, if nothing is.
    Register(u32),
    /// Revoke what is there, if it is active.
    Revoke,
    /// What is there?
    Read,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It is done.
    Done,
    /// The contract said no.
    Refused(Refused),
    /// What a read saw.
    Saw(Entry),
}

/// A deed and its answer; no answer when nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// What was asked.
    pub(super) deed: Deed,
    /// What was answered.
    pub(super) said: Option<Said>,
}

/// One AID of the registry.
pub(super) struct Registry;

impl Entry {
    /// What a deed changes, and what it is answered.
    pub(super) const fn after(self, deed: Deed) -> (Self, Said) {
        match (deed, self) {
            (Deed::Read, _) => (self, Said::Saw(self)),
            (Deed::Register(number), Self::Absent) => (Self::Active(number), Said::Done),
            (Deed::Register(_), _) => (self, Said::Refused(Refused::AlreadyRegistered)),
            (Deed::Revoke, Self::Active(number)) => (Self::Revoked(number), Said::Done),
            (Deed::Revoke, Self::Absent) => (self, Said::Refused(Refused::UnknownAid)),
            (Deed::Revoke, Self::Revoked(_)) => (self, Said::Refused(Refused::NotActive)),
        }
    }
}

impl Model for Registry {
    type Call = Asked;
    type State = Entry;

    fn initial() -> Entry {
        Entry::Absent
    }

    fn step(entry: &Entry, asked: &Asked) -> Option<Entry> {
        let (after, said) = entry.after(asked.deed);
        asked
            .said
            .is_none_or(|heard| heard == said)
            .then_some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jepsen::linear::{Span, check};

    const fn span(deed: Deed, said: Option<Said>, invoked: u64, returned: u64) -> Span<Asked> {
        Span {
            call: Asked { deed, said },
            invoked,
            returned: if said.is_some() { Some(returned) } else { None },
        }
    }

    const TAKEN: Option<Said> = Some(Said::Refused(Refused::AlreadyRegistered));
    const DONE: Option<Said> = Some(Said::Done);

    #[test]
    fn of_two_registrations_of_one_aid_exactly_one_is_done() {
        let both = |one, other| {
            let history = [
                span(Deed::Register(1), one, 0, 9),
                span(Deed::Register(2), other, 1, 8),
            ];
            check::<Registry>(&history).is_ok()
        };

        assert!(both(DONE, TAKEN) && both(TAKEN, DONE));
        assert!(!both(DONE, DONE), "two owners");
        assert!(!both(TAKEN, TAKEN), "refused for nobody");
    }

    #[test]
    fn a_read_that_starts_after_an_acknowledged_revocation_must_see_it() {
        let read = |saw| {
            let history = [
                span(Deed::Register(4), DONE, 0, 1),
                span(Deed::Revoke, DONE, 2, 3),
                span(Deed::Read, Some(Said::Saw(saw)), 4, 5),
            ];
            check::<Registry>(&history).is_ok()
        };

        assert!(read(Entry::Revoked(4)));
        assert!(!read(Entry::Active(4)));
        assert!(!read(Entry::Revoked(3)));
    }

    #[test]
    fn a_registration_without_an_answer_explains_a_refusal() {
        let lost = span(Deed::Register(1), None, 0, 0);
        let refused = span(Deed::Register(2), TAKEN, 5, 6);

        check::<Registry>(&[lost, refused.clone()]).unwrap();
        check::<Registry>(&[refused]).unwrap_err();
    }
}
