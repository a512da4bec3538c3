//! A file of tokens is as many as it has lines that say something, or an error that names its line; and an error has
//! nothing of the file, which may hold secrets by mistake.

#![no_main]

use headwater_access::{AccessError, count_tokens};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match count_tokens(bytes) {
        Ok(count) => assert!((1..=bytes.len() / 14 + 1).contains(&count)),
        Err(AccessError::Token { line, .. }) => assert!(line > 0),
        Err(other) => panic!("{other}"),
    }
});
