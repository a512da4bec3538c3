//! A file of servers is addresses that are read back the same, or an error that names its line; and each line as a word
//! of --servers is a source that is read back the same, or an error.

#![no_main]

use headwater_discovery::{ServerSource, parse_servers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse_servers(text) {
        Ok(addresses) => {
            let written = addresses.iter().map(|address| format!("{address}\n")).collect::<String>();
            assert_eq!(parse_servers(&written).expect("what was written"), addresses);
        }
        Err(problem) => assert!(problem.starts_with("line ")),
    }
    for word in text.lines() {
        if let Ok(source) = word.parse::<ServerSource>() {
            assert_eq!(source.to_string().parse::<ServerSource>().expect("what was written"), source);
        }
    }
});
