//! Which files belong to a profile: the card, and beside it the device's secret, what is pending, the genesis file and
//! the height that is known.

use std::fs::File;
use std::path::{Path, PathBuf};

use protocol::Secret;
use protocol::aidc1::DeviceSecret;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::card::{self, Profile};
use crate::code::Code;
use crate::files::{self, Readers};
use crate::output::Failure;

/// The first line of a device's file.
const DEVICE_HEAD: &str = "aidchain-device/1";
const DEVICE_BYTES_MAX: usize = 1 << 10;

/// The files of one profile.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    card: PathBuf,
    device: PathBuf,
}

/// One command at a time changes a card. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    _file: File,
}

impl Place {
    /// The files of this profile, where no other places are named.
    pub(crate) fn of(
        profile: &Profile,
        card: Option<&Path>,
        device: Option<&Path>,
    ) -> Result<Self, Failure> {
        let card = card::path(profile, card)?;
        let device = device.map_or_else(|| card.with_extension("device"), Path::to_owned);
        let place = Self { card, device };
        let own = [
            place.pending(),
            place.held(),
            card::genesis_path(&place.card),
        ];
        if place.card == place.device || own.contains(&place.card) || own.contains(&place.device) {
            return Err(Failure::new(Code::Usage)
                .message("card and device need files of their own")
                .help("end the card's name with .card, or name another file with --device"));
        }
        Ok(place)
    }

    pub(crate) fn card(&self) -> &Path {
        &self.card
    }

    pub(crate) fn device(&self) -> &Path {
        &self.device
    }

    /// Where an enrolment is kept that is not finished.
    pub(crate) fn pending(&self) -> PathBuf {
        self.card.with_extension("pending")
    }

    fn held(&self) -> PathBuf {
        self.card.with_extension("lock")
    }

    /// Waits until no other command uses this card.
    pub(crate) fn hold(&self) -> Result<Held, Failure> {
        if let Some(folder) = self.card.parent().filter(|it| *it != Path::new("")) {
            files::make_folder(folder)?;
        }
        let path = self.held();
        let failed = |error| files::cannot_write(&path, &error);
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Held { _file: file })
    }

    /// The secret of this device.
    pub(crate) fn device_secret(&self) -> Result<DeviceSecret, Failure> {
        if !self.device.exists() {
            return Err(Failure::new(Code::DeviceMissing)
                .because(format!("{} is not there", self.device.display())));
        }
        files::check_private(&self.device, Code::SecretTooOpen)?;
        let bytes = files::read(&self.device, DEVICE_BYTES_MAX)?;
        read_device(&bytes).ok_or_else(|| {
            Failure::new(Code::CardDamaged).message(format!(
                "{} is not a device's secret",
                self.device.display()
            ))
        })
    }

    /// The secret of this device, made if there is none yet.
    pub(crate) fn ensure_device(&self, rng: &mut impl CryptoRng) -> Result<DeviceSecret, Failure> {
        if self.device.exists() {
            return self.device_secret();
        }
        let secret = DeviceSecret::draw(rng);
        let hex = Zeroizing::new(hex::encode(secret.expose()));
        let text = Zeroizing::new(format!("{DEVICE_HEAD}\n{}\n", hex.as_str()));
        if let Some(folder) = self.device.parent().filter(|it| *it != Path::new("")) {
            files::make_folder(folder)?;
        }
        files::write_new(
            &self.device,
            text.as_bytes(),
            Readers::Owner,
            Code::FileExists,
        )?;
        Ok(secret)
    }
}

fn read_device(bytes: &[u8]) -> Option<DeviceSecret> {
    let text = str::from_utf8(bytes).ok()?;
    let digits = text.strip_prefix(DEVICE_HEAD)?.strip_prefix('\n')?;
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits.strip_suffix('\n')?, secret.as_mut()).ok()?;
    Some(DeviceSecret::new(Secret::new(*secret)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn place(folder: &Path) -> Place {
        let profile = "mine".parse().expect("profile");
        Place::of(&profile, Some(&folder.join("mine.card")), None).expect("place")
    }

    #[test]
    fn a_device_s_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let place = place(folder.path());
        let mut rng = crate::dice::seeded().expect("dice");
        let missing = place.device_secret().expect_err("none yet");
        assert_eq!(missing.code(), Code::DeviceMissing);

        let made = place.ensure_device(&mut rng).expect("made");

        assert_eq!(place.ensure_device(&mut rng), Ok(made.clone()));
        assert_eq!(place.device_secret(), Ok(made));
        let access = fs::metadata(place.device()).expect("file").permissions();
        assert_eq!(access.mode() & 0o777, 0o600);
        fs::set_permissions(place.device(), fs::Permissions::from_mode(0o640)).expect("chmod");
        let open = place.device_secret().expect_err("open");
        assert_eq!(open.code(), Code::SecretTooOpen);
    }

    #[test]
    fn what_is_no_device_s_secret_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().expect("folder");
        let place = place(folder.path());
        let digits = "ab".repeat(32);
        for bad in [
            String::new(),
            format!("{DEVICE_HEAD}\n{digits}"),
            format!("{DEVICE_HEAD}\n{digits}\n\n"),
            format!("{DEVICE_HEAD}\n{}\n", digits.get(1..).expect("digits")),
            format!("aidchain-device/2\n{digits}\n"),
        ] {
            fs::write(place.device(), &bad).expect("written");
            fs::set_permissions(place.device(), fs::Permissions::from_mode(0o600)).expect("chmod");

            let failure = place.device_secret().expect_err(&bad);

            assert_eq!(failure.code(), Code::CardDamaged);
            assert!(!failure.what().contains("abab"));
        }
    }

    #[test]
    fn card_and_device_never_share_a_file() {
        let profile: Profile = "mine".parse().expect("profile");
        for (card, device) in [
            ("a.card", Some("a.card")),
            ("a.device", None),
            ("a.pending", None),
        ] {
            let failure =
                Place::of(&profile, Some(Path::new(card)), device.map(Path::new)).expect_err(card);
            assert_eq!(failure.code(), Code::Usage);
        }
    }
}
