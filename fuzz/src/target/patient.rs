//! What a terminal reads: receipts, cards, captures, addresses, codes and times.

use std::fs;
use std::path::{Path, PathBuf};

use contract::{Genesis, Height};
use patient::capture::CaptureFile;
use patient::card::{self, Held, Profile};
use patient::client::Url;
use patient::code::{Code, SupportCode};
use patient::files::{self, Readers};
use patient::light::{Expect, verify};
use patient::receipt::Receipt;
use patient::{known, utc};
use protocol::BiometricSource as _;
use protocol::suite::Message as _;
use protocol::{limbasiya, wu};
use serde_json::Value;
use tempfile::TempDir;

use super::{Target, Verdict, canonical, holds};

/// When the receipts of the test vectors are judged.
const NOW_MS: u64 = 1_795_305_600_000;

/// The foundation of most test vectors.
const GENESIS: &[u8] = include_bytes!("../../../patient/tests/vectors/receipts/genesis-4.json");

/// Valid receipts of that ledger.
const RECEIPTS: [&[u8]; 5] = [
    include_bytes!("../../../patient/tests/vectors/receipts/valid-sign-in.json"),
    include_bytes!("../../../patient/tests/vectors/receipts/valid-bundle.json"),
    include_bytes!("../../../patient/tests/vectors/receipts/valid-last-leaf.json"),
    include_bytes!("../../../patient/tests/vectors/receipts/valid-registration.json"),
    include_bytes!("../../../patient/tests/vectors/receipts/valid-second-epoch.json"),
];

/// Those of this crate.
pub(super) fn targets() -> Vec<Target> {
    let mut all = vec![receipt(), card(), capture(), known_height(), genesis_file()];
    all.extend(texts());
    all
}

/// The foundation.
fn genesis() -> Genesis {
    Genesis::parse(GENESIS).unwrap_or_else(|error| unreachable!("a test vector: {error}"))
}

/// A folder that goes with its owner, in memory where the system has that.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_none| tempfile::tempdir())
        .unwrap_or_else(|error| unreachable!("no place for files: {error}"))
}

/// Writes an input to where a decoder looks for it.
pub(super) fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap_or_else(|error| unreachable!("{}: {error}", path.display()));
}

