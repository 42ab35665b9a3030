//! The paper's messages and their bytes: fixed fields one after the other,
//! numbers big-endian.

use contract::Aid;

use super::factor::{Password, PatientId};
use crate::biometric::{TEMPLATE_BYTES, Template};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::freshness::Timestamp;
use crate::fuzzy::{AUXILIARY_BYTES, Auxiliary, RandomString};
use crate::secret::Secret;
use crate::suite::Message;

/// Bytes of Me3.
pub const ME3_BYTES: usize = 416;
/// Bytes of Me5.
pub const ME5_BYTES: usize = 680;
/// Bytes of Me7.
pub const ME7_BYTES: usize = 72;

/// Registration, terminal to RC: everything the patient has, in clear, as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me1 {
    /// ID.
    pub id: PatientId,
    /// PW.
    pub password: Password,
    /// BIO: the majority of three captures.
    pub bio: Template,
}

/// Registration, RC to terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me3 {
    /// AID.
    pub aid: Aid,
    /// SP.
    pub sp: RandomString,
    /// PP.
    pub pp: Auxiliary,
    /// `V_u`, against which identity and password can be tried offline: not printed.
    pub v_u: Secret<32>,
}

/// Authentication, terminal to server. The face travels in it, as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me5 {
    /// AID'.
    pub aid: Aid,
    /// `M1 = SP ⊕ x(m_i·P)`.
    pub m1: [u8; 32],
    /// `M2 = h2(x(m_i·P) ‖ ID ‖ T1)`.
    pub m2: [u8; 32],
    /// PP.
    pub pp: Auxiliary,
    /// BIO'.
    pub bio: Template,
    /// T1.
    pub t1: Timestamp,
}

/// Authentication, server to terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me7 {
    /// `M3 = SP ⊕ x(m_j·P)`.
    pub m3: [u8; 32],
    /// `M4 = h3(x(K) ‖ x(m_i·P) ‖ T3)`.
    pub m4: [u8; 32],
    /// T3.
    pub t3: Timestamp,
}

/// The third message of a suite that has none (W-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nothing;

impl Message for Me1 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in [self.id.expose(), self.password.expose()] {
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(self.bio.expose());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("Me1", bytes);
        let id = PatientId::parse(fields.prefixed("ID")?)?;
        let password = Password::parse(fields.prefixed("PW")?)?;
        let bio = Template::new(*fields.take::<TEMPLATE_BYTES>("BIO")?);
        fields.end()?;
        Ok(Self { id, password, bio })
    }
}

impl Message for Me3 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ME3_BYTES);
        bytes.extend(self.aid.as_bytes());
        bytes.extend(self.sp.expose());
        bytes.extend(self.pp.to_bytes());
        bytes.extend(self.v_u.expose());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("Me3", bytes, ME3_BYTES)?;
        let message = Self {
            aid: Aid::new(*fields.take("AID")?),
            sp: Secret::new(*fields.take("SP")?),
            pp: Auxiliary::parse(fields.take::<AUXILIARY_BYTES>("PP")?)?,
            v_u: Secret::new(*fields.take("V_u")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Me5 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ME5_BYTES);
        bytes.extend(self.aid.as_bytes());
        bytes.extend(self.m1);
        bytes.extend(self.m2);
        bytes.extend(self.pp.to_bytes());
        bytes.extend(self.bio.expose());
        bytes.extend(self.t1.to_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("Me5", bytes, ME5_BYTES)?;
        let message = Self {
            aid: Aid::new(*fields.take("AID")?),
            m1: *fields.take("M1")?,
            m2: *fields.take("M2")?,
            pp: Auxiliary::parse(fields.take::<AUXILIARY_BYTES>("PP")?)?,
            bio: Template::new(*fields.take::<TEMPLATE_BYTES>("BIO")?),
            t1: Timestamp::from_bytes(*fields.take("T1")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Me7 {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ME7_BYTES);
        bytes.extend(self.m3);
        bytes.extend(self.m4);
        bytes.extend(self.t3.to_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("Me7", bytes, ME7_BYTES)?;
        let message = Self {
            m3: *fields.take("M3")?,
            m4: *fields.take("M4")?,
            t3: Timestamp::from_bytes(*fields.take("T3")?),
        };
        fields.end()?;
        Ok(message)
    }
}

impl Message for Nothing {
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Fields::of("the empty third message", bytes)
            .end()
            .map(|()| Self)
    }
}
