//! The settings by name, and the layers that give them their values.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::ConfigError;

/// Log filter of a node that was told nothing.
pub(super) const DEFAULT_LOG: &str = "info";
/// Hours of a key epoch of a node that was told nothing.
const DEFAULT_KEY_EPOCH_HOURS: &str = "24";

/// One thing that can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// The member's name.
    Name,
    /// Listener for members.
    P2pListen,
    /// Address members dial.
    P2pAdvertise,
    /// Listener for patients.
    ApiListen,
    /// Listener of member API and explorer.
    MemberListen,
    /// Listener of health and metrics.
    OperationsListen,
    /// Whether the explorer asks for a token.
    ExplorerLogin,
    /// Names the patient API answers to.
    ApiNames,
    /// Log filter.
    Log,
    /// How much of the ledger is kept.
    Retain,
    /// How long a key of sign-ins lasts.
    KeyEpochHours,
    /// Whether refused sign-ins are told to the ledger.
    ReportRefusals,
    /// Whom the RC enrols.
    Enrolment,
    /// With how many patients a set is registered.
    RegistrationSet,
    /// After how many hours a smaller set is.
    RegistrationWaitHours,
}

impl Setting {
    /// All of them, in the order of the file.
    pub const ALL: [Self; 15] = [
        Self::Name,
        Self::P2pListen,
        Self::P2pAdvertise,
        Self::ApiListen,
        Self::MemberListen,
        Self::OperationsListen,
        Self::ExplorerLogin,
        Self::ApiNames,
        Self::Log,
        Self::Retain,
        Self::KeyEpochHours,
        Self::ReportRefusals,
        Self::Enrolment,
        Self::RegistrationSet,
        Self::RegistrationWaitHours,
    ];

