//! Closed sets: exit codes, kinds of failure, cuts, and the keys of recipes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use headwater_cli::exit;
use headwater_types::{Cut, FailureKind, Recipe};

use crate::markdown::{code, head, sentence, table};

/// Op, key, value and default of every key that a stage may have.
const KEYS: [[&str; 4]; 15] = [
    ["decode", "orientation", "`\"stored\"` or `\"exif\"`", "`\"stored\"`"],
    ["decode", "decode", "`\"exact\"` or `\"fast\"`", "`\"exact\"`"],
    ["random-resized-crop", "size", SIZE, REQUIRED],
    ["random-resized-crop", "scale", "the least and the most of the photo's area: two numbers", "`[0.08, 1.0]`"],
    [
        "random-resized-crop",
        "ratio",
        "the least and the most of width / height: two numbers",
        "`[0.75, 1.333]`: 3 / 4 to 4 / 3",
    ],
    ["random-resized-crop", "interpolation", INTERPOLATION, "`\"bilinear\"`"],
    [
        "resize",
        "size",
        "a whole number is the shorter side, where `center-crop` follows with a `size`; else `[height, width]`, or a \
         square's side",
        REQUIRED,
    ],
    ["resize", "interpolation", INTERPOLATION, "`\"bilinear\"`"],
    ["center-crop", "size", SIZE, "none: then `fraction`, before `resize`"],
    [
        "center-crop",
        "fraction",
        "the part of the shorter side that is kept: a number",
        "none: then `size`, behind `resize`",
    ],
    [
        "center-crop",
        "exact",
        "behind `resize`: `\"one-step\"`, the box of the photo, as Pillow's `resize(size, box=...)`; or \
         `\"two-step\"`, cut out of the resized photo, as torchvision does it",
        "`\"one-step\"`",
    ],
    ["random-horizontal-flip", "p", "the probability: a number from 0 to 1", "`0.5`"],
    ["to-tensor", "scale", "`\"unit\"`: 0 to 1, or `\"byte\"`: 0 to 255", "`\"unit\"`"],
    ["normalize", "mean", "of red, green and blue: three numbers", REQUIRED],
    ["normalize", "std", "of red, green and blue: three numbers", REQUIRED],
];
const INTERPOLATION: &str = "`\"bilinear\"` or `\"bicubic\"`: Pillow's, antialiased";
const SIZE: &str = "a square's side, or `[height, width]`";
const REQUIRED: &str = "must be given";

pub(crate) fn exit_codes() -> String {
    let mut page = head(
        "Exit codes",
        "With what a program ends. An error is told on standard error; with `--json` as one line of JSON, \
         which has the code as well.",
    );
    let rows = exit::CODES.iter().map(|(code, meaning)| [code.to_string(), sentence(meaning)]);
    table(&mut page, ["code", "meaning"], rows);
    page
}

pub(crate) fn failures() -> String {
    let mut page = head(
        "Kinds of failure",
        "A sample that cannot be delivered is a failure with one of these kinds, beside the other samples: in \
         reports, in `headwater_samples_failed_total{kind=...}`, and as `SampleError.kind` in Python. Its message says \
         more.",
    );
    let row = |kind: FailureKind| {
        let again = if kind.is_retryable() { "yes" } else { "no" };
        [code(kind.as_str()), kind.meaning().to_owned(), again.to_owned(), kind.remedy().to_owned()]
    };
    table(&mut page, ["kind", "what has happened", "asked for again", "what to do"], FailureKind::ALL.map(row));
    page
}

pub(crate) fn recipes() -> String {
    let mut page = head(
        "Recipes and cuts",
        "A recipe is a TOML file with a `name` and a list of `[[stage]]`, each with an `op` and its keys, in this \
         order: `decode`, then how it is cropped and resized, then perhaps `random-horizontal-flip`, then `to-tensor`, \
         then perhaps `normalize`. A key that no stage has is refused.",
    );
    writeln!(page, "\n## Cuts\n\nHow far the storage side takes a sample.").unwrap();
    table(
        &mut page,
        ["cut", "what a sample is there"],
        Cut::ALL.map(|cut| [code(cut.as_str()), sentence(cut.meaning())]),
    );
    writeln!(page, "\n## Keys of the stages").unwrap();
    compare_with_parser();
    let row = |[op, key, value, default]: [&str; 4]| [code(op), code(key), value.to_owned(), default.to_owned()];
    table(&mut page, ["op", "key", "value", "default"], KEYS.map(row));
    let names: Vec<_> = Recipe::builtin_names().map(code).collect();
    writeln!(page, "\n## In the box\n\n{}: `profiler recipe NAME` prints one.", names.join(", ")).unwrap();
    page
}

/// Checks that [`KEYS`] are the ops and keys that the parser names where it is given others.
fn compare_with_parser() {
    let refusal =
        |stage: &str| Recipe::from_toml(&format!("name = \"n\"\n[[stage]]\n{stage}\n")).unwrap_err().to_string();
    let named = |message: &str, before: &str| -> BTreeSet<String> {
        let list = message.split(before).nth(1).unwrap_or_else(|| panic!("no list behind {before:?}: {message}"));
        list.split(", ").take_while(|word| !word.starts_with("not ")).map(|word| word.trim().to_owned()).collect()
    };
    let ops: BTreeSet<String> = KEYS.iter().map(|[op, ..]| (*op).to_owned()).collect();
    assert_eq!(named(&refusal("op = \"none-such\""), "must be one of "), ops);
    for op in &ops {
        let keys = KEYS.iter().filter(|[of, ..]| of == op).map(|[_, key, ..]| (*key).to_owned());
        let keys: BTreeSet<String> = keys.chain(["op".to_owned()]).collect();
        assert_eq!(named(&refusal(&format!("op = \"{op}\"\nnone-such = 1")), "there are "), keys, "{op}");
    }
}