/// Whether two files say the same as JSON.
fn same_json(one: &[u8], other: &[u8]) -> bool {
    match (
        serde_json::from_slice::<Value>(one),
        serde_json::from_slice::<Value>(other),
    ) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// A receipt says one thing, and what it proves is what was certified.
fn receipt() -> Target {
    let genesis = genesis();
    let proved = move |bytes: &[u8]| {
        let receipt = Receipt::parse(bytes).ok()?;
        let (_report, verdict) = verify(&receipt, &genesis, &Expect::default(), NOW_MS);
        // Who of a quorum signed, anybody may leave out; who adds a signature needs a key.
        let proved = verdict.ok()?;
        Some((
            proved.content,
            proved.transaction,
            proved.height,
            proved.state_root,
        ))
    };
    let truth: Vec<_> = RECEIPTS.iter().filter_map(|bytes| proved(bytes)).collect();
    assert_eq!(truth.len(), RECEIPTS.len(), "the samples are valid");
    let samples = RECEIPTS.map(<[u8]>::to_vec).to_vec();
    Target::json("patient/receipt", samples, move |bytes| {
        let Ok(receipt) = Receipt::parse(bytes) else {
            return Verdict::Refused;
        };
        if proved(bytes).is_some_and(|it| !truth.contains(&it)) {
            return Verdict::Broken("it proves what was never certified".to_owned());
        }
        let again = receipt.to_file();
        holds(
            same_json(bytes, again.as_bytes()),
            "it reads something else than is written",
        )
    })
}

/// A card comes back as it was written.
fn card() -> Target {
    let (folder, genesis) = (folder(), genesis());
    let me3 = wu::Me3::parse(&[7; wu::message::ME3_BYTES]);
    let id = wu::PatientId::parse(b"synthetic");
    let (Ok(me3), Ok(id)) = (me3, id) else {
        unreachable!("both have the right length")
    };
    let path = folder.path().join("sample.card");
    let first = wu::Card::new(me3, &id);
    let Ok(second) = limbasiya::Card::parse(&[7; 180]) else {
        unreachable!("it has the right length")
    };
    // The first file stays, as its owner's alone: what is tried is put into it.
    let second_path = folder.path().join("second.card");
    let samples = [
        (&path, Held::Wu(&first)),
        (&second_path, Held::Limbasiya(&second)),
    ];
    let samples = samples.map(|(path, held)| {
        let written = card::write(path, &genesis, held);
        assert!(written.is_ok(), "the sample is written");
        fs::read(path).unwrap_or_default()
    });
    Target::json("patient/card", samples.to_vec(), move |bytes| {
        put(&path, bytes);
        let other = folder.path().join("again.card");
        let again = match (
            card::read_wu(&path, &genesis),
            card::read_limbasiya(&path, &genesis),
        ) {
            (Ok(read), Err(_)) => card::write(&other, &genesis, Held::Wu(&read)),
            (Err(_), Ok(read)) => card::write(&other, &genesis, Held::Limbasiya(&read)),
            (Ok(_), Ok(_)) => return holds(false, "two suites take one card for theirs"),
            (Err(_), Err(_)) => return Verdict::Refused,
        };
        let text = fs::read(&other).unwrap_or_default();
        let gone = fs::remove_file(&other);
        let spelt = String::from_utf8_lossy(bytes).to_lowercase();
        holds(
            again.is_ok() && gone.is_ok() && same_json(spelt.as_bytes(), &text),
            "it reads something else than is written",
        )
    })
}

/// A capture is read or refused, and the refusal does not quote a face.
fn capture() -> Target {
    let folder = folder();
    let path = folder.path().join("capture.json");
    let template = hex::encode([0xab; 256]);
    let embedding = hex::encode([0xab; 128]);
    let head = r#""schema":"aidchain.capture/1","modality":"face""#;
    let samples = vec![
        format!("{{{head},\"template\":\"{template}\"}}").into_bytes(),
        format!("{{{head},\"embedding_q\":\"{embedding}\"}}").into_bytes(),
        format!("{{{head},\"template\":\"{template}\",\"embedding_q\":\"{embedding}\"}}")
            .into_bytes(),
    ];
    Target::json("patient/capture file", samples, move |bytes| {
        let _kept = &folder;
        put(&path, bytes);
        match CaptureFile::new(&path).capture() {
            Ok(_capture) => Verdict::Taken,
            Err(failure) if format!("{failure:?}").contains("abababab") => {
                Verdict::Broken("the refusal quotes the capture".to_owned())
            }
            Err(_) => Verdict::Refused,
        }
    })
}

/// The height beside a card.
fn known_height() -> Target {
    let (folder, genesis) = (folder(), genesis());
    let card = folder.path().join("mine.card");
    let noted = known::note(&card, genesis.chain(), Height::new(7));
    assert!(noted.is_ok(), "the sample is written");
    let path = card.with_extension("height.json");
    let sample = fs::read(&path).unwrap_or_default();
    Target::json("patient/known height", vec![sample], move |bytes| {
        let _kept = &folder;
        put(&path, bytes);
        match known::height(&card, genesis.chain()) {
            Ok(_height) => Verdict::Taken,
            Err(_) => Verdict::Refused,
        }
    })
}

/// A genesis file that a terminal is pointed at.
fn genesis_file() -> Target {
    let folder = folder();
    let path: PathBuf = folder.path().join("genesis.json");
    let made = files::write_new(&path, GENESIS, Readers::All, Code::FileExists);
    assert!(made.is_ok(), "the sample is written");
    Target::json(
        "patient/genesis file",
        vec![GENESIS.to_vec()],
        move |bytes| {
            let _kept = &folder;
            put(&path, bytes);
            match files::genesis(&path) {
                Ok((_genesis, file)) => canonical(bytes, Some(file)),
                Err(_) => Verdict::Refused,
            }
        },
    )
}

/// Short texts.
fn texts() -> Vec<Target> {
    let urls = [
        "https://127.0.0.1:8100",
        "http://clinic-a:8200",
        "https://[::1]:8100",
        "https://a/",
    ];
    vec![
        Target::text("patient/address", &urls, |text| {
            let Ok(url) = text.parse::<Url>() else {
                return Verdict::Refused;
            };
            let plain = text.strip_suffix('/').unwrap_or(text);
            let usual = if url.is_tls() { ":443" } else { ":80" };
            let whole = url.to_string();
            let short = whole.strip_suffix(usual);
            holds(
                plain == whole || short == Some(plain),
                "part of the text is not read",
            )
        }),
        Target::text("patient/support code", &["AC-7F3K", " ac-22zz "], |text| {
            let read = text.parse::<SupportCode>().ok();
            let upper = text.trim().to_ascii_uppercase();
            canonical(upper.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text("patient/error code", &["AC0107", "ac0405"], |text| {
            let read = text.parse::<Code>().ok();
            let upper = text.trim().to_ascii_uppercase();
            canonical(upper.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text("patient/profile", &["mine", "p-1"], |text| {
            let read = text.parse::<Profile>().ok();
            canonical(text.as_bytes(), read.map(|it| it.to_string().into_bytes()))
        }),
        Target::text(
            "patient/time",
            &["2026-11-22", "2026-11-22T00:01:42Z", "1970-01-01 00:00:00"],
            |text| {
                let Ok(ms) = utc::parse(text) else {
                    return Verdict::Refused;
                };
                let same = utc::text(ms).starts_with(text.replace(' ', "T").trim_end_matches('Z'));
                holds(same, "it is another time than is written")
            },
        ),
    ]
}
