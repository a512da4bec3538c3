//! Why a file of certificates, a key or tokens cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a file of certificates, a key or tokens cannot be used. Each names its setting.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read.
    #[error("{setting} {}: it cannot be read", path.display())]
    Unread {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is longer than any of its kind.
    #[error("{setting} {}: it has more than {most} bytes", path.display())]
    TooLong {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// The limit.
        most: u64,
    },
    /// The file has nothing of its kind.
    #[error("{setting} {}: it holds no {wanted} in PEM (-----BEGIN ...)", path.display())]
    Empty {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
    /// The file is damaged, or is not what it says.
    #[error("{setting} {}: {reason}", path.display())]
    Broken {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key are not of each other.
    #[error("--tls-key {} is not the key of --tls-cert {}", key.display(), cert.display())]
    Unpaired {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A line of a file of tokens cannot be read.
    #[error("--tokens {}, line {line}: {reason}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong; never what the line says.
        reason: String,
    },
    /// A secret is none.
    #[error("{setting} {}: {reason}", path.display())]
    Secret {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
}
