//! Paths in a configuration file: relative to that file.

use std::ffi::OsString;
use std::path::Path;

use super::named;

/// The value as it is beside the file in `folder`, if a setting of this shape names a path by it. The shape is what
/// help shows: `FILE`, `DIR`, `FILE|auto`, `NAME|FILE`, `DIR|s3://…`, `NAME=FILE.onnx,recipe=R`.
pub(super) fn beside(folder: &Path, shape: &str, value: &str) -> Option<OsString> {
    if folder.as_os_str().is_empty() {
        return None;
    }
    if shape.contains("NAME=URI") || shape.contains("KIND:") {
        return named::beside(folder, shape.contains("NAME="), value).map(OsString::from);
    }
    if shape.starts_with("NAME=FILE") {
        return Some(model_beside(folder, value));
    }
    if !shape.contains("FILE") && !shape.contains("DIR") || value.is_empty() || value.contains("://") {
        return None;
    }
    let is_a_word = shape.split('|').any(|word| word == value);
    let is_a_name = shape.split('|').any(|word| word == "NAME") && !value.contains(['/', '.']);
    (!is_a_word && !is_a_name).then(|| folder.join(value).into_os_string())
}

/// `NAME=FILE,recipe=NAME|FILE,classes=FILE,...`: all files.
fn model_beside(folder: &Path, value: &str) -> OsString {
    let one = |(place, part): (usize, &str)| match part.split_once('=') {
        Some((key, path)) if place == 0 || matches!(key, "recipe" | "classes") => {
            let shape = if key == "recipe" && place > 0 { "NAME|FILE" } else { "FILE" };
            let path = beside(folder, shape, path).unwrap_or_else(|| path.into());
            let mut joined = OsString::from(format!("{key}="));
            joined.push(path);
            joined
        }
        _ => part.into(),
    };
    value.split(',').enumerate().map(one).collect::<Vec<_>>().join(std::ffi::OsStr::new(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_path_is_beside_the_file_and_nothing_else_is() {
        for (shape, value, expected) in [
            ("FILE", "a.onnx", Some("/etc/hw/a.onnx")),
            ("DIR", "../photos", Some("/etc/hw/../photos")),
            ("DIR", "/srv/photos", Some("/srv/photos")),
            ("DIR|s3://…", "photos", Some("/etc/hw/photos")),
            ("DIR|s3://…", "s3://bucket/photos", None),
            ("FILE|auto", "auto", None),
            ("FILE|auto", "my.plan", Some("/etc/hw/my.plan")),
            ("NAME|FILE", "imagenet-train", None),
            ("NAME|FILE", "mine.toml", Some("/etc/hw/mine.toml")),
            ("NAME", "photos", None),
            (
                "NAME=FILE.onnx,recipe=R[,output=O]",
                "m=a.onnx,recipe=r.toml,output=o",
                Some("m=/etc/hw/a.onnx,recipe=/etc/hw/r.toml,output=o"),
            ),
            (
                "NAME=FILE.onnx,recipe=R[,output=O]",
                "m=/a.onnx,recipe=mobilenet-eval,classes=names.txt",
                Some("m=/a.onnx,recipe=mobilenet-eval,classes=/etc/hw/names.txt"),
            ),
        ] {
            let found = beside(Path::new("/etc/hw"), shape, value);
            assert_eq!(found, expected.map(OsString::from), "{shape} {value}");
        }
    }
}
