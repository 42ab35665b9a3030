//! A server's registration at the RC (L-3).

use zeroize::Zeroizing;

use super::hash::{h, xor};
use super::message::JoinRequest;
use super::place::Word;
use crate::meter::Unmetered;
use crate::secret::Secret;
use crate::wu::Password;

/// A server that applies: `ID_j`, its password and `r_S`.
#[derive(Debug)]
pub struct Applicant {
    /// `ID_j`.
    pub id: Word,
    /// `Loc_j`.
    pub loc: Word,
    /// `PW_j`.
    pub password: Password,
    /// `r_S`.
    pub nonce: Secret<16>,
}

impl Applicant {
    /// `P_j = h(ID_j ‖ r_S ‖ PW_j)` and `Q_j = h(ID_j ‖ PW_j) ⊕ P_j`. Neither is looked at again after registration.
    pub fn request(&self) -> JoinRequest {
        let (id, password) = (self.id.as_bytes(), self.password.expose().as_bytes());
        let p = Zeroizing::new(h(&Unmetered, &[id, self.nonce.expose(), password]));
        let typed = Zeroizing::new(h(&Unmetered, &[id, password]));
        JoinRequest {
            id: self.id.clone(),
            p: Secret::new(*p),
            q: xor(&Unmetered, &typed, &p),
            loc: self.loc.clone(),
        }
    }
}
