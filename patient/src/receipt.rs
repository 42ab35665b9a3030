//! The receipt file: one JSON object with exactly one reading.
//!
//! Parsing is strict, because two verifiers must agree on what a receipt says: unknown keys, duplicate keys, upper-case
//! hexadecimal, fractions and wrong lengths are refused. Nothing in a parsed receipt is proved; [`crate::light`] does that.

mod fixed;
mod hexadecimal;

use contract::TransactionProof;
use contract::genesis::{Genesis, Kind};
use contract::identity::{ChainId, PublicKey, Root, SignatureBytes};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

pub use self::fixed::{Schema, Version};
pub use self::hexadecimal::Bytes;

/// No receipt file is longer: a transaction at its limit and the change of a full committee fit many times over.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// No path is longer: a tree of 2^32 leaves needs no more.
pub const PATH_STEPS_MAX: usize = 32;
/// No receipt proves more changes of the committee.
pub const EPOCHS_MAX: usize = 4096;
/// The largest committee of this version.
pub const MEMBERS_MAX: usize = 31;
/// Numbers above it are not exact in every JSON reader.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// What a patient keeps: a transaction, its outcome, and the proof that a quorum certified both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `aidchain.receipt/2`.
    pub schema: Schema,
    /// 1.
    pub version: Version,
    /// The ledger it is from.
    pub chain: ChainId,
    /// The kind of that ledger.
    pub kind: Kind,
    /// The signed transaction, as it was ordered; of a bundle of results its signed form and the signature.
    pub transaction: Bytes,
    /// The result of a bundle that it is about; none of another transaction.
    #[serde(deserialize_with = "written")]
    pub entry: Option<Entry>,
    /// Its place in the block, from 0.
    pub index: u32,
    /// How many transactions the block has.
    pub count: u32,
    /// From the transaction to the transactions root, lowest first.
    pub path: Vec<Root>,
    /// What executing it gave.
    pub outcome: Bytes,
    /// From the outcome to the outcomes root, lowest first.
    pub outcome_path: Vec<Root>,
    /// The block's header in its fixed layout.
    pub header: Bytes,
    /// The quorum's word for the header.
    pub certificate: Certificate,
    /// How the committee came to be the one that signed: one entry per finished epoch, oldest first.
    pub epochs: Vec<EpochProof>,
}

/// One result of a bundle. Of the others a receipt has hashes alone, so it names nobody but its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place in the bundle, from 0.
    pub index: u32,
    /// The result.
    pub bytes: Bytes,
    /// From the result to the root in the bundle's signed form, lowest first.
    pub path: Vec<Root>,
}

/// Signatures of members over one header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The epoch of the committee.
    pub epoch: u32,
    /// The height of the header.
    pub height: u64,
    /// Who signed.
    pub signatures: Vec<MemberSignature>,
}

/// One member's signature over a checkpoint statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSignature {
    /// The member's place in the committee, from 0.
    pub member: u16,
    /// The signature.
    pub signature: SignatureBytes,
}

/// The end of an epoch: its last header, certified by its committee, and the committee it hands over to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochProof {
    /// The last header of the epoch.
    pub header: Bytes,
    /// The keys of the next committee, in order.
    pub committee: Vec<PublicKey>,
    /// The certificate of the header, by the committee of the epoch that ends.
    pub certificate: Certificate,
}

/// Why bytes are not a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadReceipt {
    /// The file is too long.
    #[error("{length} bytes, at most {FILE_BYTES_MAX} are allowed")]
    TooLong {
        /// How many bytes came.
        length: usize,
    },
    /// It is not JSON of the prescribed form.
    #[error("{0}")]
    Form(String),
    /// A part of it is larger than allowed.
    #[error("{what} is larger than {limit}")]
    OverLimit {
        /// Which part.
        what: &'static str,
        /// How large it may be.
        limit: u64,
    },
}

