//! The documents of an identity provider and a token, from whoever sends them: the first line is a token, the rest the
//! keys. Both are taken whole or refused with a reason, which has nothing of the token; and no byte of a token may be
//! another without its signature being wrong.

#![no_main]

use headwater_identity::{ClaimPath, ProviderUrl, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (token, document) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let issuer: ProviderUrl = "https://id.example.com".parse().expect("a URL");
    let roles: ClaimPath = "realm_access.roles".parse().expect("a claim");
    let judged = |token: &[u8]| judge((document, token), (&issuer, "headwater"), &roles, 1_900_000_000);
    match judged(token) {
        Err(fault) => assert!(!fault.to_string().is_empty()),
        Ok(Err(refused)) => {
            let words = refused.to_string();
            let text = String::from_utf8_lossy(token).into_owned();
            assert!(!text.split('.').any(|part| part.len() > 40 && words.contains(part)));
        }
        Ok(Ok(identity)) => {
            assert!(identity.holder.starts_with("sub:") && identity.holder.chars().all(|c| c.is_ascii_graphic()));
            let mut changed = token.to_vec();
            changed[0] ^= 1;
            assert!(!matches!(judged(&changed), Ok(Ok(_))));
        }
    }
});
