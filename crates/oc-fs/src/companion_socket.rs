//! The socket of the companion app (exec-approval 12): same user only, one signed line in, one line out, every wait with an end.

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use oc_approval::companion::{self, MAX_LINE, Rejected, Verified, Verifier, WAIT_MS};
use oc_types::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use thiserror::Error;

use crate::mode;

/// How long a peer may take to send its line.
const READ_WAIT: Duration = Duration::from_secs(5);

/// Why an exchange did not come about.
#[derive(Debug, Error)]
pub enum SocketFailure {
    /// The socket.
    #[error("the companion's socket cannot be used: {0}")]
    Socket(#[from] io::Error),
    /// Somebody else is on the other side.
    #[error("the other side of the companion's socket is another user")]
    Peer,
    /// The message was not accepted; the peer got no answer.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// No randomness for a nonce.
    #[error("the operating system's random source failed")]
    Random,
}

/// The serving side.
#[derive(Debug)]
pub struct CompanionServer {
    listener: UnixListener,
    path: PathBuf,
    verifier: Verifier,
}

impl CompanionServer {
    /// Listens. A socket that a dead server of this user left behind is replaced; anything else that stands there is refused.
    ///
    /// # Errors
    /// When another server answers there, something else stands there, or it cannot be made.
    pub fn listen(path: &Path) -> Result<Self, SocketFailure> {
        if let Some(directory) = path.parent() {
            mode::create_directories(directory)?;
        }
        match path.symlink_metadata() {
            Ok(meta) => {
                let ours = meta.uid() == rustix::process::geteuid().as_raw();
                if !meta.file_type().is_socket() || !ours {
                    return Err(mode::refused(path, "something else stands in place of the socket").into());
                }
                if UnixStream::connect(path).is_ok() {
                    return Err(mode::refused(path, "another program serves it").into());
                }
                std::fs::remove_file(path)?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e.into()),
        }
        let listener = UnixListener::bind(path)?;
        // The directory is owner-only, so nobody gets here between the two lines.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode::FILE))?;
        Ok(Self { listener, path: path.to_owned(), verifier: Verifier::default() })
    }

    /// Serves one connection: waits for it, verifies its line, answers with what `handler` says.
    ///
    /// # Errors
    /// See [`SocketFailure`]; the peer got no answer then.
    pub fn serve(
        &mut self,
        token: &Secret,
        handler: &mut dyn FnMut(&Verified) -> Result<Value, String>,
    ) -> Result<(), SocketFailure> {
        let (stream, _) = self.listener.accept()?;
        same_user(&stream)?;
        stream.set_read_timeout(Some(READ_WAIT))?;
        stream.set_write_timeout(Some(READ_WAIT))?;
        let line = line(&stream)?;
        let verified = self.verifier.verify(&line, token, now_ms())?;
        (&stream).write_all(companion::reply(&handler(&verified)).as_bytes())?;
        Ok(())
    }
}

impl Drop for CompanionServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks the companion and waits for its answer, at most 20 seconds.
///
/// # Errors
/// See [`SocketFailure`]. The companion's refusal is the inner error.
pub fn ask(
    path: &Path,
    token: &Secret,
    id: &str,
    request_json: &str,
) -> Result<Result<Value, String>, SocketFailure> {
    let stream = UnixStream::connect(path)?;
    same_user(&stream)?;
    let wait = Some(Duration::from_millis(WAIT_MS));
    stream.set_read_timeout(wait)?;
    stream.set_write_timeout(wait)?;
    let mut nonce = [0u8; 16];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SocketFailure::Random)?;
    (&stream).write_all(companion::request(token, id, nonce, now_ms(), request_json).as_bytes())?;
    Ok(companion::read_reply(&line(&stream)?)?)
}

/// One line of at most [`MAX_LINE`] bytes, without its line feed.
fn line(stream: &UnixStream) -> Result<Vec<u8>, SocketFailure> {
    let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(2);
    let mut out = Vec::new();
    BufReader::new(stream.take(limit)).read_until(b'\n', &mut out)?;
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    if out.len() > MAX_LINE { Err(Rejected::TooLong.into()) } else { Ok(out) }
}

#[cfg(target_os = "linux")]
fn same_user(stream: &UnixStream) -> Result<(), SocketFailure> {
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(io::Error::from)?;
    if peer.uid == rustix::process::geteuid() { Ok(()) } else { Err(SocketFailure::Peer) }
}

/// Elsewhere the mode of socket and directory keeps others out.
#[cfg(not(target_os = "linux"))]
fn same_user(_: &UnixStream) -> Result<(), SocketFailure> {
    Ok(())
}

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