    /// Its key in `node.toml`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::P2pListen => "p2p_listen",
            Self::P2pAdvertise => "p2p_advertise",
            Self::ApiListen => "api_listen",
            Self::MemberListen => "member_listen",
            Self::OperationsListen => "operations_listen",
            Self::ExplorerLogin => "explorer_login",
            Self::ApiNames => "api_names",
            Self::Log => "log",
            Self::Retain => "retain",
            Self::KeyEpochHours => "key_epoch_hours",
            Self::ReportRefusals => "report_refusals",
            Self::Enrolment => "enrolment",
            Self::RegistrationSet => "registration_set",
            Self::RegistrationWaitHours => "registration_wait_hours",
        }
    }

    /// Its environment variable.
    pub fn environment(self) -> String {
        format!("AIDCHAIN_{}", self.key().to_uppercase())
    }

    /// Its flag of `aidchain node run`.
    pub fn flag(self) -> String {
        format!("--{}", self.key().replace('_', "-"))
    }

    /// What a value looks like, for the text of an error.
    pub const fn expects(self) -> &'static str {
        match self {
            Self::Name => "a member's name",
            Self::P2pListen | Self::ApiListen | Self::MemberListen | Self::OperationsListen => {
                "an address with a port, like 127.0.0.1:7100"
            }
            Self::P2pAdvertise => "host:port or a multiaddr like /dns4/clinic-a/tcp/7100",
            Self::ExplorerLogin | Self::ReportRefusals => "true or false",
            Self::ApiNames => "a list of host names",
            Self::Log => "a level or a list of target=level",
            Self::Retain => "all, or like \"100000 blocks\" or \"90 days\"",
            Self::KeyEpochHours => "a whole number of hours from 1 to 743",
            Self::Enrolment => "open or desk",
            Self::RegistrationSet => "a number of patients from 1 to 1024",
            Self::RegistrationWaitHours => "a number of hours from 1 to 168",
        }
    }

    /// The value of a node that was told nothing, where there is one.
    const fn default(self) -> Option<&'static str> {
        match self {
            Self::ExplorerLogin => Some("true"),
            Self::ApiNames => Some(""),
            Self::Log => Some(DEFAULT_LOG),
            Self::Retain => Some("all"),
            Self::KeyEpochHours => Some(DEFAULT_KEY_EPOCH_HOURS),
            Self::ReportRefusals => Some("false"),
            Self::Enrolment => Some("desk"),
            Self::RegistrationSet => Some("8"),
            Self::RegistrationWaitHours => Some("24"),
            Self::Name
            | Self::P2pListen
            | Self::P2pAdvertise
            | Self::ApiListen
            | Self::MemberListen
            | Self::OperationsListen => None,
        }
    }

    /// The setting with this key.
    fn by_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.key() == key)
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said otherwise.
    Default,
    /// A key of the file.
    File(PathBuf, String),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, key) => write!(f, "{}: `{key}`", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Values given by flags.
#[derive(Clone, Debug, Default)]
pub struct Overrides(BTreeMap<Setting, String>);

impl Overrides {
    /// Gives one setting a value.
    pub fn set(&mut self, setting: Setting, value: String) {
        self.0.insert(setting, value);
    }
}

/// All values with their origins, after the layers were laid over each other.
pub(super) struct Settings(BTreeMap<Setting, (String, Origin)>);

/// Lays defaults, file, environment and flags over each other.
pub(super) fn gather(
    path: &Path,
    text: &str,
    environment: impl Fn(&str) -> Option<String>,
    flags: &Overrides,
) -> Result<Settings, ConfigError> {
    let mut values = BTreeMap::new();
    for setting in Setting::ALL {
        if let Some(value) = setting.default() {
            values.insert(setting, (value.to_owned(), Origin::Default));
        }
    }
    for (setting, value) in read_file(path, text)? {
        values.insert(
            setting,
            (
                value,
                Origin::File(path.to_owned(), setting.key().to_owned()),
            ),
        );
    }
    for setting in Setting::ALL {
        if let Some(value) = environment(&setting.environment()) {
            values.insert(setting, (value, Origin::Environment(setting.environment())));
        }
        if let Some(value) = flags.0.get(&setting) {
            values.insert(setting, (value.clone(), Origin::Flag(setting.flag())));
        }
    }
    Ok(Settings(values))
}

/// The file's values as texts: what a flag or variable would say.
fn read_file(path: &Path, text: &str) -> Result<Vec<(Setting, String)>, ConfigError> {
    let table: toml::Table =
        text.parse()
            .map_err(|cause: toml::de::Error| ConfigError::NotToml {
                path: path.to_owned(),
                message: cause.to_string(),
            })?;
    table
        .into_iter()
        .map(|(key, value)| {
            let origin = Origin::File(path.to_owned(), key.clone());
            let Some(setting) = Setting::by_key(&key) else {
                return Err(ConfigError::UnknownKey {
                    origin,
                    nearest: nearest(&key),
                });
            };
            match plain(setting, &value) {
                Some(text) => Ok((setting, text)),
                None => Err(ConfigError::BadValue {
                    setting,
                    origin,
                    value: value.to_string(),
                }),
            }
        })
        .collect()
}

/// A TOML value of the type its setting has, as text.
fn plain(setting: Setting, value: &toml::Value) -> Option<String> {
    match setting {
        Setting::ExplorerLogin | Setting::ReportRefusals => {
            value.as_bool().map(|flag| flag.to_string())
        }
        Setting::KeyEpochHours => value.as_integer().map(|hours| hours.to_string()),
        Setting::ApiNames => {
            let names: Option<Vec<&str>> =
                value.as_array()?.iter().map(toml::Value::as_str).collect();
            Some(names?.join(","))
        }
        Setting::Name
        | Setting::P2pListen
        | Setting::P2pAdvertise
        | Setting::ApiListen
        | Setting::MemberListen
        | Setting::OperationsListen
        | Setting::Log
        | Setting::Retain
        | Setting::Enrolment => value.as_str().map(str::to_owned),
        Setting::RegistrationSet | Setting::RegistrationWaitHours => {
            value.as_integer().map(|number| number.to_string())
        }
    }
}

impl Settings {
    /// The value and origin of a setting.
    fn get(&self, setting: Setting) -> Result<&(String, Origin), ConfigError> {
        self.0.get(&setting).ok_or(ConfigError::Missing { setting })
    }

    /// A text that is not empty.
    pub(super) fn text(&self, setting: Setting) -> Result<String, ConfigError> {
        let (value, _) = self.get(setting)?;
        if value.trim().is_empty() {
            return Err(ConfigError::Missing { setting });
        }
        Ok(value.trim().to_owned())
    }

    /// A value with a type of its own.
    pub(super) fn parse<T: FromStr>(&self, setting: Setting) -> Result<T, ConfigError> {
        let (value, origin) = self.get(setting)?;
        value
            .trim()
            .parse()
            .ok()
            .ok_or_else(|| ConfigError::BadValue {
                setting,
                origin: origin.clone(),
                value: value.clone(),
            })
    }

    /// Values with commas between.
    pub(super) fn list(&self, setting: Setting) -> Result<Vec<String>, ConfigError> {
        let (value, _) = self.get(setting)?;
        Ok(value
            .split(',')
            .map(str::trim)
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
            .collect())
    }
}

/// The known key at the smallest edit distance, when it is small enough to be a slip.
fn nearest(key: &str) -> Option<&'static str> {
    Setting::ALL
        .into_iter()
        .map(|setting| (distance(key, setting.key()), setting.key()))
        .min()
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .map(|(_, known)| known)
}

/// Levenshtein's distance between two keys.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = diagonal.saturating_add(usize::from(x != y));
            diagonal = *cell;
            *cell = replaced
                .min(left.saturating_add(1))
                .min(diagonal.saturating_add(1));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_edits() {
        assert_eq!(distance("", "log"), 3);
        assert_eq!(distance("log", "log"), 0);
        assert_eq!(distance("lgo", "log"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_word_that_resembles_nothing_gets_no_suggestion() {
        assert_eq!(nearest("bananas_per_hour"), None);
        assert_eq!(nearest("explorer-login"), Some("explorer_login"));
    }
}
