//! A dataset whose labels, classes and fields are in files beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::Path;

use headwater_store::{Catalog, ClassList, DatasetOptions, Location, Site, StoreError, StoreOptions, open};
use headwater_types::field::Record;
use headwater_types::{FieldValue, Partition, SampleIndex};
use tempfile::TempDir;

const KEYS: [&str; 4] = ["cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "flat.jpg"];

fn photos() -> TempDir {
    let root = TempDir::new().unwrap();
    for key in KEYS {
        let path = root.path().join("photos").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"photo").unwrap();
    }
    root
}

/// Lists the photos with these files: of labels by its name and text, and of classes.
async fn listed(
    root: &Path,
    labels: Option<(&str, &str)>,
    classes: Option<&str>,
    fields: &[&str],
) -> Result<Catalog, StoreError> {
    let file = |(name, text): (&str, &str)| {
        fs::write(root.join(name), text).unwrap();
        Site::Local(root.join(name))
    };
    let fields = fields.iter().map(|&name| name.to_owned()).collect();
    let classes = classes.map(|text| ClassList::File(file(("classes.txt", text))));
    let dataset = DatasetOptions { labels: labels.map(file), classes, fields, ..DatasetOptions::default() };
    let options = StoreOptions { dataset, ..StoreOptions::default() };
    open(&Location::folder(root.join("photos")), &options).await?.list(None).await
}

/// The class of each sample by name, in the order of their keys.
fn labels(catalog: &Catalog) -> Vec<&str> {
    let name = |label: Option<headwater_types::ClassId>| label.map_or("", |label| &catalog.classes()[label.0 as usize]);
    catalog.iter().map(|(_, entry)| name(entry.label)).collect()
}

fn values(catalog: &Catalog, index: u64) -> Vec<FieldValue> {
    Record::decode(catalog.record(SampleIndex(index)), catalog.fields()).unwrap()
}

#[tokio::test]
async fn csv_tsv_and_json_lines_label_alike_in_the_place_of_folders() {
    let root = photos();
    let csv = "key,label,score\ncat/1.jpg,wild,0.5\ncat/2,tame,\ndog/3.jpg,wild,2\nflat.jpg,tame,-1\n";
    let json = ["cat/1.jpg wild 0.5", "cat/2 tame null", "dog/3.jpg wild 2", "flat.jpg tame -1"].map(|row| {
        let [key, label, score] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        format!("{{\"key\": \"{key}\", \"label\": \"{label}\", \"score\": {score}}}\n")
    });
    for (name, text) in [("l.csv", csv), ("l.tsv", &csv.replace(',', "\t")), ("l.jsonl", &json.concat())] {
        let catalog = listed(root.path(), Some((name, text)), None, &["score"]).await.unwrap();
        assert_eq!(catalog.classes(), ["tame", "wild"], "{name}");
        assert_eq!(labels(&catalog), ["wild", "tame", "wild", "tame"], "{name}");
        let scores: Vec<_> = (0..4).flat_map(|index| values(&catalog, index)).collect();
        let expected = [FieldValue::Number(0.5), FieldValue::Absent, FieldValue::Number(2.0), FieldValue::Number(-1.0)];
        assert_eq!(scores, expected, "{name}");
    }
}

