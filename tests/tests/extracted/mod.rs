//! Features as `tuner extract` has written them, by key.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;

use crate::common::read_parts;

/// Of each key the label and the feature.
pub(crate) type Features = BTreeMap<String, (Option<String>, Vec<f32>)>;

/// What a folder of parts holds; each key once.
pub(crate) fn features(folder: &Path) -> Features {
    let mut all = Features::new();
    for batch in read_parts(folder).unwrap() {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let (keys, labels) = (column("key").as_string::<i32>(), column("label").as_string::<i32>());
        let rows = column("feature").as_fixed_size_list();
        for (row, (key, label)) in keys.iter().zip(labels).enumerate() {
            let feature = rows.value(row).as_primitive::<Float32Type>().values().to_vec();
            let before = all.insert(key.unwrap().to_owned(), (label.map(str::to_owned), feature));
            assert!(before.is_none(), "{key:?} is there twice");
        }
    }
    all
}