impl Receipt {
    /// The receipt of what a proof shows, under the certificate of its block; without the ends of epochs before it. None if
    /// a place is too large for the file.
    pub fn of_proof(
        genesis: &Genesis,
        proof: TransactionProof,
        certificate: Certificate,
    ) -> Option<Self> {
        let narrow = |place| u32::try_from(place).ok();
        let roots = |path: Vec<[u8; 32]>| path.into_iter().map(Root::new).collect();
        let entry = match proof.entry {
            Some(shown) => Some(Entry {
                index: narrow(shown.index)?,
                bytes: Bytes(shown.bytes),
                path: roots(shown.path),
            }),
            None => None,
        };
        Some(Self {
            schema: Schema,
            version: Version,
            chain: *genesis.chain(),
            kind: genesis.kind(),
            transaction: Bytes(proof.transaction),
            entry,
            index: narrow(proof.index)?,
            count: narrow(proof.count)?,
            path: roots(proof.path),
            outcome: Bytes(proof.outcome),
            outcome_path: roots(proof.outcome_path),
            header: Bytes(proof.header),
            certificate,
            epochs: Vec::new(),
        })
    }

    /// Reads a receipt, or says why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReceipt> {
        let length = bytes.len();
        if length > FILE_BYTES_MAX {
            return Err(BadReceipt::TooLong { length });
        }
        let receipt: Self =
            serde_json::from_slice(bytes).map_err(|error| BadReceipt::Form(error.to_string()))?;
        receipt.limits()?;
        Ok(receipt)
    }

    /// The file, for people to look at: indented, with a line end.
    pub fn to_file(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    fn limits(&self) -> Result<(), BadReceipt> {
        within("path", self.path.len(), PATH_STEPS_MAX)?;
        within("outcome_path", self.outcome_path.len(), PATH_STEPS_MAX)?;
        let entry = self.entry.as_ref();
        within(
            "entry's path",
            entry.map_or(0, |entry| entry.path.len()),
            PATH_STEPS_MAX,
        )?;
        within("epochs", self.epochs.len(), EPOCHS_MAX)?;
        self.certificate.limits()?;
        self.epochs.iter().try_for_each(|epoch| {
            within("committee", epoch.committee.len(), MEMBERS_MAX)?;
            epoch.certificate.limits()
        })
    }
}

impl Certificate {
    pub(crate) fn limits(&self) -> Result<(), BadReceipt> {
        if self.height > NUMBER_MAX {
            return Err(BadReceipt::OverLimit {
                what: "height",
                limit: NUMBER_MAX,
            });
        }
        within("signatures", self.signatures.len(), MEMBERS_MAX)
    }
}

/// A value that must be written, if only as `null`: a key that is left out has no second reading.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Entry>, D::Error> {
    Option::deserialize(deserializer)
}

