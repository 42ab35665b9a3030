//! What the five phases send: fields one after the other, numbers big-endian, what has no fixed length behind its
//! length in two bytes. All but [`Request`] and [`Reply`] travel inside TLS (L-13).

use contract::Aid;

use super::place::{LIST_BYTES_MAX, List, Word};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::secret::Secret;
use crate::suite::Message;

/// Rows of a server's table in one answer; no centre has more users.
pub const ROWS_MAX: usize = 65_536;
/// Bytes of the longest γ: VT and the longest place.
const GAMMA_BYTES_MAX: usize = 64;

/// Server registration, server to RC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// `ID_j`.
    pub id: Word,
    /// `P_j`, of which the RC makes `SSK_j`.
    pub p: Secret<32>,
    /// `Q_j`, stored and never used.
    pub q: [u8; 32],
    /// `Loc_j`.
    pub loc: Word,
}

/// Server registration, RC to server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// `SSK_j`.
    pub ssk: Secret<32>,
}

/// User registration, user to RC. The RC never sees ID and PW, but A, against which both can be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// `UID_i`.
    pub uid: Aid,
    /// `A_i`.
    pub a: Secret<32>,
}

/// User registration and password update, RC to user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// `C_i`.
    pub c: Secret<32>,
    /// `D_i`.
    pub d: Secret<32>,
    /// `List_sj`.
    pub list: List,
}

/// Authentication, user to server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `ID_j`.
    pub server: Word,
    /// `α = UID ⊕ h(ID_j ‖ SSK_j ‖ T1)`.
    pub alpha: [u8; 32],
    /// `β = h(UID ‖ SSK_j ‖ C ‖ T1)`.
    pub beta: [u8; 32],
    /// T1, in seconds.
    pub t1: u64,
}

/// Authentication, server to user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// `γ = (VT ‖ Loc_j) ⊕ h(C ‖ UID ‖ ID_j ‖ β)`.
    pub gamma: Vec<u8>,
    /// `σ = h(VT ‖ C ‖ T2 − T1)`.
    pub sigma: [u8; 32],
    /// T2, in seconds.
    pub t2: u64,
}

/// Password update, user to RC (L-11; the authors only name it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordChange {
    /// `UID_i`.
    pub uid: Aid,
    /// `A_i`.
    pub a: Secret<32>,
    /// `A_i` of the new password.
    pub next: Secret<32>,
    /// T, in seconds.
    pub t: u64,
    /// `h(UID ‖ USK ‖ A* ‖ T)`.
    pub proof: [u8; 32],
}

/// Server database update, server to RC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsRequest {
    /// `ID_j`.
    pub id: Word,
    /// T, in seconds.
    pub t: u64,
}

/// Server database update, RC to server: the way in which C reaches the servers (L-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows(pub Vec<(Aid, Secret<32>)>);

fn prefixed(bytes: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(text);
}

impl Message for JoinRequest {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, self.id.as_bytes());
        bytes.extend(self.p.expose());
        bytes.extend(self.q);
        prefixed(&mut bytes, self.loc.as_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a server's registration", bytes);
        let message = Self {
            id: Word::parse(fields.prefixed("ID_j")?)?,
            p: Secret::new(*fields.take("P_j")?),
            q: *fields.take("Q_j")?,
            loc: Word::parse(fields.prefixed("Loc_j")?)?,
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Joined {
    fn encode(&self) -> Vec<u8> {
        self.ssk.expose().to_vec()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("the answer to a server", bytes, 32)?;
        let ssk = Secret::new(*fields.take("SSK_j")?);
        fields.end()?;
        Ok(Self { ssk })
    }
}

impl Message for Application {
    fn encode(&self) -> Vec<u8> {
        [self.uid.as_bytes().as_slice(), self.a.expose()].concat()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("a user's registration", bytes, 64)?;
        let message = Self {
            uid: Aid::new(*fields.take("UID")?),
            a: Secret::new(*fields.take("A")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Issued {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.c.expose());
        bytes.extend(self.d.expose());
        prefixed(&mut bytes, self.list.expose());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("the answer to a user", bytes);
        let c = Secret::new(*fields.take("C")?);
        let d = Secret::new(*fields.take("D")?);
        let list = fields.prefixed("List_sj")?;
        if list.len() > LIST_BYTES_MAX {
            return Err(fields.wrong("List_sj", "is longer than 8192 bytes"));
        }
        fields.end()?;
        Ok(Self {
            c,
            d,
            list: List::new(list),
        })
    }
}

impl Message for Request {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, self.server.as_bytes());
        bytes.extend(self.alpha);
        bytes.extend(self.beta);
        bytes.extend(self.t1.to_be_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a request to a server", bytes);
        let message = Self {
            server: Word::parse(fields.prefixed("ID_j")?)?,
            alpha: *fields.take("α")?,
            beta: *fields.take("β")?,
            t1: u64::from_be_bytes(*fields.take("T1")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Reply {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, &self.gamma);
        bytes.extend(self.sigma);
        bytes.extend(self.t2.to_be_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a server's reply", bytes);
        let gamma = fields.prefixed("γ")?;
        if !(33..=GAMMA_BYTES_MAX).contains(&gamma.len()) {
            return Err(fields.wrong("γ", "has not 33 to 64 bytes"));
        }
        let message = Self {
            gamma: gamma.to_vec(),
            sigma: *fields.take("σ")?,
            t2: u64::from_be_bytes(*fields.take("T2")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for PasswordChange {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.uid.as_bytes());
        bytes.extend(self.a.expose());
        bytes.extend(self.next.expose());
        bytes.extend(self.t.to_be_bytes());
        bytes.extend(self.proof);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("a password update", bytes, 136)?;
        let message = Self {
            uid: Aid::new(*fields.take("UID")?),
            a: Secret::new(*fields.take("A")?),
            next: Secret::new(*fields.take("A*")?),
            t: u64::from_be_bytes(*fields.take("T")?),
            proof: *fields.take("h(UID ‖ USK ‖ A* ‖ T)")?,
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for RowsRequest {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        prefixed(&mut bytes, self.id.as_bytes());
        bytes.extend(self.t.to_be_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a server database update", bytes);
        let message = Self {
            id: Word::parse(fields.prefixed("ID_j")?)?,
            t: u64::from_be_bytes(*fields.take("T")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Rows {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        bytes.extend(count.to_be_bytes());
        for (uid, c) in &self.0 {
            bytes.extend(uid.as_bytes());
            bytes.extend(c.expose());
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a server's table", bytes);
        let count = u32::from_be_bytes(*fields.take("count")?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > ROWS_MAX {
            return Err(fields.wrong("count", "is larger than 65536"));
        }
        let mut rows = Vec::new();
        for _ in 0..count {
            let uid = Aid::new(*fields.take("UID")?);
            rows.push((uid, Secret::new(*fields.take("C")?)));
        }
        fields.end()?;
        Ok(Self(rows))
    }
}
