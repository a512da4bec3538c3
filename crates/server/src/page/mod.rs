//! The page of the metrics port: one file, which asks the server for its status and draws it.
//!
//! Invariant: the page has no word of the server's in it, so that everybody may have it, and nothing that comes of a
//! dataset can be a part of its markup. Its policy lets it load nothing, run its own script alone, and ask nobody but
//! this port.

use std::hash::{BuildHasher, RandomState};

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The page, with [`PLACE`] where its style and its script name the policy's nonce.
const PAGE: &str = include_str!("page.html");
const PLACE: &str = "NONCE";

/// Answers with the page.
pub(crate) async fn page() -> Response {
    let nonce = nonce();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, PAGE.replace(PLACE, &nonce)).into_response()
}

/// What nobody can guess, of the keys that the standard library draws from the system for its hash tables.
fn nonce() -> String {
    let [one, other] = [(); 2].map(|()| RandomState::new().hash_one("nonce"));
    format!("{one:016x}{other:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_alone_name_the_nonce_and_nothing_is_loaded_from_elsewhere() {
        assert_eq!(PAGE.matches("nonce=\"NONCE\"").count(), 2);
        assert_eq!(PAGE.matches(PLACE).count(), 2);
        assert_eq!((PAGE.matches("<script").count(), PAGE.matches("<style").count()), (1, 1));
        // The name of SVG, which nobody looks up.
        assert_eq!(PAGE.replace("http://www.w3.org/2000/svg", "").matches("http:").count(), 0);
        for word in ["https:", "src=", "innerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!PAGE.contains(word), "{word}");
        }
        assert_ne!(nonce(), nonce());
    }
}
