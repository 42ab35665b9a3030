//! A socket in the home through which its owner asks a running node for a backup.
//!
//! The home belongs to the member alone, and so does the socket in it: whoever may read the keys may
//! ask, nobody else can, and no port is opened for it. A request is one line; the answer is the
//! backup, and ends when the node closes the stream. A reader finds out by its end whether it is whole.

use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::keys::Keys;
use crate::ledger::Ledger;
use crate::snapshot::archive::{self, BackupError};

/// The socket in a home.
const SOCKET: &str = "control";

/// The one request there is.
const BACKUP: &[u8] = b"backup\n";

/// How long one write to a reader that does not read may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes gathered into one write.
const BUFFER: usize = 256 * 1024;

/// What answers need.
#[derive(Clone, Debug)]
pub struct Control {
    /// The member's folder.
    pub home: PathBuf,
    /// The ledger.
    pub ledger: Ledger,
    /// The genesis file's path.
    pub genesis: PathBuf,
    /// Signs what is given out.
    pub keys: Arc<Keys>,
}

/// Answers requests until the node stops. A home whose path is too long for a socket has none: the
/// node runs all the same.
pub async fn serve(control: Control, mut stopped: watch::Receiver<bool>) {
    let path = control.home.join(SOCKET);
    let listener = match listen(&path) {
        Ok(listener) => listener,
        Err(cause) => {
            warn!(event = "no_control", %cause, "backups of the running node are not possible");
            return;
        }
    };
    tokio::select! {
        () = control.accept(listener) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    if let Err(cause) = std::fs::remove_file(&path) {
        debug!(%cause, "the control socket was gone");
    }
}

/// Listens at a path that only the owner may use; what a killed node left there goes.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl Control {
    /// Answers one request after the other: two backups at once would only slow the node down.
    async fn accept(&self, listener: UnixListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let control = self.clone();
            let answered = tokio::task::spawn_blocking(move || control.answer(stream));
            match answered.await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => warn!(event = "backup_failed", %why, "a backup was not finished"),
                Err(broken) => warn!(%broken, "a backup was not finished"),
            }
        }
    }

    /// Answers one request, on a thread that may wait.
    fn answer(&self, stream: tokio::net::UnixStream) -> Result<(), BackupError> {
        let mut stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut request = [0; BACKUP.len()];
        stream.read_exact(&mut request)?;
        if request != BACKUP {
            return Ok(());
        }
        let genesis = std::fs::read(&self.genesis)?;
        let mut to = BufWriter::with_capacity(BUFFER, stream);
        let summary = self.ledger.back_up(&genesis, self.keys.member(), &mut to)?;
        info!(
            event = "backup",
            height = summary.height.get(),
            bytes = summary.bytes,
            "the ledger was backed up"
        );
        Ok(())
    }
}

/// Copies a backup from the running node of a home; none if no node runs there.
pub fn back_up(home: &Path, to: &mut impl Write) -> io::Result<Option<u64>> {
    let mut stream = match UnixStream::connect(home.join(SOCKET)) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.write_all(BACKUP)?;
    let copied = io::copy(&mut stream, to)?;
    to.flush()?;
    Ok(Some(copied))
}

impl Ledger {
    /// Writes a backup of the newest certified block.
    pub fn back_up(
        &self,
        genesis: &[u8],
        key: &ed25519_dalek::SigningKey,
        to: &mut impl Write,
    ) -> Result<archive::Summary, BackupError> {
        archive::write(self.reader(), genesis, key, to)
    }
}
