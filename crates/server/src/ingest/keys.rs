//! Under which key a photo is stored: its class and its own name, and some digits of its bytes' digest where another
//! photo has that name.

use headwater_store::Files;
use headwater_types::{Digest, Format, SampleKey};

/// Digits of the digest that tell photos of one name apart: 4 billion, and then all of them.
const DIGITS: usize = 8;

/// The keys under which a photo may lie, in the order in which they are tried. A name that no listing would take for
/// that of a photo gets the suffix of its format.
pub(super) fn keys(
    (name, label): (&str, Option<&str>),
    files: Files,
    (format, digest): (Format, Digest),
) -> Vec<SampleKey> {
    let suffixed;
    let name = match files.takes(name) {
        true => name,
        false => {
            suffixed = format!("{name}.{}", format.suffix());
            &suffixed
        }
    };
    let (stem, suffix) = match name.rsplit_once('.') {
        Some((stem, suffix)) if !stem.is_empty() => (stem, format!(".{suffix}")),
        _ => (name, String::new()),
    };
    let digits = digest.to_string();
    let with = |digits: &str| format!("{stem}-{digits}{suffix}");
    let names = [name.to_owned(), with(&digits[..DIGITS.min(digits.len())]), with(&digits)];
    let key = |name: String| label.map_or_else(|| name.clone(), |label| format!("{label}/{name}")).parse().ok();
    names.into_iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_where_they_can_and_end_like_photos() {
        let digest = Digest::of(b"photo");
        let (all, few) = (digest.to_string(), digest.to_string()[..8].to_owned());
        let found = |name, label, files| {
            let keys = keys((name, label), files, (Format::Jpeg, digest));
            keys.iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>()
        };
        let expected = ["cat/1.jpg".to_owned(), format!("cat/1-{few}.jpg"), format!("cat/1-{all}.jpg")];
        assert_eq!(found("1.jpg", Some("cat"), Files::Photos), expected);
        assert_eq!(found("upload", None, Files::Photos)[..2], ["upload.jpg".to_owned(), format!("upload-{few}.jpg")]);
        assert_eq!(found("a.b", None, Files::Photos)[0], "a.b.jpg");
        assert_eq!(found("upload", None, Files::All)[..2], ["upload".to_owned(), format!("upload-{few}")]);
    }
}
