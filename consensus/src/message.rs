//! The six messages of the protocol, as their senders sign them.

use core::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::certificate::{Certificate, CheckpointCertificate, PreparedCertificate};
use crate::committee::Committee;
use crate::digest::{Digest, Domain};
use crate::encoding;
use crate::error::Rejected;
use crate::number::{Seq, View};
use crate::reproposal::reproposals;
use crate::signed::{Kind, Scheme, Signable, Signed};

/// W: how far above `base` a replica votes. A genesis parameter may set it lower.
pub const WINDOW_MAX: u64 = 64;

/// Declares a vote of the normal case; the three differ in nothing but their type.
macro_rules! vote {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// The view in which it is said.
            pub view: View,
            /// The sequence number it is about.
            pub seq: Seq,
            /// The digest of the batch.
            pub digest: Digest,
        }

        impl Signable for $name {
            const KIND: Kind = Kind::$name;

            fn view(&self) -> View {
                self.view
            }

            fn seq(&self) -> Seq {
                self.seq
            }

            fn digest(&self) -> Digest {
                self.digest
            }
        }
    };
}

vote! {
    /// The primary proposes a batch, which travels beside this (§4.2).
    PrePrepare
}

vote! {
    /// A backup agrees to the proposal (§4.2).
    Prepare
}

vote! {
    /// A replica holds a prepared certificate (§4.2).
    Commit
}

/// A replica has executed a block with this result (§4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The block's height.
    pub seq: Seq,
    /// The hash of its header.
    pub header: Digest,
}

impl Signable for Checkpoint {
    const KIND: Kind = Kind::Checkpoint;

    // None: replicas may have committed the same batch in different views.
    fn view(&self) -> View {
        View::ZERO
    }

    fn seq(&self) -> Seq {
        self.seq
    }

    fn digest(&self) -> Digest {
        self.header
    }
}

/// The last stable checkpoint of a replica in this epoch, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StableProof {
    /// The block before the epoch's first one: known to all who are in the epoch.
    Origin(Seq),
    /// A later one.
    Certified(CheckpointCertificate),
}

impl StableProof {
    /// Its sequence number.
    pub const fn seq(&self) -> Seq {
        match self {
            Self::Origin(seq) => *seq,
            Self::Certified(certificate) => certificate.seq,
        }
    }
}

/// What a VIEW-CHANGE says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChangeBody {
    /// The view its sender wants to enter.
    pub view: View,
    /// The sender's stable checkpoint (C in the paper).
    pub stable: StableProof,
    /// For each higher sequence number the prepared certificate of the highest view (P in the paper).
    pub prepared: Vec<PreparedCertificate>,
}

/// What a NEW-VIEW says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewViewBody {
    /// The view that begins.
    pub view: View,
    /// VIEW-CHANGEs of a quorum, in ascending order of senders (V in the paper).
    pub view_changes: Vec<Signed<ViewChange>>,
    /// A proposal for each sequence number that they leave open (O in the paper).
    pub pre_prepares: Vec<Signed<PrePrepare>>,
}

/// A body kept with the very bytes that its sender signed; cloning shares both.
struct Sealed<T> {
    /// The bytes as sent.
    bytes: Arc<[u8]>,
    /// What they say.
    body: Arc<T>,
    /// The digest of the bytes.
    digest: Digest,
}

impl<T: Serialize + for<'de> Deserialize<'de>> Sealed<T> {
    /// Encodes a body of our own.
    fn of(domain: Domain, body: T) -> Self {
        let bytes = encoding::encode(&body);
        Self {
            digest: Digest::of(domain, &bytes),
            bytes: bytes.into(),
            body: Arc::new(body),
        }
    }

    /// Decodes the bytes of a body.
    fn open(domain: Domain, bytes: &[u8]) -> Result<Self, encoding::DecodeError> {
        let body = Arc::new(encoding::decode(bytes)?);
        Ok(Self {
            bytes: bytes.into(),
            body,
            digest: Digest::of(domain, bytes),
        })
    }
}

