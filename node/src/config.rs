//! `node.toml`, the environment and flags → [`Config`], every value explicit and each knowing where it came from.
//!
//! Precedence: default < `node.toml` < environment (`AIDCHAIN_*`) < flag. An unknown key is an error that names the
//! nearest known one, because a misspelt setting that is silently ignored is found months later.

mod enrolling;
mod key_epoch;
mod setting;
mod write;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use crate::{network::address::Address, store::Retain};

pub use enrolling::{Enrolling, OutOfRange, SetSize, WaitHours};
pub use key_epoch::{KeyEpoch, NotAKeyEpoch};
pub use setting::{Origin, Overrides, Setting};

/// Name of the configuration file in a node's home.
pub const FILE: &str = "node.toml";

/// Everything a node is told from outside, apart from its keys and the genesis file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of the file by its own name"
)]
pub struct Config {
    /// The folder with keys, vote log and ledger.
    pub home: PathBuf,
    /// The member's name, as in the genesis file.
    pub name: String,
    /// Where this node listens for the other members.
    pub p2p_listen: SocketAddr,
    /// The address other members dial; it is the one of the genesis file.
    pub p2p_advertise: Address,
    /// Where patients reach this node, always TLS.
    pub api_listen: SocketAddr,
    /// Where the member API and the explorer listen.
    pub member_listen: SocketAddr,
    /// Where `/livez`, `/readyz`, `/startupz` and `/metrics` listen.
    pub operations_listen: SocketAddr,
    /// Whether the member API and the explorer ask for a token. Off loopback they always do.
    pub explorer_login: bool,
    /// Host names and addresses that the patient API's certificate and its Host check accept.
    pub api_names: Vec<String>,
    /// Log filter: a level, or `target=level` pairs with commas.
    pub log: String,
    /// How much of the ledger this node keeps.
    pub retain: Retain,
    /// How long a key of sign-ins lasts before the next one takes its place.
    pub key_epoch: KeyEpoch,
    /// Whether the ledger is told of sign-ins that this node refused to somebody who held a patient's key.
    pub report_refusals: bool,
    /// Whether the RC enrols only whom its desk knows.
    pub enrolment: Enrolling,
    /// With how many patients the RC registers a shuffled set.
    pub registration_set: SetSize,
    /// After how many hours it registers a smaller one.
    pub registration_wait_hours: WaitHours,
}

/// First port of each listener of member 0 in a devnet.
pub const BASE_PORT: u16 = 7100;

impl Config {
    /// The configuration of member `index` of a devnet on loopback whose first p2p port is `base_port`.
    pub fn local(home: &Path, name: &str, base_port: u16, index: u16) -> Result<Self, ConfigError> {
        let port = |offset: u16| {
            base_port
                .checked_add(offset)
                .and_then(|p| p.checked_add(index))
                .map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
                .ok_or(ConfigError::PortRange { base_port, index })
        };
        let p2p_listen = port(0)?;
        Ok(Self {
            home: home.to_owned(),
            name: name.to_owned(),
            p2p_listen,
            p2p_advertise: Address::from(p2p_listen),
            api_listen: port(1000)?,
            member_listen: port(1100)?,
            operations_listen: port(2000)?,
            explorer_login: false,
            api_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            log: setting::DEFAULT_LOG.to_owned(),
            retain: Retain::All,
            key_epoch: KeyEpoch::default(),
            report_refusals: false,
            enrolment: Enrolling::Open,
            registration_set: SetSize::ONE,
            registration_wait_hours: WaitHours::DAY,
        })
    }

    /// Reads `node.toml` of `home` and lays environment and flags over it.
    pub fn load(home: &Path, flags: &Overrides) -> Result<Self, ConfigError> {
        let path = home.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                return Err(ConfigError::NoFile { path });
            }
            Err(cause) => return Err(ConfigError::Unreadable { path, cause }),
        };
        Self::resolve(home, &text, |name| std::env::var(name).ok(), flags)
    }

    /// The same from a file's text and an environment, for tests and for `load`.
    fn resolve(
        home: &Path,
        text: &str,
        environment: impl Fn(&str) -> Option<String>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let settings = setting::gather(&home.join(FILE), text, environment, flags)?;
        Ok(Self {
            home: home.to_owned(),
            name: settings.text(Setting::Name)?,
            p2p_listen: settings.parse(Setting::P2pListen)?,
            p2p_advertise: settings.parse(Setting::P2pAdvertise)?,
            api_listen: settings.parse(Setting::ApiListen)?,
            member_listen: settings.parse(Setting::MemberListen)?,
            operations_listen: settings.parse(Setting::OperationsListen)?,
            explorer_login: settings.parse(Setting::ExplorerLogin)?,
            api_names: settings.list(Setting::ApiNames)?,
            log: settings.text(Setting::Log)?,
            retain: settings.parse(Setting::Retain)?,
            key_epoch: settings.parse(Setting::KeyEpochHours)?,
            report_refusals: settings.parse(Setting::ReportRefusals)?,
            enrolment: settings.parse(Setting::Enrolment)?,
            registration_set: settings.parse(Setting::RegistrationSet)?,
            registration_wait_hours: settings.parse(Setting::RegistrationWaitHours)?,
        })
    }

    /// Where the genesis file of this home is.
    pub fn genesis_path(&self) -> PathBuf {
        self.home.join("genesis.json")
    }
}

