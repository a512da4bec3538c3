//! Against a real S3 protocol: the server of PyPI's `moto`, started by the test that needs it.
//!
//! Its Python is `HEADWATER_PYTHON`, or that of the repository's `.venv`. Where there is none, or it has no
//! `moto[server]`, the tests say so and prove nothing.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use futures::StreamExt;
use headwater_types::{ByteCount, SampleIndex};
use object_store::ObjectStoreExt;

use super::*;
use crate::fetched::Fetched;
use crate::files::Files;
use crate::options::S3Options;
use crate::skip::Skip;

/// Serves until its standard input ends, so that it never outlives the test. Keys that no S3 client of ours would write
/// come as arguments.
const SERVER: &str = r#"
import logging, sys
logging.disable(logging.CRITICAL)
try:
    import boto3
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer
except ImportError as error:
    sys.exit(f"no moto: {error}")
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
                  aws_access_key_id="id", aws_secret_access_key="secret")
s3.create_bucket(Bucket="photos")
for key in sys.argv[1:]:
    s3.put_object(Bucket="photos", Key=key, Body=b"hostile")
print(port, flush=True)
sys.stdin.read()
server.stop()
"#;

struct Moto {
    process: Child,
    endpoint: String,
}

// === impl Moto ===

impl Moto {
    /// A server with an empty bucket `photos` but for these keys; `None`, with a line that says why, where it cannot
    /// run.
    fn start(hostile_keys: &[&str]) -> Option<Self> {
        let Some(python) = python() else {
            println!("skipped: no Python for moto: set HEADWATER_PYTHON or make the repository's .venv");
            return None;
        };
        let mut process = Command::new(&python)
            .args(["-c", SERVER])
            .args(hostile_keys)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        if port.is_empty() {
            let mut reason = String::new();
            process.stderr.take().unwrap().read_to_string(&mut reason).unwrap();
            process.wait().unwrap();
            assert!(reason.contains("no moto"), "moto did not start: {reason}");
            println!("skipped: {} has no moto[server]: {}", python.display(), reason.trim());
            return None;
        }
        Some(Self { process, endpoint: format!("http://127.0.0.1:{}", port.trim()) })
    }

    fn options(&self) -> StoreOptions {
        let s3 = S3Options { endpoint: Some(self.endpoint.parse().unwrap()), allow_http: false };
        StoreOptions { s3, ..StoreOptions::default() }
    }

    fn bucket(&self, prefix: &str, options: &StoreOptions) -> Bucket {
        Bucket::open("photos", prefix, options, &settings()).unwrap()
    }

    async fn put(&self, key: &str, content: &[u8]) {
        let client = connect::connect("photos", &self.options().s3, &settings(), Fetched::default()).unwrap().client;
        client.put(&Path::parse(key).unwrap(), content.to_vec().into()).await.unwrap();
    }

