//! A bucket in memory, which a server of the test's own gives by the protocol of S3: listings by prefix and delimiter,
//! and objects whole or by range.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_types::Digest;
use url::Url;

use super::server::{answer, serving_side_by_side};
use super::*;
use crate::conformance::{Photos, Source, store_behaves};
use crate::kind::Kind;

pub(super) type Objects = BTreeMap<String, Vec<u8>>;

pub(super) struct FakeBucket {
    pub(super) objects: Arc<Mutex<Objects>>,
    pub(super) endpoint: String,
    /// The ranges of objects that were asked for, in their order.
    pub(super) asked: Arc<Mutex<Vec<(usize, usize)>>>,
}

// === impl FakeBucket ===

impl FakeBucket {
    pub(super) fn start() -> Self {
        let objects: Arc<Mutex<Objects>> = Arc::default();
        let held = Arc::clone(&objects);
        let asked: Arc<Mutex<Vec<_>>> = Arc::default();
        let heard = Arc::clone(&asked);
        let endpoint = serving_side_by_side(move |head| {
            let objects = held.lock().unwrap();
            if let Some(content) = object(&objects, head) {
                heard.lock().unwrap().push(range(head).unwrap_or((0, content.len().saturating_sub(1))));
            }
            (Duration::ZERO, say(&objects, head))
        });
        Self { objects, endpoint, asked }
    }
}

impl Source for FakeBucket {
    const IS_FILE_BY_FILE: bool = true;

    async fn hold(&mut self, photos: &Photos) {
        let object = |(key, content): (&&str, &&[u8])| (format!("set/{key}"), content.to_vec());
        *self.objects.lock().unwrap() = photos.iter().map(object).collect();
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        let options = StoreOptions { s3: at(&self.endpoint).s3, ..options };
        Arc::new(Bucket::open("photos", "set", &options, &settings()).unwrap())
    }
}

fn say(objects: &Objects, head: &str) -> Vec<u8> {
    let target = head.split(' ').nth(1).unwrap();
    let url = Url::parse(&format!("http://fake{target}")).unwrap();
    let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    if asked.contains_key("list-type") {
        return answer(200, "", listing(objects, &asked));
    }
    let Some(content) = object(objects, head) else {
        return answer(404, "", "<Error><Code>NoSuchKey</Code></Error>");
    };
    let headers = format!("ETag: \"{}\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", Digest::of(content));
    let Some((first, last)) = range(head) else { return answer(200, &headers, content) };
    // As S3 does, which gives what there is of a range.
    let Some(part) = content.get(first..content.len().min(last + 1)) else {
        return answer(416, "", "<Error><Code>InvalidRange</Code></Error>");
    };
    let given = format!("Content-Range: bytes {first}-{}/{}\r\n", first + part.len() - 1, content.len());
    answer(206, &(headers + &given), part)
}

/// The object that a request is for.
fn object<'a>(objects: &'a Objects, head: &str) -> Option<&'a Vec<u8>> {
    let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap();
    let key = url::form_urlencoded::parse(path.as_bytes()).next().unwrap().0;
    objects.get(key.strip_prefix("/photos/")?)
}

/// The first and the last byte that a request asks for.
fn range(head: &str) -> Option<(usize, usize)> {
    let mut lines = head.lines().map(str::to_ascii_lowercase);
    let range = lines.find_map(|line| line.strip_prefix("range: bytes=").map(str::to_owned))?;
    let (first, last) = range.split_once('-').unwrap();
    Some((first.parse().unwrap(), last.parse().unwrap()))
}

fn listing(objects: &Objects, asked: &BTreeMap<String, String>) -> String {
    let prefix = asked.get("prefix").map_or("", String::as_str);
    let beneath = objects.iter().filter_map(|(key, content)| Some((key, key.strip_prefix(prefix)?, content)));
    let (mut text, mut folders) = (String::new(), BTreeSet::new());
    for (key, rest, content) in beneath {
        match rest.split_once('/').filter(|_| asked.contains_key("delimiter")) {
            Some((folder, _)) => drop(folders.insert(folder)),
            None => write!(
                text,
                "<Contents><Key>{key}</Key><Size>{}</Size><ETag>{}</ETag></Contents>",
                content.len(),
                Digest::of(content)
            )
            .unwrap(),
        }
    }
    for folder in folders {
        write!(text, "<CommonPrefixes><Prefix>{prefix}{folder}/</Prefix></CommonPrefixes>").unwrap();
    }
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{text}</ListBucketResult>")
}

#[tokio::test]
async fn a_bucket_behaves_as_a_store() {
    store_behaves(FakeBucket::start()).await;
}

#[tokio::test]
async fn one_level_of_a_bucket_shows_photos_shards_and_folders() {
    let bucket = FakeBucket::start();
    let keys =
        ["set/0.tar", "set/1.tar", "set/1.json", "set/.x.jpg", "set/data/a.parquet", "set/val/1.jpg", "other.jpg"];
    *bucket.objects.lock().unwrap() = keys.iter().map(|&key| (key.to_owned(), vec![1])).collect();
    let opened = Bucket::open("photos", "set", &at(&bucket.endpoint), &settings()).unwrap();
    let level = opened.level("").await.unwrap();
    assert_eq!(level.kinds().collect::<Vec<_>>(), [(Kind::Tar, 2)]);
    assert_eq!((level.has_photos, level.folders), (false, vec!["data".to_owned(), "val".to_owned()]));
    assert!(opened.level("val/").await.unwrap().has_photos);
    assert_eq!(opened.level("data/").await.unwrap().kinds().collect::<Vec<_>>(), [(Kind::Parquet, 1)]);
}
