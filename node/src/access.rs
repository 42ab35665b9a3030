//! Who may read the ledger at this node: tokens by role, kept as hashes; an audit trail of who looked at whom.
//!
//! On loopback without a login everybody on the machine may read everything. Otherwise nothing is served without a token
//! made by `aidchain explorer login`, as a bearer token or, in a browser, as a cookie made from one.

mod sessions;
mod tokens;
mod trail;

use std::{fmt, str::FromStr};

pub use sessions::{COOKIE, Cookies, IDLE_MS};
pub use tokens::{AccessError, TOKEN_TTL_MS, Token, Tokens, issue};
pub use trail::{Trail, TrailError};

/// What a reader is entitled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Blocks and counts.
    Viewer,
    /// Also identities, sign-ins and exports.
    Auditor,
    /// Blocks and members; may submit transactions.
    Operator,
    /// The registration centre's desk.
    RcOfficer,
    /// Everything: this machine, in a consortium that asks for no login.
    Local,
}

/// The text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a role; there are viewer, auditor, operator and rc-officer")]
pub struct NotARole(pub String);

impl Role {
    /// May see AIDs and who signed in where.
    pub const fn sees_identities(self) -> bool {
        matches!(self, Self::Auditor | Self::Local)
    }

    /// May submit transactions.
    pub const fn submits(self) -> bool {
        matches!(self, Self::Operator | Self::Local)
    }

    /// May let patients in, end their identities and, with another member, say who they are.
    pub const fn keeps_desk(self) -> bool {
        matches!(self, Self::RcOfficer | Self::Local)
    }

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::RcOfficer => "rc-officer",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        [Self::Viewer, Self::Auditor, Self::Operator, Self::RcOfficer]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| NotARole(text.to_owned()))
    }
}

/// Where tokens and the trail are kept in a home.
pub const FOLDER: &str = "access";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_auditor_sees_identities_and_only_an_operator_submits() {
        assert!(!Role::Viewer.sees_identities());
        assert!(Role::Auditor.sees_identities());
        assert!(!Role::Operator.sees_identities());
        assert!(!Role::Auditor.submits());
        assert!(Role::Operator.submits());
    }

    #[test]
    fn nobody_can_ask_for_the_role_of_the_machine_itself() {
        assert_eq!("auditor".parse(), Ok(Role::Auditor));
        assert_eq!("local".parse::<Role>(), Err(NotARole("local".to_owned())));
    }
}
