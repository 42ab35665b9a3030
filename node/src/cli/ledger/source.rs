//! Which member is asked, and by what right.

use std::path::{Path, PathBuf};

use clap::Args;
use patient::client::{Client, Url};
use patient::code::Code;
use patient::files;
use patient::output::Failure;
use zeroize::Zeroizing;

const TOKEN_BYTES_MAX: usize = 256;

/// A member's interface.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Source {
    /// Member interface to ask
    #[arg(
        long,
        value_name = "URL",
        env = "AIDCHAIN_NODE",
        default_value = "http://127.0.0.1:8200"
    )]
    node: Url,
    /// File with a token of `explorer login`
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Genesis file that pins the members' TLS keys, for an https address
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: Option<PathBuf>,
}

impl Source {
    /// The member to ask.
    pub(in crate::cli) fn client(&self) -> Result<Client, Failure> {
        let client = if self.node.is_tls() {
            let path = self.genesis.as_ref().ok_or_else(|| {
                Failure::new(Code::Usage)
                    .message(format!("{} is TLS, and no key is pinned for it", self.node))
                    .help("name the ledger with --genesis FILE")
            })?;
            let (genesis, _file) = files::genesis(path)?;
            let pins = genesis.members().iter().map(|it| it.tls_spki).collect();
            Client::pinned_to_any(self.node.clone(), pins)
        } else {
            Client::plain(self.node.clone())
        };
        let Some(path) = &self.token_file else {
            return Ok(client);
        };
        Ok(client.with_token(token(path)?))
    }
}

/// The token in a file that nobody else can read.
pub(in crate::cli) fn token(path: &Path) -> Result<Zeroizing<String>, Failure> {
    files::check_private(path, Code::SecretTooOpen)?;
    let bytes = files::read(path, TOKEN_BYTES_MAX)?;
    let token = str::from_utf8(&bytes).map_err(|error| {
        Failure::new(Code::TokenRefused)
            .message(format!("{} holds no token", path.display()))
            .because(error)
    })?;
    Ok(Zeroizing::new(token.trim().to_owned()))
}
