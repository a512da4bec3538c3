//! A profile's provenance is read or refused; what is read is written back the same.

#![no_main]

use headwater_plan::Provenance;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(provenance) = Provenance::from_toml(text) {
        assert_eq!(Provenance::from_toml(&provenance.to_toml()), Ok(provenance));
    }
});
