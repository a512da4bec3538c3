//! Which columns of a labels file are the key, the label and the fields: by setting, or by the names that people use.

use headwater_types::shown;

use super::error::LabelsError;

/// What the settings say of a labels file's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The column of keys; `None` to find it by its name.
    pub(crate) key: Option<String>,
    /// The column of labels; `None` to find it by its name.
    pub(crate) label: Option<String>,
    /// The columns that become fields. `*` takes all that are not the key.
    pub(crate) fields: Vec<String>,
}

/// The places of the columns among those of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) key: usize,
    /// `None` where the file has fields only.
    pub(crate) label: Option<usize>,
    pub(crate) fields: Vec<usize>,
    /// The names of all columns.
    names: Vec<String>,
}

/// Names of the column of keys. The first is taken before the others.
const KEYS: &[&str] = &[
    "key",
    "__key__",
    "filename",
    "file_name",
    "file",
    "filepath",
    "file_path",
    "path",
    "image",
    "image_path",
    "image_id",
    "image_name",
    "img",
    "img_path",
    "id",
];
/// Names of the column of labels. The first is taken before the others.
const LABELS: &[&str] =
    &["label", "class", "target", "category", "class_name", "label_name", "class_id", "label_id", "cls"];
/// What takes every column as a field.
const ALL: &str = "*";

// === impl Columns ===

impl Columns {
    /// Finds the columns among those of a file.
    ///
    /// # Errors
    /// Columns that are not there; a key that several columns could be; neither label nor fields.
    pub(crate) fn find(names: Vec<String>, wanted: &Wanted) -> Result<Self, LabelsError> {
        let key = match one_of(&names, wanted.key.as_deref(), "key", KEYS)? {
            Some(key) => key,
            None => return Err(unclear(&names, "no column has a name of keys, such as key or filename", "key")),
        };
        let others: Vec<_> = names.iter().enumerate().map(|(at, name)| if at == key { "" } else { name }).collect();
        let label = one_of(&others, wanted.label.as_deref(), "label", LABELS)?;
        let fields = match wanted.fields.as_slice() {
            [all] if all == ALL => (0..names.len()).filter(|at| *at != key).collect(),
            fields => fields.iter().map(|name| named(&names, name, "fields")).collect::<Result<Vec<_>, _>>()?,
        };
        if label.is_none() && fields.is_empty() {
            let what = "no column has a name of labels, such as label or class, and no fields are asked for";
            return Err(unclear(&names, what, "label"));
        }
        Ok(Self { key, label, fields, names })
    }

    /// The name of a column.
    pub(super) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }

    /// The columns that are neither key nor label nor field.
    pub(super) fn unused(&self) -> Vec<&str> {
        let is_used = |at: usize| at == self.key || Some(at) == self.label || self.fields.contains(&at);
        (0..self.names.len()).filter(|at| !is_used(*at)).map(|at| self.name(at)).collect()
    }
}

/// The column that the setting names, or the one that has one of the usual names, in whatever case.
fn one_of(
    names: &[impl AsRef<str>],
    setting: Option<&str>,
    what: &'static str,
    usual: &[&str],
) -> Result<Option<usize>, LabelsError> {
    if let Some(name) = setting {
        return named(names, name, what).map(Some);
    }
    let is = |name: &str, usual: &str| name.trim().eq_ignore_ascii_case(usual);
    let first = names.iter().position(|name| is(name.as_ref(), usual[0]));
    let mut all = (0..names.len()).filter(|at| usual.iter().any(|usual| is(names[*at].as_ref(), usual)));
    match (first, all.next(), all.next()) {
        (Some(first), ..) => Ok(Some(first)),
        (None, one, None) => Ok(one),
        (None, Some(one), Some(two)) => {
            let both = format!("{:?} or {:?}", names[one].as_ref(), names[two].as_ref());
            Err(unclear(names, &format!("the column of the {what} could be {both}"), what))
        }
        (None, None, Some(_)) => Ok(None),
    }
}

fn named(names: &[impl AsRef<str>], name: &str, setting: &'static str) -> Result<usize, LabelsError> {
    let found = names.iter().position(|each| each.as_ref() == name);
    found.ok_or_else(|| unclear(names, &format!("there is no column {name:?}"), setting))
}

fn unclear(names: &[impl AsRef<str>], what: &str, setting: &'static str) -> LabelsError {
    let listed: Vec<_> =
        names.iter().map(AsRef::as_ref).filter(|name| !name.is_empty()).map(|name| format!("{name:?}")).collect();
    let separated = listed.len() <= 1 && names.iter().any(|name| name.as_ref().contains([';', '\t']));
    let fix = match (separated, setting) {
        (true, _) => "separate them with commas (or with tabs, in a file named .tsv)".to_owned(),
        (false, "fields") => "name some of them with fields=COLUMN+COLUMN".to_owned(),
        (false, setting) => format!("name it with {setting}=COLUMN"),
    };
    LabelsError::Column { what: what.to_owned(), columns: shown::listed(listed, "and"), fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(names: &str, wanted: &Wanted) -> Result<(usize, Option<usize>, Vec<usize>), String> {
        let columns = Columns::find(names.split(',').map(str::to_owned).collect(), wanted);
        columns.map(|found| (found.key, found.label, found.fields)).map_err(|error| error.to_string())
    }

    fn wanted(key: &str, label: &str, fields: &[&str]) -> Wanted {
        let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Wanted { key: name(key), label: name(label), fields: fields.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn columns_are_found_by_the_names_that_people_use() {
        let by_name = Wanted::default();
        for (names, found) in [
            ("key,label", (0, Some(1), vec![])),
            ("label,key", (1, Some(0), vec![])),
            ("Filename,Class", (0, Some(1), vec![])),
            ("image_id,x,target", (0, Some(2), vec![])),
            ("key,filename,label,class", (0, Some(2), vec![])),
        ] {
            assert_eq!(find(names, &by_name), Ok(found), "{names}");
        }
        assert_eq!(find("a,b,key,class", &wanted("b", "a", &["class", "b"])), Ok((1, Some(0), vec![3, 1])));
        assert_eq!(find("key,caption", &wanted("", "", &["*"])), Ok((0, None, vec![1])));
    }

    #[test]
    fn what_is_not_clear_is_refused_with_the_setting_that_makes_it_clear() {
        let by_name = Wanted::default();
        for (names, wanted, words) in [
            ("a,label", &by_name, "no column has a name of keys, such as key or filename: its columns are \"a\" and"),
            ("file,path,label", &by_name, "the column of the key could be \"file\" or \"path\""),
            ("key,class,target", &by_name, "the column of the label could be \"class\" or \"target\""),
            (
                "key,b",
                &by_name,
                "no fields are asked for: its columns are \"key\" and \"b\": name it with label=COLUMN",
            ),
            ("key,b", &self::wanted("", "c", &[]), "there is no column \"c\""),
            ("key,label", &self::wanted("", "", &["c"]), "name some of them with fields=COLUMN+COLUMN"),
            ("key;label", &by_name, "separate them with commas"),
        ] {
            let error = find(names, wanted).unwrap_err();
            assert!(error.contains(words), "{names}: {error}");
        }
    }
}
