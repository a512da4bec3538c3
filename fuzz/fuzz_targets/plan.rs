//! A plan's text is read or refused; what is read is written back as the same plan.

#![no_main]

use headwater_plan::Plan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(plan) = Plan::parse(bytes) {
        assert_eq!(Plan::parse(plan.to_text().as_bytes()), Ok(plan));
    }
});