/// Declares a message whose body is signed by its hash and kept as sent.
macro_rules! sealed {
    ($(#[$doc:meta])* $name:ident, $body:ident, $visitor:ident) => {
        $(#[$doc])*
        pub struct $name(Sealed<$body>);

        impl $name {
            /// A message of this body.
            pub fn new(body: $body) -> Self {
                Self(Sealed::of(Domain::$name, body))
            }

            /// What it says.
            pub fn body(&self) -> &$body {
                &self.0.body
            }
        }

        impl Clone for $name {
            fn clone(&self) -> Self {
                let Sealed { bytes, body, digest } = &self.0;
                Self(Sealed { bytes: Arc::clone(bytes), body: Arc::clone(body), digest: *digest })
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.digest == other.0.digest
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.body().fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0.bytes)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_bytes($visitor)
            }
        }

        #[doc = concat!("Takes the bytes of a [`", stringify!($name), "`].")]
        struct $visitor;

        impl Visitor<'_> for $visitor {
            type Value = $name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("the bytes of a ", stringify!($body)))
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<$name, E> {
                Sealed::open(Domain::$name, bytes).map($name).map_err(E::custom)
            }
        }
    };
}

sealed! {
    /// A replica leaves its view and says what it has prepared (§4.4).
    ViewChange, ViewChangeBody, ViewChangeVisitor
}

sealed! {
    /// The new primary begins its view with what a quorum had prepared (§4.4).
    NewView, NewViewBody, NewViewVisitor
}

impl Signable for ViewChange {
    const KIND: Kind = Kind::ViewChange;

    fn view(&self) -> View {
        self.body().view
    }

    fn seq(&self) -> Seq {
        self.body().stable.seq()
    }

    fn digest(&self) -> Digest {
        self.0.digest
    }

    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        let ViewChangeBody {
            view,
            stable,
            prepared,
        } = self.body();
        if let StableProof::Certified(certificate) = stable {
            certificate.check(committee)?;
        }
        let last = stable.seq().plus(WINDOW_MAX);
        let mut above = stable.seq();
        for certificate in prepared {
            let in_order = above < certificate.seq && certificate.seq <= last;
            if !in_order || certificate.view >= *view {
                return Err(Rejected::BadCertificate {
                    seq: certificate.seq,
                });
            }
            certificate.check(committee)?;
            above = certificate.seq;
        }
        Ok(())
    }
}

impl Signable for NewView {
    const KIND: Kind = Kind::NewView;

    fn view(&self) -> View {
        self.body().view
    }

    fn seq(&self) -> Seq {
        let stables = self
            .body()
            .view_changes
            .iter()
            .map(|change| change.body.seq());
        stables.max().unwrap_or(Seq::ZERO)
    }

    fn digest(&self) -> Digest {
        self.0.digest
    }

    // Cheap checks first: a NEW-VIEW may carry thousands of signatures.
    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        let NewViewBody {
            view,
            view_changes,
            pre_prepares,
        } = self.body();
        let bad = Rejected::BadNewView { view: *view };
        let senders = view_changes.iter().map(|change| change.from);
        let ascending = senders
            .clone()
            .zip(senders.skip(1))
            .all(|(one, next)| one < next);
        let same_view = view_changes
            .iter()
            .all(|change| change.body.view() == *view);
        if !ascending || !same_view || view_changes.len() < committee.quorum() {
            return Err(bad);
        }
        let open = reproposals(view_changes);
        let primary = committee.primary(*view);
        let same = |(signed, (seq, digest)): (&Signed<PrePrepare>, (Seq, Digest))| {
            signed.from == primary
                && signed.body
                    == PrePrepare {
                        view: *view,
                        seq,
                        digest,
                    }
        };
        if pre_prepares.len() != open.len() || !pre_prepares.iter().zip(open).all(same) {
            return Err(bad);
        }
        view_changes
            .iter()
            .try_for_each(|change| change.check(committee))?;
        pre_prepares
            .iter()
            .try_for_each(|proposal| proposal.check(committee))
    }
}
