//! SOPHON's two files become a profile of as many samples as they have rows, or an error that says where they are
//! wrong.

#![no_main]

use headwater_fuzz::sophon_files;
use headwater_plan::import::{ImportError, sophon};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (sizes, times, provenance) = sophon_files(bytes);
    match sophon(sizes, times, provenance) {
        Ok(profile) => {
            let rows = sizes.trim_ascii_end().iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(profile.len(), rows);
            for index in 0..profile.len() {
                let cost = profile.cost(index, 5).expect("six ways");
                assert!(cost.storage_seconds.is_finite() && cost.trainer_seconds == 0.0);
            }
        }
        Err(ImportError::File { line, column, .. }) => assert!(line > 0 && column > 0),
        Err(ImportError::Profile(_)) => {}
    }
});
