//! docs/reference is what the code says: every flag, metric, field of JSON, exit code and kind of failure stands there,
//! and no other.
//!
//! `HEADWATER_BLESS=1 cargo test -p headwater-tests --test reference` writes it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

mod commands;
mod json;
mod markdown;
mod metrics;
mod outputs;
mod source;
mod values;

use headwater_measure::ProfilerArgs;
use headwater_server::StorageServerArgs;
use headwater_tests::check_generated;
use headwater_tune::TunerArgs;

fn check(file: &str, page: &str) {
    check_generated(&format!("docs/reference/{file}"), &markdown::wrap(page)).unwrap();
}

#[test]
fn every_flag_and_variable_is_there() {
    check("storage-server.md", &commands::page::<StorageServerArgs>());
    check("tuner.md", &commands::page::<TunerArgs>());
    check("profiler.md", &commands::page::<ProfilerArgs>());
}

#[test]
fn every_metric_is_there() {
    check("metrics.md", &metrics::page());
}

#[test]
fn every_field_of_json_is_there_and_is_what_the_programs_print() {
    let fields = json::documented();
    outputs::compare(&fields);
    check("json.md", &json::page(&fields));
}

#[test]
fn every_exit_code_is_there() {
    check("exit-codes.md", &values::exit_codes());
}

#[test]
fn every_kind_of_failure_is_there() {
    check("failures.md", &values::failures());
}

#[test]
fn every_cut_and_key_of_a_recipe_is_there() {
    check("recipes.md", &values::recipes());
}