#[tokio::test]
async fn numbers_are_numbers_of_classes_and_pinned_classes_keep_their_order_without_photos_too() {
    let root = photos();
    let numbers = "key,label\ncat/1.jpg,2\ncat/2.jpg,0\ndog/3.jpg,2\nflat.jpg,0\n";
    let catalog = listed(root.path(), Some(("l.csv", numbers)), None, &[]).await.unwrap();
    assert_eq!(catalog.classes(), ["0", "1", "2"]);
    assert_eq!(labels(&catalog), ["2", "0", "2", "0"]);
    let pinned = "zebra\nant\nemu\n";
    let catalog = listed(root.path(), Some(("l.csv", numbers)), Some(pinned), &[]).await.unwrap();
    assert_eq!(catalog.classes(), ["zebra", "ant", "emu"]);
    assert_eq!(labels(&catalog), ["emu", "zebra", "emu", "zebra"]);
    let names = "key,label\ncat/1.jpg,ant\ncat/2.jpg,zebra\ndog/3.jpg,ant\n";
    let catalog = listed(root.path(), Some(("l.csv", names)), Some(pinned), &[]).await.unwrap();
    let by_number: Vec<_> = catalog.iter().map(|(_, entry)| entry.label.map(|label| label.0)).collect();
    assert_eq!(by_number, [Some(1), Some(0), Some(1), None]);
    let error = listed(root.path(), Some(("l.csv", names)), Some("ant\nemu\n"), &[]).await.unwrap_err().to_string();
    assert!(error.contains("zebra"), "{error}");
    let folders = listed(root.path(), None, Some("dog\ncat\ncow\n"), &[]).await.unwrap();
    assert_eq!(
        (folders.classes().join(" "), labels(&folders).join(" ")),
        ("dog cat cow".into(), "cat cat dog ".into())
    );
}

#[tokio::test]
async fn a_file_of_fields_alone_leaves_the_folders_their_labels() {
    let root = photos();
    let captions = "key,caption\ncat/1.jpg,a\ndog/3.jpg,c\nflat.jpg,d\n";
    let catalog = listed(root.path(), Some(("l.csv", captions)), None, &["caption"]).await.unwrap();
    assert_eq!(labels(&catalog), ["cat", "cat", "dog", ""]);
    assert_eq!(values(&catalog, 2), [FieldValue::Text("c".to_owned())]);
    assert_eq!(values(&catalog, 1), [FieldValue::Absent]);
    let plain = listed(root.path(), None, None, &[]).await.unwrap();
    assert_ne!(catalog.digest(), plain.digest(), "a field that changes makes another generation");
}

#[tokio::test]
async fn a_file_that_cannot_be_right_is_refused_by_its_name() {
    let root = photos();
    for (text, words) in [
        (
            "key,label\nx/1.jpg,a\nx/2.jpg,b\nx/3.jpg,a\n",
            "its keys are \"x/1.jpg\", \"x/2.jpg\", \"x/3.jpg\", the dataset's are \"cat/1.jpg\"",
        ),
        ("key,label\ncat/1.jpg,a\ncat/1.jpg,b\n", "rows 1 and 2 are both of \"cat/1.jpg\""),
        ("a,b\n", "no column has a name of keys"),
    ] {
        let error = listed(root.path(), Some(("l.csv", text)), None, &[]).await.unwrap_err().to_string();
        assert!(error.starts_with("labels=") && error.contains(words), "{error}");
    }
    let error = listed(root.path(), None, Some("a\na\n"), &[]).await.unwrap_err().to_string();
    assert!(error.starts_with("classes=") && error.contains("line 2: class \"a\" is there twice"), "{error}");
}

#[tokio::test]
async fn partitions_agree_on_classes_and_every_listing_reads_the_file_anew() {
    let root = photos();
    let file = root.path().join("l.csv");
    let write =
        |label: &str| fs::write(&file, format!("key,label\ncat/1,{label}\ncat/2,b\ndog/3,c\nflat,d\n")).unwrap();
    write("a");
    let dataset = DatasetOptions { labels: Some(Site::Local(file.clone())), ..DatasetOptions::default() };
    let location = Location::folder(root.path().join("photos"));
    for part in ["1/2", "2/2"] {
        let partition: Partition = part.parse().unwrap();
        let options = StoreOptions { dataset: dataset.clone(), partition, ..StoreOptions::default() };
        let catalog = open(&location, &options).await.unwrap().list(None).await.unwrap();
        assert_eq!(catalog.classes(), ["a", "b", "c", "d"]);
    }
    let store = open(&location, &StoreOptions { dataset, ..StoreOptions::default() }).await.unwrap();
    let first = store.list(None).await.unwrap();
    let same = store.list(Some(&first)).await.unwrap();
    assert!(same.shares(&first), "nothing changed");
    write("z");
    let changed = store.list(Some(&first)).await.unwrap();
    assert_eq!(changed.classes(), ["b", "c", "d", "z"]);
    assert_eq!(labels(&changed), ["z", "b", "c", "d"]);
}