    async fn delete(&self, key: &str) {
        let client = connect::connect("photos", &self.options().s3, &settings(), Fetched::default()).unwrap().client;
        client.delete(&Path::parse(key).unwrap()).await.unwrap();
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("HEADWATER_PYTHON") {
        return Some(named.into());
    }
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    own.exists().then_some(own)
}

#[tokio::test]
async fn a_bucket_is_listed_labelled_and_read() {
    let Some(moto) = Moto::start(&[]) else { return };
    let odd = "dog/a b%41+é&#?=~.jpg";
    for key in ["set/cat/1.jpg", "set/dog/deep/2.jpg", "set/flat.jpg", "other/3.jpg", "set-2/4.jpg"] {
        moto.put(key, key.as_bytes()).await;
    }
    moto.put(&format!("set/{odd}"), b"odd").await;
    let bucket = moto.bucket("set", &moto.options());
    let catalog = bucket.list(None).await.unwrap();
    assert_eq!(keys(&catalog), ["cat/1.jpg", odd, "dog/deep/2.jpg", "flat.jpg"]);
    assert_eq!(catalog.classes(), ["cat", "dog"]);
    let labels: Vec<_> = catalog.iter().map(|(_, entry)| entry.label.map(|label| label.0)).collect();
    assert_eq!(labels, [Some(0), Some(1), Some(1), None]);
    assert_eq!(read(&bucket, &catalog, "cat/1.jpg").await.unwrap(), b"set/cat/1.jpg");
    assert_eq!(read(&bucket, &catalog, odd).await.unwrap(), b"odd");
    assert_eq!(catalog.digest(), moto.bucket("set", &moto.options()).list(None).await.unwrap().digest());

    let whole = moto.bucket("", &moto.options()).list(None).await.unwrap();
    assert_eq!((whole.len(), whole.classes()), (6, &["other", "set", "set-2"].map(String::from)[..]));
    let none = moto.bucket("nothing/here", &moto.options()).list(None).await.unwrap_err();
    assert!(none.to_string().starts_with("s3://photos/nothing/here has no photos: nothing is there"), "{none}");
}

#[tokio::test]
async fn an_object_that_changed_or_went_is_not_given_for_the_one_listed() {
    let Some(moto) = Moto::start(&[]) else { return };
    moto.put("cat/1.jpg", b"photo").await;
    moto.put("cat/2.jpg", b"photo").await;
    let bucket = moto.bucket("", &moto.options());
    let before = bucket.list(None).await.unwrap();
    moto.put("cat/1.jpg", b"other").await;
    moto.delete("cat/2.jpg").await;
    assert_eq!(read(&bucket, &before, "cat/1.jpg").await, Err(FailureKind::Changed));
    assert_eq!(read(&bucket, &before, "cat/2.jpg").await, Err(FailureKind::NotFound));
    let after = bucket.list(None).await.unwrap();
    assert_ne!(before.digest(), after.digest());
    assert_eq!(read(&bucket, &after, "cat/1.jpg").await.unwrap(), b"other");
}

#[tokio::test]
async fn names_that_look_alike_are_objects_of_their_own() {
    let Some(moto) = Moto::start(&[]) else { return };
    let names =
        ["caf\u{e9}", "cafe\u{301}", "CAF\u{c9}", " x ", "x  y", "back\\slash", "q\"uo'te", "\u{1f431}", "\u{efe9}"];
    for name in names {
        moto.put(&format!("{name}/{name}.jpg"), name.as_bytes()).await;
    }
    let bucket = moto.bucket("", &moto.options());
    let catalog = bucket.list(None).await.unwrap();
    assert_eq!((catalog.len(), catalog.classes().len()), (names.len(), names.len()), "{}", catalog.skipped());
    for name in names {
        let key = headwater_types::key::from_bytes(name.as_bytes());
        let read = read(&bucket, &catalog, &format!("{key}/{key}.jpg")).await.unwrap();
        assert_eq!(read, name.as_bytes(), "{name:?}");
    }
}

#[tokio::test]
async fn keys_that_no_sample_may_have_are_counted_and_hide_no_other() {
    let hostile = [
        "../up.jpg",
        "/absolute.jpg",
        "cat/../../up.jpg",
        "cat//empty.jpg",
        "cat/./dot.jpg",
        "cat/a//b.jpg",
        "cat/.hidden.jpg",
        ".hidden/1.jpg",
        "zebra/..",
        // As consoles mark a folder.
        "cat/folder/",
    ];
    let Some(moto) = Moto::start(&hostile) else { return };
    let good: Vec<String> =
        (0..40).map(|n| format!("cat/{n:02}.jpg")).chain(["dog/1.jpg".into(), "z.jpg".into()]).collect();
    for key in &good {
        moto.put(key, key.as_bytes()).await;
    }
    // Of no bytes, and no photo by its name: as in a folder.
    moto.put("cat/nothing", b"").await;
    moto.put("cat/labels.csv", b"cat,1").await;
    moto.put("dog/2.heic", b"x").await;
    let bucket = moto.bucket("", &moto.options());
    let catalog = bucket.list(None).await.unwrap();
    assert_eq!(keys(&catalog), good);
    let skipped: Vec<_> = catalog.skipped().iter().collect();
    assert_eq!(
        skipped,
        [
            (Skip::NoPhoto, 2),
            (Skip::UnsupportedFormat, 1),
            (Skip::Hidden, 2),
            (Skip::EmptyFolder, 1),
            (Skip::Key, 7),
            (Skip::FolderMarker, 1)
        ]
    );
    assert_eq!(read(&bucket, &catalog, "cat/39.jpg").await.unwrap(), b"cat/39.jpg");

    let cats = moto.bucket("cat", &moto.options()).list(None).await.unwrap();
    assert!(keys(&cats).into_iter().eq((0..40).map(|n| format!("{n:02}.jpg"))), "{:?}", keys(&cats));
}

#[tokio::test]
async fn more_objects_than_a_page_holds_are_each_listed_once() {
    let Some(moto) = Moto::start(&["many/0500//x", "many/x/../y"]) else { return };
    let client = connect::connect("photos", &moto.options().s3, &settings(), Fetched::default()).unwrap().client;
    let key = |n: u32| if n < 1300 { format!("many/{n:04}") } else { format!("{n:04}") };
    let puts = futures::stream::iter(0..2500).map(|n| {
        let client = &client;
        async move { client.put(&Path::parse(key(n)).unwrap(), b"x".to_vec().into()).await.unwrap() }
    });
    puts.buffer_unordered(8).collect::<Vec<_>>().await;
    let options = StoreOptions { files: Files::All, ..moto.options() };
    let bucket = moto.bucket("", &options);
    let catalog = bucket.list(None).await.unwrap();
    let mut expected: Vec<String> = (0..2500).map(key).collect();
    expected.sort_unstable();
    assert!(keys(&catalog).into_iter().eq(expected.iter().map(String::as_str)));
    assert_eq!(catalog.skipped().count(Skip::Key), 2);
    assert_eq!(catalog.digest(), bucket.list(None).await.unwrap().digest());

    let mut shared = 0;
    for part in ["1/2", "2/2"] {
        let options = StoreOptions { partition: part.parse().unwrap(), ..options.clone() };
        shared += moto.bucket("", &options).list(None).await.unwrap().len();
    }
    assert_eq!(shared, catalog.len());
}

#[tokio::test]
async fn an_object_over_the_limit_is_not_asked_for() {
    let Some(moto) = Moto::start(&[]) else { return };
    moto.put("1.jpg", &[7; 101]).await;
    let options = StoreOptions { max_object: ByteCount::new(100), ..moto.options() };
    let bucket = moto.bucket("", &options);
    let catalog = bucket.list(None).await.unwrap();
    assert_eq!(read(&bucket, &catalog, "1.jpg").await, Err(FailureKind::LimitExceeded));
    assert_eq!(catalog.get(SampleIndex(0)).unwrap().version.size(), ByteCount::new(101));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error_that_says_what_to_check() {
    let Some(moto) = Moto::start(&[]) else { return };
    let bucket = Bucket::open("absent", "", &moto.options(), &settings()).unwrap();
    let error = bucket.list(None).await.unwrap_err();
    assert!(matches!(error, StoreError::NoSuchBucket { .. }), "{error:?}");
    assert!(error.to_string().starts_with("no bucket for s3://absent"), "{error}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_from_one_that_refuses() {
    let Some(moto) = Moto::start(&[]) else { return };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = moto.bucket("", &at(&format!("http://{closed}"))).list(None).await.unwrap_err();
    assert!(matches!(error, StoreError::S3 { .. }) && error.is_retryable(), "{error:?}");
}
