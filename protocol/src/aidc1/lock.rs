//! What a patient's root is locked under: device, password and face, or the recovery
//! code in the place of the face.

use core::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use contract::Aid;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::aead::{OnceKey, Sealed, TAG_BYTES};
use super::kdf::Extracted;
use super::recovery::RecoveryCode;
use super::root::{DeviceSecret, Handle, Root};
use crate::biometric::{ENROLMENT_CAPTURES, Embedding, Template};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::fuzzy::{self, AUXILIARY_BYTES, Auxiliary, RandomString};
use crate::projection::Projection;
use crate::secret::Secret;

/// Bytes of Argon2id's salt.
pub const SALT_BYTES: usize = 16;

/// Bytes of a root.
const ROOT_BYTES: usize = 32;

/// The version of the lock and of the card around it.
pub(super) const VERSION: u8 = 1;

/// Bytes of the associated data.
const AD_BYTES: usize = 1 + 32 + Handle::BYTES + SALT_BYTES + 6;

/// Lanes of Argon2id: one, on every card.
const LANES: u8 = 1;

/// What Argon2id costs, within the bounds that a card may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    memory_kib: u32,
    passes: u8,
}

impl Cost {
    /// What a new lock takes: 64 MiB, three passes.
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
    };
    /// The least memory, in KiB: 19 MiB.
    pub const MEMORY_KIB_MIN: u32 = 19 * 1024;
    /// The most memory, in KiB: 256 MiB.
    pub const MEMORY_KIB_MAX: u32 = 256 * 1024;
    /// The most passes; the least is one.
    pub const PASSES_MAX: u8 = 10;

    /// This cost, if it lies within the bounds.
    pub fn new(memory_kib: u32, passes: u8) -> Option<Self> {
        let memory = Self::MEMORY_KIB_MIN..=Self::MEMORY_KIB_MAX;
        let fits = memory.contains(&memory_kib) && (1..=Self::PASSES_MAX).contains(&passes);
        fits.then_some(Self { memory_kib, passes })
    }

    /// memory 4 ‖ passes 1 ‖ lanes 1.
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.memory_kib.to_be_bytes());
        bytes.extend([self.passes, LANES]);
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let memory_kib = u32::from_be_bytes(*fields.take("memory")?);
        let [passes, lanes] = *fields.take("passes and lanes")?;
        if lanes != LANES {
            return Err(fields.wrong("lanes", "is not 1"));
        }
        let cost = Self::new(memory_kib, passes);
        cost.ok_or_else(|| fields.wrong("cost", "lies outside 19 to 256 MiB and 1 to 10 passes"))
    }
}

/// What the seals of one lock are bound to, readable by everybody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The patient's first AID.
    pub aid: Aid,
    /// Names the enrolment at the evaluators.
    pub handle: Handle,
    /// Argon2id's salt.
    pub salt: [u8; SALT_BYTES],
    /// Argon2id's cost.
    pub cost: Cost,
}

impl Binding {
    /// A binding with a fresh salt at the standard cost. Draws 16 bytes.
    pub fn draw(aid: Aid, handle: Handle, rng: &mut impl CryptoRng) -> Self {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        Self {
            aid,
            handle,
            salt,
            cost: Cost::STANDARD,
        }
    }

    /// AD: version ‖ AID ‖ handle ‖ salt ‖ cost.
    pub(super) fn associated_data(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(AD_BYTES);
        bytes.push(VERSION);
        self.write(&mut bytes);
        bytes
    }

    /// AID ‖ handle ‖ salt ‖ cost.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.aid.as_bytes());
        bytes.extend(self.handle.as_bytes());
        bytes.extend(self.salt);
        self.cost.write(bytes);
    }

    /// What [`Binding::write`] wrote.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            aid: Aid::new(*fields.take("AID")?),
            handle: Handle::new(*fields.take("handle")?),
            salt: *fields.take("salt")?,
            cost: Cost::read(fields)?,
        })
    }
}

/// The terminal has not enough memory for Argon2id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{0} KiB of memory cannot be had: close other programs and try again")]
pub struct OutOfMemory(u32);

/// `tk`: what device and password come to. Wiped when dropped. There are no copies: it
/// seals one lock, or tries to open one.
#[derive(PartialEq, Eq, Debug)]
pub struct TerminalKey(Secret<32>);

