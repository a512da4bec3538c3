//! Base64 as JSON Web Tokens have it: of a URL's letters, without padding, and in one form alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes; `None` where it is anything else.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
