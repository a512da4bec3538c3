//! Compressed tar files, which cannot be read but from their beginning, and the command that makes plain ones of them.

use crate::site::Site;

/// Suffixes of compressed tar files, with what a suffix becomes, and the programs that undo the compression of a file
/// and of a stream.
const COMPRESSED: [(&str, &str, &str, &str); 9] = [
    (".tar.gz", ".tar", "gunzip --keep", "gunzip"),
    (".tgz", ".tar", "gunzip --keep", "gunzip"),
    (".tar.zst", ".tar", "zstd --decompress", "zstd -dc"),
    (".tzst", ".tar", "zstd --decompress", "zstd -dc"),
    (".tar.bz2", ".tar", "bunzip2 --keep", "bunzip2"),
    (".tbz2", ".tar", "bunzip2 --keep", "bunzip2"),
    (".tar.xz", ".tar", "unxz --keep", "unxz"),
    (".txz", ".tar", "unxz --keep", "unxz"),
    (".tar.lz4", ".tar", "unlz4 -m", "unlz4"),
];

/// Whether a file or object of this name is a compressed tar file.
pub(crate) fn is_compressed(name: &str) -> bool {
    suffix(name).is_some()
}

/// The command of a shell that makes a plain tar file beside the compressed one at this place, which may have braces;
/// `None` for what is no compressed tar file.
pub(crate) fn command(site: &Site) -> Option<String> {
    let text = site.to_string();
    let (compressed, plain, of_file, of_stream) = suffix(&text)?;
    Some(match site {
        Site::Local(_) => format!("{of_file} {}", quoted(&text)),
        Site::S3 { .. } => format!(
            "for f in {}; do aws s3 cp \"$f\" - | {of_stream} | aws s3 cp - \"${{f%{compressed}}}{plain}\"; done",
            quoted(&text)
        ),
    })
}

fn suffix(name: &str) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    let has = |suffix: &str| {
        let at = name.len().checked_sub(suffix.len());
        at.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    COMPRESSED.into_iter().find(|(suffix, ..)| has(suffix))
}

/// As a word of a shell: as it is where nothing in it has a meaning but braces, which are meant.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:{},=+@%".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_for_the_place() {
        for (text, expected) in [
            ("/d/a.tar.gz", Some("gunzip --keep /d/a.tar.gz")),
            ("s-{00..99}.tgz", Some("gunzip --keep s-{00..99}.tgz")),
            ("/My Photos/a.tar.zst", Some("zstd --decompress '/My Photos/a.tar.zst'")),
            (
                "s3://bucket/a.tar.gz",
                Some(
                    "for f in s3://bucket/a.tar.gz; do aws s3 cp \"$f\" - | gunzip | aws s3 cp - \
                     \"${f%.tar.gz}.tar\"; done",
                ),
            ),
            ("a.tar", None),
            ("a.gz", None),
        ] {
            assert_eq!(command(&text.parse().unwrap()).as_deref(), expected);
        }
    }
}