impl TerminalKey {
    /// HKDF(salt = d, ikm = Argon2id(r), "aidc1/tk" ‖ handle).
    pub fn derive(
        output: &Secret<64>,
        device: &DeviceSecret,
        binding: &Binding,
    ) -> Result<Self, OutOfMemory> {
        let Cost { memory_kib, passes } = binding.cost;
        let refused = OutOfMemory(memory_kib);
        let params = Params::new(memory_kib, u32::from(passes), u32::from(LANES), Some(32));
        let argon2 = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            params.map_err(|_error| refused)?,
        );
        // Our own memory, since the crate's is not wiped, and its last block gives the tag.
        let mut memory = Zeroizing::new(Vec::new());
        let blocks = argon2.params().block_count();
        memory.try_reserve_exact(blocks).map_err(|_error| refused)?;
        memory.resize(blocks, Block::new());
        let mut stretched = [0; 32];
        argon2
            .hash_password_into_with_memory(
                output.expose(),
                &binding.salt,
                &mut stretched,
                memory.as_mut_slice(),
            )
            .map_err(|_error| refused)?;
        let prk = Extracted::new(device.expose(), &stretched);
        stretched.zeroize();
        Ok(Self(prk.expand(&[b"aidc1/tk", binding.handle.as_bytes()])))
    }

    /// The key of these bytes.
    pub const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// W.
    pub fn projection(&self) -> Projection {
        Projection::keyed(self.expand(b"aidc1/bio/w").expose())
    }

    fn box_key(&self) -> OnceKey {
        OnceKey::new(self.expand(b"aidc1/bio/pp"))
    }

    fn face_key(&self, sp: &RandomString) -> OnceKey {
        let prk = Extracted::new(sp.expose(), self.0.expose());
        OnceKey::new(prk.expand(&[b"aidc1/unlock"]))
    }

    fn code_key(&self, code: &RecoveryCode) -> OnceKey {
        let prk = Extracted::new(code.expose(), self.0.expose());
        OnceKey::new(prk.expand(&[b"aidc1/unlock-code"]))
    }

    fn expand(&self, info: &[u8]) -> Secret<32> {
        Extracted::new(&[], self.0.expose()).expand(&[info])
    }
}

/// PP and the root under a face.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Face {
    /// `box`.
    pp: Sealed<AUXILIARY_BYTES>,
    /// `V_u`.
    root: Sealed<ROOT_BYTES>,
}

/// A sealed root. Nothing in it can be tried without device and evaluators.
#[derive(Clone, PartialEq, Eq)]
pub struct Lock {
    binding: Binding,
    /// Missing where the patient enrolled no face.
    face: Option<Face>,
    /// `V_c`.
    code: Sealed<ROOT_BYTES>,
}

impl Lock {
    /// Seals the root, and spends tk, since every key that comes of it seals once. The
    /// binding is the one that tk was derived with, its handle and salt fresh. Draws what `Gen` draws, if a face is enrolled.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tk is spent: a second lock under it would use its keys twice"
    )]
    pub fn seal(
        binding: Binding,
        tk: TerminalKey,
        root: &Root,
        (code, captures): (&RecoveryCode, Option<[&Embedding; ENROLMENT_CAPTURES]>),
        rng: &mut impl CryptoRng,
    ) -> Self {
        let ad = binding.associated_data();
        let face = captures.map(|captures| {
            let projection = tk.projection();
            let templates = captures.map(|capture| projection.project(capture));
            let (sp, pp) = fuzzy::generate(&Template::majority(templates.each_ref()), rng);
            Face {
                pp: tk.box_key().seal(&ad, &Zeroizing::new(pp.to_bytes())),
                root: tk.face_key(&sp).seal(&ad, root.expose()),
            }
        });
        let code = tk.code_key(code).seal(&ad, root.expose());
        Self {
            binding,
            face,
            code,
        }
    }

    /// What it is bound to.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Whether a face opens it, or the code alone beside device and password.
    pub const fn has_face(&self) -> bool {
        self.face.is_some()
    }

    /// PP, if this key opens the box.
    pub(super) fn open_box(&self, tk: &TerminalKey) -> Option<Auxiliary> {
        let sealed = &self.face.as_ref()?.pp;
        let plain = tk.box_key().open(&self.binding.associated_data(), sealed)?;
        Auxiliary::parse(plain.expose()).ok()
    }

    /// The root, by this face.
    pub(super) fn open_by_face(
        &self,
        tk: &TerminalKey,
        pp: &Auxiliary,
        capture: &Embedding,
    ) -> Option<Root> {
        let template = tk.projection().project(capture);
        let sp = fuzzy::reproduce(&template, pp)?;
        self.open_root(tk.face_key(&sp), &self.face.as_ref()?.root)
    }

    /// The root, by the recovery code.
    pub(super) fn open_by_code(&self, tk: &TerminalKey, code: &RecoveryCode) -> Option<Root> {
        self.open_root(tk.code_key(code), &self.code)
    }

    fn open_root(&self, key: OnceKey, sealed: &Sealed<ROOT_BYTES>) -> Option<Root> {
        let plain = key.open(&self.binding.associated_data(), sealed)?;
        Some(Root::new(plain))
    }

    /// face 1 [‖ box ‖ `V_u`] ‖ `V_c`.
    pub(super) fn write_seals(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self.has_face()));
        if let Some(Face { pp, root }) = &self.face {
            bytes.extend(pp.parts().concat());
            bytes.extend(root.parts().concat());
        }
        bytes.extend(self.code.parts().concat());
    }

    /// What [`Lock::write_seals`] wrote.
    pub(super) fn read_seals(binding: Binding, fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let face = match fields.take("face")? {
            [0] => None,
            [1] => Some(Face {
                pp: read_sealed(fields, "box")?,
                root: read_sealed(fields, "V_u")?,
            }),
            _ => return Err(fields.wrong("face", "is neither 0 nor 1")),
        };
        Ok(Self {
            binding,
            face,
            code: read_sealed(fields, "V_c")?,
        })
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lock({:?}, sealed)", self.binding)
    }
}

/// A sealed part of a card.
pub(super) fn read_sealed<const N: usize>(
    fields: &mut Fields<'_>,
    name: &'static str,
) -> Result<Sealed<N>, Malformed> {
    let body = *fields.take(name)?;
    Ok(Sealed::new(body, *fields.take::<TAG_BYTES>(name)?))
}
