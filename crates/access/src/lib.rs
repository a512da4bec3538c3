//! Who may connect to a storage server, and what they may do there.
//!
//! ```text
//! files ─▶ stamps ─▶ pem ─▶ ServerTls ─▶ a connection whose peer is known ─┐
//!   (read anew         └──▶ ClientTls                                      ├─▶ what a call may do
//!    where they change)     tokens ──────────────────────────────▶ Grant ──┘
//! ```
//!
//! Invariants: a file that was changed counts from the next connection or call on, and what is open stays open; files
//! that do not fit each other, as they are between two steps of a rotation, change nothing; no secret is in a message,
//! a log line or a `Debug`.

mod error;
mod fault;

mod stamp;
mod watched;

mod pem;

mod client_tls;
mod server_tls;

mod grant;
mod held;
mod secret;

mod client_access;
mod client_stream;
mod tokens;

pub use client_access::{ClientAccess, Token};
pub use client_stream::ClientStream;
pub use client_tls::{ClientTls, ClientTlsFiles};
pub use error::AccessError;
pub use fault::TlsFault;
pub use grant::{Grant, Role};
pub use held::Held;
pub use secret::{Secret, SecretHash};
pub use server_tls::{ServerTls, ServerTlsFiles};
pub use stamp::read as read_file;
pub use tokens::{NoGrant, Tokens, count_tokens};
pub use tokio_rustls::client::TlsStream as ClientTlsStream;
pub use tokio_rustls::server::TlsStream as ServerTlsStream;
pub use watched::Watched;