pub(crate) fn within(what: &'static str, length: usize, limit: usize) -> Result<(), BadReceipt> {
    if length <= limit {
        return Ok(());
    }
    Err(BadReceipt::OverLimit {
        what,
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Receipt {
        Receipt {
            schema: Schema,
            version: Version,
            chain: ChainId::new([1; 32]),
            kind: Kind::Research,
            transaction: Bytes(vec![2, 3]),
            entry: Some(Entry {
                index: 1,
                bytes: Bytes(vec![9]),
                path: vec![Root::new([10; 32])],
            }),
            index: 0,
            count: 2,
            path: vec![Root::new([4; 32])],
            outcome: Bytes(vec![5]),
            outcome_path: vec![Root::new([6; 32])],
            header: Bytes(vec![7]),
            certificate: Certificate {
                epoch: 0,
                height: 9,
                signatures: vec![MemberSignature {
                    member: 3,
                    signature: SignatureBytes::new([8; 64]),
                }],
            },
            epochs: Vec::new(),
        }
    }

    #[test]
    fn a_receipt_comes_back_from_its_file() {
        let receipt = sample();
        assert_eq!(Receipt::parse(receipt.to_file().as_bytes()), Ok(receipt));
    }

    #[test]
    fn a_file_with_a_second_reading_is_refused() {
        let good = serde_json::to_string(&sample()).expect("json");
        assert_eq!(Receipt::parse(good.as_bytes()), Ok(sample()));
        for (from, to) in [
            ("\"index\":0", "\"index\":0,\"index\":1"),
            ("\"index\":0", "\"index\":0.0"),
            ("\"index\":0", "\"index\":-0"),
            ("\"index\":0", "\"index\":\"0\""),
            ("\"index\":0", "\"index\":4294967296"),
            ("\"index\":0", "\"index\":0,\"note\":\"hello\""),
            ("{\"index\":1", "{\"index\":1,\"index\":1"),
            ("{\"index\":1", "{\"index\":-1"),
            ("{\"index\":1,", "{"),
            ("\"bytes\":\"09\"", "\"bytes\":\"9\""),
            ("\"bytes\":\"09\"", "\"bytes\":\"09\",\"note\":0"),
            ("\"entry\":{", "\"entry\":null,\"entry\":{"),
            ("\"entry\":{", "\"extra\":{"),
            ("\"member\":3", "\"member\":3,\"key\":\"00\""),
            ("\"height\":9", "\"height\":9,\"height\":9"),
            ("\"height\":9", "\"height\":9007199254740992"),
            ("\"outcome\":\"05\"", "\"outcome\":\"5\""),
            ("\"header\":\"07\"", "\"header\":\"0G\""),
            ("\"transaction\":\"0203\"", "\"transaction\":\"020A\""),
            ("0404", "0x04"),
            ("receipt/2", "receipt/1"),
            ("\"version\":1", "\"version\":2"),
            ("research", "Research"),
            ("\"epochs\":[]", "\"epochs\":null"),
            (",\"epochs\":[]", ""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(
                matches!(
                    Receipt::parse(bad.as_bytes()),
                    Err(BadReceipt::Form(_) | BadReceipt::OverLimit { .. })
                ),
                "{from} -> {to}"
            );
        }
        for bad in [format!("{good} x"), format!("[{good}]"), String::new()] {
            assert!(matches!(
                Receipt::parse(bad.as_bytes()),
                Err(BadReceipt::Form(_))
            ));
        }
    }

    #[test]
    fn each_limit_holds_at_its_edge() {
        let mut receipt = sample();
        receipt.path = vec![Root::new([0; 32]); PATH_STEPS_MAX];
        assert_eq!(
            Receipt::parse(receipt.to_file().as_bytes()).as_ref(),
            Ok(&receipt)
        );
        receipt.path.push(Root::new([0; 32]));
        assert_eq!(
            Receipt::parse(receipt.to_file().as_bytes()),
            Err(BadReceipt::OverLimit {
                what: "path",
                limit: 32
            })
        );

        let mut receipt = sample();
        let entry = receipt.entry.as_mut().unwrap();
        entry.path = vec![Root::new([0; 32]); PATH_STEPS_MAX + 1];
        assert_eq!(
            Receipt::parse(receipt.to_file().as_bytes()),
            Err(BadReceipt::OverLimit {
                what: "entry's path",
                limit: 32
            })
        );

        let mut receipt = sample();
        let one = receipt.certificate.signatures[0].clone();
        receipt.certificate.signatures = vec![one; MEMBERS_MAX + 1];
        assert_eq!(
            Receipt::parse(receipt.to_file().as_bytes()),
            Err(BadReceipt::OverLimit {
                what: "signatures",
                limit: 31
            })
        );

        let blank = vec![b' '; FILE_BYTES_MAX + 1];
        assert_eq!(
            Receipt::parse(&blank),
            Err(BadReceipt::TooLong {
                length: FILE_BYTES_MAX + 1
            })
        );
    }
}
