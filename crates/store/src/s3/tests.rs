//! Against a real S3 protocol: the server of PyPI's `moto`, started by the test that needs it.
//!
//! Its Python is `HEADWATER_PYTHON`, or that of the repository's `.venv`. Where there is none, or it has no `moto[server]`,
//! the tests say so and prove nothing.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use futures::StreamExt;
use headwater_types::{ByteCount, SampleIndex};
use object_store::ObjectStoreExt;

use super::*;
use crate::catalog::Skip;
use crate::files::Files;
use crate::options::S3Options;

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
    /// A server with an empty bucket `photos` but for these keys; `None`, with a line that says why, where it cannot run.
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
        let client = connect::connect("photos", &self.options().s3, &settings()).unwrap().client;
        client.put(&Path::parse(key).unwrap(), content.to_vec().into()).await.unwrap();
    }

    async fn delete(&self, key: &str) {
        let client = connect::connect("photos", &self.options().s3, &settings()).unwrap().client;
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

fn of_variables(variables: &[(&str, &str)]) -> Settings {
    Settings::read(variables.iter().map(|&(name, value)| (name.into(), value.into()))).unwrap()
}

fn settings() -> Settings {
    of_variables(&[("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "us-east-1")])
}

fn at(endpoint: &str) -> StoreOptions {
    let s3 = S3Options { endpoint: Some(endpoint.parse().unwrap()), allow_http: false };
    StoreOptions { s3, ..StoreOptions::default() }
}

fn keys(catalog: &Catalog) -> Vec<&str> {
    catalog.iter().map(|(_, entry)| entry.key).collect()
}

async fn read(bucket: &Bucket, catalog: &Catalog, key: &str) -> Result<Vec<u8>, FailureKind> {
    let index = catalog.find(key).unwrap();
    let read = bucket.read(&catalog.extent(index).unwrap()).await;
    read.map(Vec::from).map_err(|failure| failure.kind)
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
    let catalog = bucket.list().await.unwrap();
    assert_eq!(keys(&catalog), ["cat/1.jpg", odd, "dog/deep/2.jpg", "flat.jpg"]);
    assert_eq!(catalog.classes(), ["cat", "dog"]);
    let labels: Vec<_> = catalog.iter().map(|(_, entry)| entry.label.map(|label| label.0)).collect();
    assert_eq!(labels, [Some(0), Some(1), Some(1), None]);
    assert_eq!(read(&bucket, &catalog, "cat/1.jpg").await.unwrap(), b"set/cat/1.jpg");
    assert_eq!(read(&bucket, &catalog, odd).await.unwrap(), b"odd");
    assert_eq!(catalog.digest(), moto.bucket("set", &moto.options()).list().await.unwrap().digest());

    let whole = moto.bucket("", &moto.options()).list().await.unwrap();
    assert_eq!((whole.len(), whole.classes()), (6, &["other", "set", "set-2"].map(String::from)[..]));
    let none = moto.bucket("nothing/here", &moto.options()).list().await.unwrap_err();
    assert!(none.to_string().starts_with("--data s3://photos/nothing/here has no photos: nothing is there"), "{none}");
}

#[tokio::test]
async fn an_object_that_changed_or_went_is_not_given_for_the_one_listed() {
    let Some(moto) = Moto::start(&[]) else { return };
    moto.put("cat/1.jpg", b"photo").await;
    moto.put("cat/2.jpg", b"photo").await;
    let bucket = moto.bucket("", &moto.options());
    let before = bucket.list().await.unwrap();
    moto.put("cat/1.jpg", b"other").await;
    moto.delete("cat/2.jpg").await;
    assert_eq!(read(&bucket, &before, "cat/1.jpg").await, Err(FailureKind::Changed));
    assert_eq!(read(&bucket, &before, "cat/2.jpg").await, Err(FailureKind::NotFound));
    let after = bucket.list().await.unwrap();
    assert_ne!(before.digest(), after.digest());
    assert_eq!(read(&bucket, &after, "cat/1.jpg").await.unwrap(), b"other");
}

#[tokio::test]
async fn keys_that_no_sample_may_have_are_counted_and_hide_no_other() {
    let hostile = [
        "../up.jpg",
        "/absolute.jpg",
        "cat/../../up.jpg",
        "cat//empty.jpg",
        "cat/./dot.jpg",
        "cat/back\\slash.jpg",
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
    moto.put("dog/2.tiff", b"II*").await;
    let bucket = moto.bucket("", &moto.options());
    let catalog = bucket.list().await.unwrap();
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

    let cats = moto.bucket("cat", &moto.options()).list().await.unwrap();
    assert!(keys(&cats).into_iter().eq((0..40).map(|n| format!("{n:02}.jpg"))), "{:?}", keys(&cats));
}

#[tokio::test]
async fn more_objects_than_a_page_holds_are_each_listed_once() {
    let Some(moto) = Moto::start(&["many/0500\\", "many/x/../y"]) else { return };
    let client = connect::connect("photos", &moto.options().s3, &settings()).unwrap().client;
    let key = |n: u32| if n < 1300 { format!("many/{n:04}") } else { format!("{n:04}") };
    let puts = futures::stream::iter(0..2500).map(|n| {
        let client = &client;
        async move { client.put(&Path::parse(key(n)).unwrap(), b"x".to_vec().into()).await.unwrap() }
    });
    puts.buffer_unordered(8).collect::<Vec<_>>().await;
    let options = StoreOptions { files: Files::All, ..moto.options() };
    let bucket = moto.bucket("", &options);
    let catalog = bucket.list().await.unwrap();
    let mut expected: Vec<String> = (0..2500).map(key).collect();
    expected.sort_unstable();
    assert!(keys(&catalog).into_iter().eq(expected.iter().map(String::as_str)));
    assert_eq!(catalog.skipped().count(Skip::Key), 2);
    assert_eq!(catalog.digest(), bucket.list().await.unwrap().digest());

    let mut shared = 0;
    for part in ["1/2", "2/2"] {
        let options = StoreOptions { partition: part.parse().unwrap(), ..options.clone() };
        shared += moto.bucket("", &options).list().await.unwrap().len();
    }
    assert_eq!(shared, catalog.len());
}

#[tokio::test]
async fn an_object_over_the_limit_is_not_asked_for() {
    let Some(moto) = Moto::start(&[]) else { return };
    moto.put("1.jpg", &[7; 101]).await;
    let options = StoreOptions { max_object: ByteCount::new(100), ..moto.options() };
    let bucket = moto.bucket("", &options);
    let catalog = bucket.list().await.unwrap();
    assert_eq!(read(&bucket, &catalog, "1.jpg").await, Err(FailureKind::LimitExceeded));
    assert_eq!(catalog.get(SampleIndex(0)).unwrap().version.size(), ByteCount::new(101));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error_that_says_what_to_check() {
    let Some(moto) = Moto::start(&[]) else { return };
    let bucket = Bucket::open("absent", "", &moto.options(), &settings()).unwrap();
    let error = bucket.list().await.unwrap_err();
    assert!(matches!(error, StoreError::NoSuchBucket { .. }), "{error:?}");
    assert!(error.to_string().starts_with("no bucket for s3://absent"), "{error}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_from_one_that_refuses() {
    let Some(moto) = Moto::start(&[]) else { return };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = moto.bucket("", &at(&format!("http://{closed}"))).list().await.unwrap_err();
    assert!(matches!(error, StoreError::S3 { .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn missing_credentials_are_an_error_that_says_what_to_set() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = of_variables(&[("AWS_METADATA_ENDPOINT", &format!("http://{closed}"))]);
    let bucket = Bucket::open("photos", "", &StoreOptions::default(), &settings).unwrap();
    let error = bucket.list().await.unwrap_err();
    assert!(matches!(error, StoreError::NoCredentials { .. }), "{error:?}");
    assert!(error.to_string().contains("set AWS_ACCESS_KEY_ID"), "{error}");
}

/// Answers requests as this says of the first line of each and of its number, until the test ends.
fn serving(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let line = request.next().unwrap_or_default();
            request.take_while(|header| !header.is_empty()).for_each(drop);
            // A client that has gone is none of the server's business.
            let _ = stream.write_all(&answer(&line, number));
        }
    });
    format!("http://{address}")
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}").into()
}

/// Answers listings with these bodies, by what the request's line contains.
fn canned(answers: &'static [(&'static str, u16, &'static str)]) -> String {
    serving(|line, _| {
        let (_, status, body) = answers.iter().find(|(asked, ..)| line.contains(asked)).unwrap();
        answer(*status, "", body)
    })
}

/// One object of ten bytes, `1.jpg`.
const ONE: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>1.jpg</Key>\
    <Size>10</Size><ETag>\"one\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>";

/// The object, in an answer with these further headers.
fn one(headers: &str) -> Vec<u8> {
    answer(200, &format!("ETag: \"one\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n{headers}"), "0123456789")
}

/// What a read of that object gives, where reads are answered so; and how many requests that took.
async fn read_one(read: impl Fn(usize) -> Vec<u8> + Send + 'static) -> (Result<Bytes, SampleFailure>, usize) {
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&reads);
    let endpoint = serving(move |line, _| match line.contains("list-type") {
        true => answer(200, "", ONE),
        false => read(counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst)),
    });
    let bucket = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap();
    let catalog = bucket.list().await.unwrap();
    let read = bucket.read(&catalog.extent(SampleIndex(0)).unwrap()).await;
    (read, reads.load(std::sync::atomic::Ordering::SeqCst))
}

#[tokio::test]
async fn a_store_that_throttles_is_asked_again_until_it_gives() {
    let slow = "<Error><Code>SlowDown</Code></Error>";
    let (read, requests) = read_one(move |nth| if nth < 6 { answer(503, "", slow) } else { one("") }).await;
    assert_eq!((&read.unwrap()[..], requests), (&b"0123456789"[..], 7));
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let began = Instant::now();
    let (read, requests) = read_one(|nth| if nth == 0 { answer(429, "Retry-After: 2\r\n", "") } else { one("") }).await;
    assert_eq!((read.unwrap().len(), requests), (10, 2));
    assert!(began.elapsed().as_secs_f64() > 1.9, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_of_another_length_or_that_ends_early_is_no_answer() {
    let short = b"HTTP/1.1 200 x\r\nETag: \"one\"\r\nContent-Length: 10\r\nConnection: close\r\n\r\n01234";
    let (read, requests) = read_one(move |nth| match nth {
        0 => answer(200, "ETag: \"one\"\r\n", "0123456"),
        1 => short.to_vec(),
        2 => answer(200, "Content-Type: text/html\r\n", "<html/>"),
        _ => one(""),
    })
    .await;
    assert_eq!((&read.unwrap()[..], requests), (&b"0123456789"[..], 4));
}

#[tokio::test]
async fn an_object_that_always_has_another_length_fails_alone_and_says_so() {
    let (read, requests) = read_one(|_| answer(200, "ETag: \"one\"\r\n", "0123456")).await;
    let failure = read.unwrap_err();
    assert_eq!((failure.kind, requests), (FailureKind::Unreadable, 10));
    assert!(failure.message.contains("7 bytes of an object of 10"), "{failure}");
    let (read, requests) = read_one(|_| answer(200, "ETag: \"two\"\r\n", "0123456789")).await;
    assert_eq!((read.unwrap_err().kind, requests), (FailureKind::Changed, 1), "another ETag is another object");
}

#[tokio::test]
async fn refused_reads_say_which_refusal_it_is() {
    for (status, code, kind, words) in [
        (400, "ExpiredToken", FailureKind::Forbidden, "the credentials have expired"),
        (403, "RequestTimeTooSkewed", FailureKind::Forbidden, "clock"),
        (403, "AccessDenied", FailureKind::Forbidden, "s3:GetObject"),
        (404, "NoSuchKey", FailureKind::NotFound, "gone"),
    ] {
        let body = format!("<Error><Code>{code}</Code></Error>");
        let (read, requests) = read_one(move |_| answer(status, "", &body)).await;
        let failure = read.unwrap_err();
        assert_eq!((failure.kind, requests), (kind, 1), "{failure}");
        assert!(failure.message.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_listing_that_is_not_whole_is_never_a_smaller_dataset() {
    for (body, words) in [
        (ONE.replace("false", "true"), "NextContinuationToken"),
        (ONE.replace("<KeyCount>1", "<KeyCount>2"), "says 2 keys and has 1"),
        (ONE[..ONE.len() / 2].to_owned(), "no whole listing"),
        ("<html xmlns=\"http://www.w3.org/1999/xhtml\"><body/></html>".to_owned(), "it begins \"<html"),
        ("<Error><Code>AccessDenied</Code></Error>".to_owned(), "AccessDenied"),
    ] {
        let shown = body.clone();
        let endpoint = serving(move |_, _| answer(200, "", &body));
        let error = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap().list().await.unwrap_err();
        assert!(error.to_string().contains(words), "{shown}: {error}");
    }
}

#[tokio::test]
async fn a_listing_outlasts_refusals_and_pages_that_are_cut_and_tells_of_it() {
    let endpoint = serving(|_, nth| match nth {
        0..4 => answer(503, "", ""),
        4 => answer(200, "", &ONE[..ONE.len() / 2]),
        5 => answer(200, "", "<Error><Code>InternalError</Code></Error>"),
        _ => answer(200, "", ONE),
    });
    let options = at(&endpoint);
    let bucket = Bucket::open("photos", "", &options, &settings()).unwrap();
    let told = async {
        while options.found.trouble().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        options.found.trouble().unwrap()
    };
    let (listed, told) = tokio::join!(bucket.list(), told);
    assert_eq!(keys(&listed.unwrap()), ["1.jpg"]);
    assert!(told.contains("failed") && told.contains("status 503"), "{told}");
    assert_eq!(options.found.trouble(), None);
}

#[tokio::test]
async fn a_page_that_follows_upon_itself_ends_the_listing() {
    let more = ONE.replace(
        "<IsTruncated>false</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
    );
    let endpoint = serving(move |_, _| answer(200, "", &more));
    let error = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap().list().await.unwrap_err();
    assert!(error.to_string().contains("follows upon itself"), "{error}");
}

#[tokio::test]
async fn a_read_that_is_slow_is_asked_for_a_second_time() {
    let endpoint = {
        let first = std::sync::atomic::AtomicBool::new(true);
        serving_side_by_side(move |line| match line.contains("list-type") {
            true => (std::time::Duration::ZERO, answer(200, "", ONE)),
            false if first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
                (std::time::Duration::from_secs(60), Vec::new())
            }
            false => (std::time::Duration::ZERO, one("")),
        })
    };
    let bucket = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap();
    let catalog = bucket.list().await.unwrap();
    let began = Instant::now();
    assert_eq!(read(&bucket, &catalog, "1.jpg").await.unwrap(), b"0123456789");
    assert!(began.elapsed() < headwater_types::patience::S3_SILENCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_waits_for_samples_hears_that_they_wait_for_their_store() {
    let endpoint = serving(|line, _| match line.contains("list-type") {
        true => answer(200, "", ONE),
        false => answer(503, "", "<Error><Code>SlowDown</Code></Error>"),
    });
    let bucket = Bucket::open("photos", "", &at(&endpoint), &settings()).unwrap();
    let catalog = bucket.list().await.unwrap();
    assert_eq!(bucket.waiting(), None);
    let told = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if let Some(waiting) = bucket.waiting() {
                return waiting;
            }
        }
    };
    let told = tokio::select! {
        told = told => told,
        read = read(&bucket, &catalog, "1.jpg") => panic!("{read:?}"),
    };
    assert_eq!(told.reads, 1);
    assert!(told.to_string().contains("SlowDown"), "{told}");
    assert_eq!(bucket.waiting(), None, "a read that is given up waits no more");
}

/// As [`serving`], each connection by itself, after a time.
fn serving_side_by_side(say: impl Fn(&str) -> (std::time::Duration, Vec<u8>) + Send + Sync + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let say = std::sync::Arc::new(say);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, say) = (stream.unwrap(), std::sync::Arc::clone(&say));
            std::thread::spawn(move || {
                let mut request = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let line = request.next().unwrap_or_default();
                request.take_while(|header| !header.is_empty()).for_each(drop);
                let (time, answer) = say(&line);
                std::thread::park_timeout(time);
                let _ = stream.write_all(&answer);
            });
        }
    });
    format!("http://{address}")
}

/// What somebody may have set a variable to, by mistake or by malice.
const ODD: [&str; 50] = [
    "",
    " ",
    "\n",
    "\t",
    "a\n",
    "a\r\nb: c",
    " a",
    "a ",
    "a b",
    "\u{7f}",
    "\u{1}",
    "é",
    "日本",
    "\u{202e}",
    "😀",
    "%",
    "%zz",
    "%00",
    "?",
    "#",
    "@",
    "a@b",
    "/",
    "//",
    "///",
    "..",
    "../..",
    "\\",
    ":",
    "::",
    ":0",
    "[",
    "[::1]",
    "[::1]:x",
    "http://",
    "http:///",
    "http://a:b",
    "http://[",
    "https://1.2.3.4.5",
    "http://a..b",
    "http://xn--a",
    "http://a\u{ad}b",
    "ftp://a",
    "s3://a",
    "true",
    "0",
    "-1",
    "18446744073709551616",
    "1e400",
    "127.0.0.1:9000",
];

/// Every variable of S3, at each odd value: an error with its name, or a client that fails as one does that has no store.
#[tokio::test]
async fn no_variable_can_panic_the_process() {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_METADATA_ENDPOINT",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SKIP_SIGNATURE",
        "AWS_ALLOW_HTTP",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
        "AWS_S3_EXPRESS",
        "AWS_UNSIGNED_PAYLOAD",
        "AWS_CHECKSUM_ALGORITHM",
        "AWS_REQUEST_PAYER",
        "AWS_SERVER_SIDE_ENCRYPTION",
        "AWS_SSE_KMS_KEY_ID",
        "AWS_SSE_CUSTOMER_KEY_BASE64",
        "AWS_PROXY_URL",
        "AWS_PROXY_EXCLUDES",
        "AWS_PROXY_CA_CERTIFICATE",
        "AWS_USER_AGENT",
        "AWS_DEFAULT_CONTENT_TYPE",
        "AWS_POOL_IDLE_TIMEOUT",
        "AWS_HTTP2_MAX_FRAME_SIZE",
        "AWS_COPY_IF_NOT_EXISTS",
    ];
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut accepted = 0;
    for name in names {
        for value in ODD {
            let sound = [
                ("AWS_ENDPOINT_URL_S3", format!("http://{closed}")),
                ("AWS_ACCESS_KEY_ID", "id".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ];
            let others = sound.into_iter().filter(|(other, _)| *other != name);
            let all = others.map(|(name, value)| (name.into(), value.into())).chain([(name.into(), value.into())]);
            let settings = match Settings::read(all) {
                Ok(settings) => settings,
                Err(error) => {
                    assert!(error.to_string().starts_with(name), "{name}={value:?}: {error}");
                    continue;
                }
            };
            let Ok(bucket) = Bucket::open("photos", "", &StoreOptions::default(), &settings) else { continue };
            accepted += 1;
            // Long enough to make a request and to sign it.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(2), bucket.list()).await;
        }
    }
    assert!(accepted > 100, "{accepted}");
}

#[tokio::test]
async fn a_folder_that_a_policy_denies_is_an_error_unless_it_is_to_be_skipped_and_stays_a_class() {
    const CLASSES: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><CommonPrefixes><Prefix>ant/</Prefix></CommonPrefixes><CommonPrefixes>\
        <Prefix>bee/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>cat/</Prefix></CommonPrefixes></ListBucketResult>";
    const CAT: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>cat/1.jpg</Key><Size>9</Size><ETag>\"1\"</ETag>\
        <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>";
    let endpoint = canned(&[
        ("delimiter", 200, CLASSES),
        ("prefix=ant", 403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
        ("prefix=bee", 403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
        ("prefix=cat", 200, CAT),
    ]);
    let options = at(&endpoint);
    let listed =
        |options: StoreOptions| async move { Bucket::open("photos", "", &options, &settings()).unwrap().list().await };
    let error = listed(options.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { count: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("ant (AccessDenied), bee (AccessDenied)"), "{error}");
    let catalog = listed(StoreOptions { skip_unreadable: true, ..options }).await.unwrap();
    assert_eq!((keys(&catalog), catalog.classes()), (vec!["cat/1.jpg"], &["ant", "bee", "cat"].map(String::from)[..]));
}

#[tokio::test]
async fn a_refusal_is_known_by_the_code_that_s3_gives() {
    let bucket = Bucket::open("photos", "cats", &StoreOptions::default(), &settings()).unwrap();
    let error = |status, code: &str| {
        let code = Some(code.to_owned());
        bucket.access.error(&fault::Fault::Answered(Box::new(answer::Answer { status, code, ..Default::default() })))
    };
    let refused = error(403, "SignatureDoesNotMatch");
    assert!(
        refused.to_string().starts_with("s3://photos/cats refused the listing: check the credentials"),
        "{refused}"
    );
    let expired = error(400, "ExpiredToken");
    assert!(
        expired.to_string().starts_with("s3://photos/cats refused the listing: the credentials have expired"),
        "{expired}"
    );
    let skewed = error(403, "RequestTimeTooSkewed");
    assert!(skewed.to_string().contains("clock") && !skewed.to_string().contains("s3:ListBucket"), "{skewed}");
    assert!(!refused.is_retryable() && error(503, "SlowDown").is_retryable());
}

#[tokio::test]
async fn a_place_is_endpoint_bucket_and_prefix() {
    let place = |bucket: &str, prefix: &str, endpoint: Option<&str>| {
        let options = endpoint.map_or_else(StoreOptions::default, at);
        Bucket::open(bucket, prefix, &options, &settings()).unwrap().place()
    };
    let (near, far) = (Some("http://127.0.0.1:9000"), Some("https://store.example"));
    let places = [
        place("photos", "", None),
        place("photos", "cats", None),
        place("cats", "photos", None),
        place("photos", "cats", near),
        place("photos", "cats", far),
    ];
    for (at, one) in places.iter().enumerate() {
        assert!(!places[..at].contains(one), "{at}");
    }
    assert_eq!(place("photos", "cats", Some("http://127.0.0.1:9000/")), place("photos", "cats", near));
}
