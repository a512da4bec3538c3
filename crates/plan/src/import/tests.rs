//! What is imported, and what is refused where.

use super::*;
use crate::profile::test_provenance as provenance;

const SIZES: &str = "index;raw;decoding;original_shape;RandomResizedCrop;RandomHorizontalFlip;ToTensor;Normalize;\n\
    0;462687;1886241;(1024, 614);150561;150561;602145;602145;\n\
    1;395615;2359329;(1024, 768);150561;150561;602145;602145;\n";
const TIMES: &str = "index,loader,decoding,RandomResizedCrop,RandomHorizontalFlip,ToTensor,Normalize,\n\
    0,0.001000,0.008995,0.001757,0.000060,0.000450,0.000350,\n\
    1,0.001000,0.1,0.2,0.3,0.000450,0.000350,\n";

fn import(sizes: &str, times: &str) -> Result<Profile, ImportError> {
    sophon(sizes.as_bytes(), times.as_bytes(), provenance())
}

/// (File, line, column) of the error.
fn place(result: Result<Profile, ImportError>) -> (ImportFile, u64, u64) {
    match result.unwrap_err() {
        ImportError::File { file, line, column, .. } => (file, line, column),
        ImportError::Profile(error) => panic!("{error}"),
    }
}

#[test]
fn both_files_become_a_profile_of_six_ways() {
    let profile = import(SIZES, TIMES).unwrap();
    assert_eq!((profile.len(), profile.ways().len(), profile.servers().len()), (2, 6, 1));
    let cropped = profile.cost(1, 2).unwrap();
    assert_eq!((cropped.bytes, cropped.storage_seconds), (150_561, 0.1 + 0.2));
    assert_eq!(cropped.trainer_seconds, 0.3 + 0.000_45 + 0.000_35);
    assert_eq!(profile.cost(0, 0).unwrap().storage_seconds, 0.0);
    let facts = profile.facts(0).unwrap();
    assert_eq!((facts.height, facts.width, facts.measured), (Some(1024), Some(614), true));
}

#[test]
fn either_file_may_have_either_separator_with_or_without_one_at_the_end() {
    let expected = import(SIZES, TIMES).unwrap();
    let commas = SIZES.replace(';', ",");
    let quoted = commas.replace('(', "\"(").replace(')', ")\"");
    let bare = SIZES.replace(";\n", "\r\n");
    let times = TIMES.replace(',', ";");
    for sizes in [&commas, &quoted, &bare, &format!("\u{feff}{SIZES}\n\n")] {
        for times in [TIMES, &times, times.trim_end()] {
            assert_eq!(import(sizes, times).unwrap(), expected, "{sizes}");
        }
    }
}

#[test]
fn what_is_wrong_is_refused_with_file_line_and_column() {
    use ImportFile::{Sizes, Times};
    let sizes = |from: &str, to: &str| import(&SIZES.replacen(from, to, 1), TIMES);
    let times = |from: &str, to: &str| import(SIZES, &TIMES.replacen(from, to, 1));
    // Not a number, in the third field of the second row.
    assert_eq!(place(sizes("2359329", "abc")), (Sizes, 3, 10));
    assert_eq!(place(sizes("395615", "-1")), (Sizes, 3, 3));
    assert_eq!(place(sizes("395615", "4294967296")), (Sizes, 3, 3));
    assert_eq!(place(sizes("395615", "1.5")), (Sizes, 3, 3));
    assert_eq!(place(sizes("395615", "")), (Sizes, 3, 3));
    for bad in ["NaN", "inf", "-inf", "-0.5", "infinity", "1e9", "", "x", "0x1"] {
        assert_eq!(place(times("0.1,", &format!("{bad},"))), (Times, 3, 12), "{bad}");
    }
    assert_eq!(place(times("1,0.001000", "1,NaN")), (Times, 3, 3));
    // Out of order, twice, from elsewhere.
    assert_eq!(place(sizes("\n1;", "\n2;")), (Sizes, 3, 1));
    assert_eq!(place(sizes("\n1;", "\n0;")), (Sizes, 3, 1));
    assert_eq!(place(times("\n0,", "\n1,")), (Times, 2, 1));
    // Short, long, cut off.
    assert_eq!(place(times("0.000350,\n1", "\n1")), (Times, 2, 48));
    assert_eq!(place(times("0.000350,\n1", "0.000350,7,\n1")), (Times, 2, 57));
    assert_eq!(place(import(SIZES, TIMES.split_at(TIMES.len() - 12).0)), (Times, 3, 31));
    assert_eq!(place(import(SIZES, TIMES.rsplit_once("\n1,").unwrap().0)), (Times, 3, 1));
    assert_eq!(place(import(SIZES.rsplit_once("1;3").unwrap().0, TIMES)), (Times, 3, 1));
    // A wrong shape, a wrong header.
    assert_eq!(place(sizes("(1024, 768)", "(1024; 768)")), (Sizes, 3, 11 + 7));
    assert_eq!(place(sizes("(1024, 768)", "1024x768")), (Sizes, 3, 18));
    assert_eq!(place(sizes("decoding", "Decoding")), (Sizes, 1, 11));
    assert_eq!(place(sizes("raw;", "index;")), (Sizes, 1, 7));
    assert_eq!(place(sizes("raw;", "")), (Sizes, 1, 1));
    assert_eq!(place(import("", TIMES)), (Sizes, 1, 1));
    assert_eq!(place(import("\n", TIMES)), (Sizes, 1, 1));
    assert_eq!(place(import(TIMES, SIZES)).0, Sizes);
    // No text, no end.
    let binary = [SIZES.as_bytes(), b"2;\xff"].concat();
    assert_eq!(place(sophon(&binary, TIMES.as_bytes(), provenance())), (Sizes, 4, 3));
    assert_eq!(place(import(&"9".repeat(1 << 20), TIMES)), (Sizes, 1, 1));
}

#[test]
fn an_error_says_all_that_is_needed_to_find_the_place() {
    let error = import(&SIZES.replace("2359329", "abc"), TIMES).unwrap_err().to_string();
    assert_eq!(
        error,
        "sizes file, line 3, column 10: decoding is \"abc\", which is not a whole number of bytes below 4294967296"
    );
}
