//! Configuration files of any bytes: no panic.
#![no_main]

use headwater_cli::settings::ConfigFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = ConfigFile::parse("fuzz.toml", bytes);
});