/// What is wrong with a configuration. All of it is the operator's to repair.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The home has no `node.toml`.
    #[error(
        "there is no configuration at {}; a home is made by `aidchain consortium init` or `aidchain node adopt`",
        path.display()
    )]
    NoFile {
        /// The file looked for.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("cannot access {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {message}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where and why, from the parser.
        message: String,
    },
    /// A key that no setting has.
    #[error("{origin} is unknown{}", Suggestion(*nearest))]
    UnknownKey {
        /// Where the key stands.
        origin: Origin,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A setting without a value.
    #[error("{} has no value: set it in {FILE}, as {} or with {}", setting.key(), setting.environment(), setting.flag())]
    Missing {
        /// The setting.
        setting: Setting,
    },
    /// A value that cannot be read.
    #[error("{origin}: `{value}` is not {}", setting.expects())]
    BadValue {
        /// The setting.
        setting: Setting,
        /// Where the value stands.
        origin: Origin,
        /// The value.
        value: String,
    },
    /// The ports of a devnet member do not fit below 65,536.
    #[error("member {index} has no free ports above base port {base_port}: choose one below 63000")]
    PortRange {
        /// The base port asked for.
        base_port: u16,
        /// The member.
        index: u16,
    },
}

/// The end of the text on an unknown key.
struct Suggestion(Option<&'static str>);

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => {
                f.write_str("; the known keys are listed in the node.toml that `aidchain` writes")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
        name = "clinic-a"
        p2p_listen = "0.0.0.0:7101"
        p2p_advertise = "/dns4/clinic-a/tcp/7101"
        api_listen = "127.0.0.1:8101"
        member_listen = "127.0.0.1:8201"
        operations_listen = "127.0.0.1:9101"
        explorer_login = true
        api_names = ["clinic-a", "10.0.0.7"]
    "#;

    fn resolve(text: &str, env: &[(&str, &str)], flags: &Overrides) -> Result<Config, ConfigError> {
        let lookup = |name: &str| {
            env.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Config::resolve(Path::new("/h"), text, lookup, flags)
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
        let none = Overrides::default();
        assert_eq!(resolve(FULL, &[], &none).unwrap().log, "info");

        let file = format!("{FULL}\nlog = \"warn\"");
        assert_eq!(resolve(&file, &[], &none).unwrap().log, "warn");

        let env = [("AIDCHAIN_LOG", "debug")];
        assert_eq!(resolve(&file, &env, &none).unwrap().log, "debug");

        let mut flags = Overrides::default();
        flags.set(Setting::Log, "trace".to_owned());
        assert_eq!(resolve(&file, &env, &flags).unwrap().log, "trace");
    }

    #[test]
    fn a_misspelt_key_is_refused_and_the_nearest_one_named() {
        let text = format!("{FULL}\napi_listn = \"127.0.0.1:1\"");
        let error = resolve(&text, &[], &Overrides::default()).unwrap_err();
        assert!(matches!(
            error,
            ConfigError::UnknownKey {
                nearest: Some("api_listen"),
                ..
            }
        ));
    }

    #[test]
    fn a_missing_setting_names_file_environment_and_flag() {
        let error = resolve("name = \"rc\"", &[], &Overrides::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("p2p_listen"), "{text}");
        assert!(text.contains("AIDCHAIN_P2P_LISTEN"), "{text}");
        assert!(text.contains("--p2p-listen"), "{text}");
    }

    #[test]
    fn a_bad_value_names_its_origin_and_what_was_expected() {
        let env = [("AIDCHAIN_API_LISTEN", "8100")];
        let error = resolve(FULL, &env, &Overrides::default()).unwrap_err();
        assert!(matches!(
            error,
            ConfigError::BadValue {
                setting: Setting::ApiListen,
                origin: Origin::Environment(_),
                ..
            }
        ));
        assert!(error.to_string().contains("AIDCHAIN_API_LISTEN"));
    }

    #[test]
    fn a_value_of_the_wrong_toml_type_is_refused() {
        let text = FULL.replace("\"127.0.0.1:8101\"", "8101");
        let error = resolve(&text, &[], &Overrides::default()).unwrap_err();
        assert!(matches!(
            error,
            ConfigError::BadValue {
                setting: Setting::ApiListen,
                ..
            }
        ));
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let home = tempfile::tempdir().unwrap();
        let mut config = Config::local(home.path(), "rc", BASE_PORT, 0).unwrap();
        config.api_names.push("rc.example \"quoted\"".to_owned());
        config.explorer_login = true;
        config.retain = Retain::Days(90);
        config.key_epoch = "12".parse().unwrap();
        config.report_refusals = true;
        config.write().unwrap();
        let text = std::fs::read_to_string(home.path().join(FILE)).unwrap();
        let back = Config::resolve(home.path(), &text, |_| None, &Overrides::default()).unwrap();
        assert_eq!(back, config);
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        let error = Config::local(Path::new("/h"), "rc", 63_536, 0).unwrap_err();
        assert!(matches!(
            error,
            ConfigError::PortRange {
                base_port: 63_536,
                index: 0
            }
        ));
        Config::local(Path::new("/h"), "rc", 63_535, 0).unwrap();
    }
}
