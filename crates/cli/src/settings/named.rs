//! Values with a name and options, `NAME=URI,option=value,...`: as tables of the file, and with the paths in them
//! beside it.

use std::path::Path;

use headwater_types::option_text::{marked, unmarked};

use super::file::Scalar;

/// Between the values of an option that takes several.
const BETWEEN: &str = "+";

/// The text of a value whose name, place and options are the keys of a table. The shape, such as `NAME=URI`, says what
/// the place is called: `uri`.
///
/// Fails with what the table lacks.
pub(super) fn from_table(shape: &str, table: &[(String, Vec<Scalar>)]) -> Result<String, String> {
    let place = place_key(shape);
    let text = |key: &str| {
        let found = table.iter().find(|(each, _)| each == key);
        let values = found.map(|(_, values)| values.iter().cloned().map(Scalar::into_text).collect::<Vec<_>>());
        values.map(|values| values.join(BETWEEN)).ok_or_else(|| format!("a table without {key}: give name and {place}"))
    };
    let mut all = format!("{}={}", text("name")?, marked(&text(&place)?));
    for (key, _) in table.iter().filter(|(key, _)| *key != "name" && *key != place) {
        all += &format!(",{key}={}", marked(&text(key)?));
    }
    Ok(all)
}

/// Whether a setting of this shape takes tables.
pub(super) fn takes_tables(shape: &str) -> bool {
    shape.contains("NAME=")
}

/// A place with its options, where relative paths are those beside the file in `folder`. `named` says whether a name
/// stands before the place.
pub(super) fn beside(folder: &Path, named: bool, value: &str) -> Option<String> {
    let (name, rest) = match (named, value.split_once('=')) {
        (false, _) => (String::new(), value),
        (true, Some((name, rest))) => (format!("{name}="), rest),
        // A name alone.
        (true, None) => return None,
    };
    let starts = unmarked(rest);
    let place = &rest[..starts.first().copied().unwrap_or(rest.len())];
    let mut all = name + &path_beside(folder, place);
    for (start, end) in starts.iter().zip(starts.iter().skip(1).chain([&rest.len()])) {
        let (option, value) = rest[start + 1..*end].split_once('=').unwrap_or_default();
        // Names of classes may stand for a file of them.
        let is_names = option == "classes" && value.contains(['+', ',']) && !value.contains('/');
        let is_path = matches!(option, "labels" | "classes") && !is_names;
        let value = if is_path { path_beside(folder, value) } else { value.to_owned() };
        all += &format!(",{option}={value}");
    }
    Some(all)
}

/// A path beside the file, behind the kind of dataset where one is named (`tar:shards`); an address stays as it is.
fn path_beside(folder: &Path, path: &str) -> String {
    if path.is_empty() || path.contains("://") {
        return path.to_owned();
    }
    let is_kind = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    match path.split_once(':').filter(|(kind, _)| is_kind(kind)) {
        Some((kind, path)) => format!("{kind}:{}", folder.join(path).display()),
        None => folder.join(path).display().to_string(),
    }
}

/// What the place is called in a table: the first word behind `NAME=`, in small letters.
fn place_key(shape: &str) -> String {
    let behind = shape.split_once("NAME=").map_or("", |(_, behind)| behind);
    behind.chars().take_while(char::is_ascii_uppercase).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: &str = "NAME|NAME=URI[,option=value]…";

    fn table(keys: &[(&str, &[&str])]) -> Vec<(String, Vec<Scalar>)> {
        let text = |text: &&str| Scalar::Text((*text).to_owned());
        keys.iter().map(|(key, values)| ((*key).to_owned(), values.iter().map(text).collect())).collect()
    }

    #[test]
    fn a_table_is_the_text_that_a_flag_would_have() {
        let photos = table(&[("name", &["p"]), ("partition", &["1/2"]), ("uri", &["/srv"]), ("classes", &["a", "b"])]);
        assert_eq!(from_table(SHAPE, &photos).unwrap(), "p=/srv,partition=1/2,classes=a+b");
        let odd = table(&[("name", &["p"]), ("uri", &["/srv/a,b=c,d"])]);
        assert_eq!(from_table(SHAPE, &odd).unwrap(), "p=/srv/a\\,b=c,d");
        let model = table(&[("name", &["m"]), ("file", &["m.onnx"]), ("recipe", &["r"])]);
        assert_eq!(from_table("NAME=FILE.onnx,recipe=R[,output=O]", &model).unwrap(), "m=m.onnx,recipe=r");
        for lacks in [&[("name", &["p"][..])][..], &[("uri", &["/srv"][..])]] {
            assert!(from_table(SHAPE, &table(lacks)).unwrap_err().ends_with("give name and uri"));
        }
    }

    #[test]
    fn relative_paths_are_beside_the_file() {
        for (value, expected) in [
            ("photos", None),
            ("p=photos", Some("p=/etc/hw/photos")),
            ("p=/srv/photos,partition=1/2", Some("p=/srv/photos,partition=1/2")),
            ("p=s3://bucket/a,labels=l.csv", Some("p=s3://bucket/a,labels=/etc/hw/l.csv")),
            ("p=tar:a-{00..09}.tar,keys=shard", Some("p=tar:/etc/hw/a-{00..09}.tar,keys=shard")),
            ("p=a,classes=cat+dog", Some("p=/etc/hw/a,classes=cat+dog")),
            ("p=a,classes=names.txt", Some("p=/etc/hw/a,classes=/etc/hw/names.txt")),
        ] {
            assert_eq!(beside(Path::new("/etc/hw"), true, value).as_deref(), expected, "{value}");
        }
        assert_eq!(beside(Path::new("/etc/hw"), false, "npy:x.npy").as_deref(), Some("npy:/etc/hw/x.npy"));
    }
}
