//! An identity provider for tests: keys of its own, tokens that they sign, and a server on this machine that shows the
//! keys as OpenID providers do.

mod key;
mod provider;

pub use key::{SigningKey, Signs};
pub use provider::{Asked, TestProvider};
